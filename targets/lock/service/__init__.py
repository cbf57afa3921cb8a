"""A lock service and all that it takes to be harmed in spite of it. It travels into the node.

In reading order:

* ``config`` the options of a node; ``bugs`` the seeded deviations, each an ``if`` at the place where the rule stands;
* ``machine`` the locks and their tokens, replicated by ``targets.queue.quorum`` (Raft); ``expiry`` ends leases that nobody renews;
* ``holders`` those who hold locks, one node's sessions on behalf of clients; ``resource`` what they work on;
* ``node`` puts the parts together.
"""

from targets.lock.service.node import LockService

__all__ = ["LockService"]
