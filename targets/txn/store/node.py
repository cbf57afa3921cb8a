"""The node program of the transactional store: some nodes hold shards, some coordinate, most do both."""

from __future__ import annotations

from functools import partial
from typing import Any

from targets.kv.raft.machine import StateMachine
from targets.node.env import Env
from targets.txn.store.bugs import Bugs
from targets.txn.store.config import SERIALIZABLE, Config
from targets.txn.store.coordinator import Coordinator
from targets.txn.store.groups import Groups
from targets.txn.store.placement import CLOCK, Placement
from targets.txn.store.shard import Shard
from targets.txn.store.stamps import Stamps
from targets.txn.store.termination import Termination


class TxnStore:
    """One node. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env) -> None:
        self._env = env
        config, bugs = Config.of(env.options), Bugs.named(env.options.get("bug"))
        placement = Placement(env.node_ids, config)

        def machine_of(group: str) -> StateMachine:
            return Stamps() if group == CLOCK else Shard(bugs, validates_reads=config.isolation == SERIALIZABLE)

        self._groups = groups = Groups(env, placement, machine_of, bugs)
        self._shards = {name: one for name, one in groups.machines.items() if isinstance(one, Shard)}
        for name, shard in self._shards.items():
            shard.tell = partial(env.log, participant=name)
        self._coordinator = Coordinator(env, config, bugs, groups, placement)
        self._termination = Termination(env, config, bugs, groups)

    def start(self) -> None:
        """``init`` has been answered: time begins."""
        self._groups.start()
        self._coordinator.start()
        self._env.spawn(self._termination.watch())

    def status(self) -> dict[str, Any]:
        """What faults aim at and what the report shows. A coordinator is a node that has transactions between their phases."""
        quorums = self._groups.quorums
        leads = [name for name, quorum in quorums.items() if quorum.leads]
        role = "coordinator" if self._coordinator.between else "leader" if leads else "follower"
        return {
            "role": role,
            "term": max((quorum.state.term for quorum in quorums.values()), default=0),
            "leads": leads,
            "between": self._coordinator.between,
            "prepared": {name: len(shard.prepared) for name, shard in self._shards.items()},
        }
