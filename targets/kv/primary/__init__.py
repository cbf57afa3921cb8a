"""Leader-follower replication with automatic failover, in two variants that differ in one thing: when a write is acknowledged.

* ``sync``: once a majority of the nodes has it on its disk. Any majority that elects the next primary knows it, so it survives.
* ``async``: once the primary has it on its own disk. The backups get it a moment later; a primary that is cut off or dies in that moment
  has acknowledged what its successor will never know. When it returns, it drops what nobody else has: acknowledged writes are lost.
  That is no bug of this program but the bargain of asynchronous replication, and what the target is there to measure.

Standard library and ``targets.node`` alone: it travels into the node. In reading order:

* ``config`` the options; ``bugs`` the seeded deviations, each an ``if`` at the place where the rule stands;
* ``log`` what is on the disk; ``machine`` keys with registers or sets, and sessions; ``replica`` from log to machine, checkpoints;
* ``state`` who this node takes itself for, in which epoch; ``election`` how a primary is found;
* ``shipping`` the primary's side of replication; ``following`` the backup's side;
* ``reads`` and ``requests`` what clients ask; ``node`` puts the parts together.

Every handler is a plain function: nothing here awaits, so a message is dealt with whole, at one instant.
"""

from targets.kv.primary.node import Primary

__all__ = ["Primary"]
