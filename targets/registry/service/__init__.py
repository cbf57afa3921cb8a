"""The registry itself. It travels into the node.

In reading order:

* ``config`` the options of a node; ``bugs`` the seeded deviations, each an ``if`` at the place where the rule stands;
* ``machine`` sessions, entries and the list of changes, replicated by ``targets.queue.quorum`` (Raft); sessions that nobody keeps alive are
  ended as the leases of locks are (``targets.lock.service.expiry``);
* ``checks`` instances that are registered with a check, replicated with the rest; ``probes`` the instances on a node, and the leader that
  asks them whether they live;
* ``node`` puts the parts together, and serves clients.
"""

from targets.registry.service.node import RegistryNode

__all__ = ["RegistryNode"]
