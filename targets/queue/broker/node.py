"""The node program ``queue/broker``: queues, and one of two ways to replicate them."""

from __future__ import annotations

from typing import Any

from targets.kv.raft.bugs import Bugs as RaftBugs
from targets.node.env import Env
from targets.queue.broker.bugs import Bugs
from targets.queue.broker.config import QUORUM, Config
from targets.queue.broker.machine import Queues
from targets.queue.broker.mirrors import Mirrors
from targets.queue.broker.serving import Serving
from targets.queue.quorum import Quorum


class Broker:
    """One broker. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env) -> None:
        self._env = env
        config, bugs = Config.of(env.options), Bugs.named(env.options.get("bug"))
        self._queues = queues = Queues(config, bugs)
        self._quorum: Quorum | None = None
        self._mirrors: Mirrors | None = None
        if config.kind == QUORUM:
            raft = RaftBugs(no_fsync=bugs.confirm_before_durable, ack_before_quorum=bugs.confirm_before_quorum)
            self._quorum = quorum = Quorum(env, queues, env.options, raft)
            if bugs.redelivery_lost_on_failover:
                quorum.core.roles.when_elected.append(lambda: quorum.propose(["forget"]))
            self._serving = Serving(env, config, bugs, queues, quorum)
        else:
            self._mirrors = Mirrors(env, config, bugs, queues)
            self._serving = Serving(env, config, bugs, queues, self._mirrors)

    def start(self) -> None:
        """``init`` has been answered: time begins."""
        if self._quorum is not None:
            self._quorum.start()
        if self._mirrors is not None:
            self._env.spawn(self._mirrors.live())
        self._env.spawn(self._serving.redeliver())

    def status(self) -> dict[str, Any]:
        """What faults aim at and what the report shows."""
        sizes = {"queues": self._queues.sizes()}
        if self._quorum is not None:
            state = self._quorum.state
            return {"role": state.role.value, "term": state.term, "leader": state.leader, **sizes}
        assert self._mirrors is not None
        mirrors = self._mirrors
        role = "paused" if mirrors.paused else "master" if mirrors.leads else "mirror"
        return {"role": role, "term": mirrors.reign[0], "leader": mirrors.master, "number": mirrors.number, **sizes}
