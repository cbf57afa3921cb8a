"""Conflict-free replicated data types (Shapiro, Preguiça, Baquero and Zawirski 2011), replicated by gossip (Demers and others 1987).

Every node takes every operation at once, alone, and tells the others later: so clients are served on both sides of any partition, and no
two nodes need to agree before an answer. What makes that safe is the data's shape: a node's state is a map of entries, each of which can
only grow, and two states are merged entry by entry with a *join* that is associative, commutative and idempotent. So messages may be lost,
repeated and reordered as they like: whoever knows the same updates has the same state.

* ``broadcast`` and ``g-set``: a set of what was ever added; the join of "there" and "there" is "there".
* ``g-counter``: one number per node, which that node alone increases; joined by the maximum; the value is the sum.
* ``pn-counter``: two such numbers per node, for additions and subtractions.
* ``or-set``: per element the tags of its adds, and those of them that were seen by a remove; both sets only grow.
* ``unique-ids``: no shared state at all: a name, a number of lives, a number of requests.

The wire is Maelstrom's: ``broadcast {message}``, ``read`` → ``{messages}``; ``add {element}``, ``read`` → ``{value}``; ``add {delta}``;
``generate`` → ``{id}``. Which data a node holds is its option ``data``. Requests may carry ``key`` (several collections) and ``seq`` (a
request id within its client; without it the message id serves).

Standard library and ``targets.node`` alone: it travels into the node. In reading order: ``config`` options; ``bugs`` the seeded deviations;
``lattices`` the data types; ``disk`` what survives a crash; ``replica`` one node's state; ``gossip`` how nodes tell each other;
``node`` requests; ``ids`` the program of unique ids. Every handler is a plain function: a message is dealt with whole, at one instant.
"""

from targets.kv.crdt.ids import Ids
from targets.kv.crdt.node import Crdt

__all__ = ["Crdt", "Ids"]
