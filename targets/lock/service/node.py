"""The node program of the locks: every node keeps the locks, holds some for its clients, and may be asked for the resource."""

from __future__ import annotations

from functools import partial
from typing import Any

from targets.kv.raft.bugs import Bugs as RaftBugs
from targets.lock.service.bugs import Bugs
from targets.lock.service.config import WALL, Config
from targets.lock.service.expiry import expire
from targets.lock.service.holders import Holders
from targets.lock.service.machine import Locks
from targets.lock.service.resource import Resource
from targets.node.env import Env
from targets.queue.quorum import Quorum


class LockService:
    """One node. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._config, bugs = Config.of(env.options), Bugs.named(env.options.get("bug"))
        self._now_s = env.wall_time if self._config.clock == WALL else env.monotonic
        self._locks = Locks(bugs)
        raft = RaftBugs(ack_before_quorum=bugs.granted_before_quorum)
        self._quorum = quorum = Quorum(env, self._locks, env.options, raft)
        for forgets, what in (
            (bugs.token_anew_with_leader, "tokens"),
            (bugs.holder_forgotten_at_failover, "holders"),
        ):
            if forgets:
                quorum.core.roles.when_elected.append(partial(quorum.propose, ["forget", what]))
        Holders(env, self._config, bugs, quorum, self._now_s)
        self._resource = Resource(env, fenced=self._config.fenced, bugs=bugs)

    def start(self) -> None:
        """``init`` has been answered: time begins."""
        self._quorum.start()
        self._env.spawn(expire(self._locks, self._quorum, self._now_s, self._config.lease_s))

    def status(self) -> dict[str, Any]:
        """What faults aim at and what the report shows."""
        state = self._quorum.state
        held = {"locks": self._locks.tokens(), "seen": self._resource.seen()}
        return {"role": state.role.value, "term": state.term, "leader": state.leader, **held}
