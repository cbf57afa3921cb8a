"""The node program ``queue/log``: a broker and a voter of the metadata's quorum in one (KRaft's combined mode)."""

from __future__ import annotations

import asyncio
from typing import Any

from targets.node import codes
from targets.node.env import Env, Refusal
from targets.queue.log.bugs import Bugs
from targets.queue.log.config import Config
from targets.queue.log.controller import SUBMIT_S, Controller
from targets.queue.log.groups import OFFSETS, Groups
from targets.queue.log.metadata import Metadata
from targets.queue.log.replica import Replica, view
from targets.queue.log.replication import Replication
from targets.queue.log.requests import Requests
from targets.queue.quorum import Quorum

INCARNATION_BITS = 48  # exact in a JSON number
ISR_CHECK_S = 0.25


class LogBroker:
    """One broker. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._config, self._bugs = config, bugs = Config.of(env.options), Bugs.named(env.options.get("bug"))
        self._incarnation = env.random.getrandbits(INCARNATION_BITS)
        self._metadata = metadata = Metadata(config, bugs)
        self._quorum = quorum = Quorum(env, metadata, env.options)
        self._controller = Controller(env, config, quorum, metadata, self._incarnation)
        self.replicas: dict[str, Replica] = {}
        self._replication = replication = Replication(env, config, bugs, self.replicas, self._incarnation)
        requests = Requests(
            env, config, bugs, quorum=quorum, metadata=metadata, replication=replication, replicas=self.replicas
        )
        self._groups = Groups(env, config, bugs, self.replicas, requests)
        metadata.when_changed = self._adopt
        replication.when_fetched = self._see_to_isr
        replication.when_committed = self._committed
        self._adopt()

    def start(self) -> None:
        """``init`` has been answered: time begins."""
        self._quorum.start()
        self._replication.start()
        self._env.spawn(self._controller.live())
        self._env.spawn(self._watch_replicas())
        self._env.spawn(self._groups.expel_the_silent())
        if self._config.fsync_s:
            self._env.spawn(self._sync_now_and_then())

    def status(self) -> dict[str, Any]:
        """What faults aim at and what the report shows. The first partition's leader is called the leader of all."""
        state = self._quorum.state
        leads = [name for name, replica in self.replicas.items() if replica.leads and name != OFFSETS]
        return {
            "role": "leader" if leads else "follower",
            "controller": state.leader,
            "term": state.term,
            "leads": leads,
            "partitions": {name: view(replica) for name, replica in self.replicas.items()},
        }

    def _adopt(self) -> None:
        """The metadata have changed."""
        serving = self._replication.serving = self._controller.registered
        for name, info in self._metadata.partitions.items():
            if self._env.node_id in info.replicas:
                if name not in self.replicas:
                    self.replicas[name] = Replica(self._env, self._config, self._bugs, name)
                replica = self.replicas[name]
                replica.adopt(info, serving=serving)
        self._replication.rouse()

    def _committed(self, replica: Replica) -> None:
        self._groups.committed(replica)
        self._replication.answer_parked()
        replica.clean(compacts=self._config.compact or replica.name == OFFSETS)

    def _see_to_isr(self, replica: Replica) -> None:
        """Ask the controller for the in-sync set that ``replica``, which this node leads, should have."""
        wanted = None if replica.asking else replica.wanted_isr()
        if wanted is not None:
            replica.asking = True
            replica.pending |= frozenset(wanted)
            self._env.spawn(self._ask_for_isr(replica, wanted))

    async def _ask_for_isr(self, replica: Replica, wanted: list[str]) -> None:
        info = replica.info
        assert info is not None
        incarnations = [[name, self._incarnation_of(replica, name)] for name in wanted]
        command = ["isr", replica.name, self._env.node_id, replica.epoch, info.version, incarnations]
        version, certain, granted = info.version, True, False
        try:
            granted = (await self._quorum.submit(command, SUBMIT_S))["ok"]
        except Refusal as refusal:
            certain = refusal.code == codes.UNAVAILABLE
        except TimeoutError:
            certain = False
        replica.asking = False
        if info.version == version:  # else the metadata have overtaken it
            replica.in_doubt |= not certain
            if not granted and not replica.in_doubt:
                replica.pending = frozenset()  # no wish of this version will ever be granted

    def _incarnation_of(self, replica: Replica, name: str) -> int | None:
        if name == self._env.node_id:
            return self._incarnation
        found = replica.followers[name].incarnation
        return self._metadata.incarnation(name) if found is None else found

    async def _watch_replicas(self) -> None:
        while True:
            await asyncio.sleep(ISR_CHECK_S)
            for replica in self.replicas.values():
                if replica.leads:
                    self._see_to_isr(replica)
                    if replica.advance():
                        self._committed(replica)

    async def _sync_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._config.fsync_s)
            for replica in self.replicas.values():
                replica.log.sync()
