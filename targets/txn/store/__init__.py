"""A store of several shards, each replicated by Raft, with transactions across them. It travels into the node.

In reading order:

* ``config`` the options of a node; ``bugs`` the seeded deviations; ``placement`` which shard is where, and who coordinates;
* ``shard`` the state of a participant: versions, what is prepared, what was decided; ``stamps`` the order of time;
* ``groups`` one Raft group for each of them, and how anybody calls one;
* ``requests`` what a client's request reads and writes; ``decisions`` a coordinator's own log;
* ``coordinator`` carries a transaction through its phases; ``termination`` is for participants whose coordinator is silent;
* ``node`` puts the parts together.
"""

from targets.txn.store.node import TxnStore

__all__ = ["TxnStore"]
