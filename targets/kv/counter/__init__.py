"""A counter on every node, replicated by sending increments: what becomes of a request that was sent again, or not sent again.

A node counts an addition at once, alone, and sends it to all others. An increment is no join: applied twice it counts twice, not applied it
is missing. Messages get lost and answers too, so a sender has three choices (Birrell and Nelson 1984), the option ``delivery``:

* ``at-most-once``: send it once. What is lost is missing for ever.
* ``at-least-once``: send it until it is acknowledged. When the answer was lost, and not the request, it counts twice.
* ``exactly-once``: as before, but every addition carries its request's id, and every node knows which ids it has counted: so a repetition
  changes nothing, whether a node or a client repeats it, also at another node.

Standard library and ``targets.node`` alone (and the journal of ``targets.kv.crdt``): it travels into the node. In reading order: ``config``
options; ``bugs`` the seeded deviations; ``ledger`` what a node knows and keeps; ``node`` requests and sending.
"""

from targets.kv.counter.node import Counter

__all__ = ["Counter"]
