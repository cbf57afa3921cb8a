"""The node program ``kv/raft``: the parts, put together."""

from __future__ import annotations

from typing import Any

from targets.kv.raft.bugs import Bugs
from targets.kv.raft.config import Config
from targets.kv.raft.core import Core
from targets.kv.raft.machine import Machine
from targets.kv.raft.reconfig import Reconfig
from targets.kv.raft.requests import FIELDS, Requests
from targets.node.env import Env


class Raft:
    """One server. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env) -> None:
        bugs, config = Bugs.named(env.options.get("bug")), Config.of(env.options)
        self.machine = machine = Machine(config.sessions_max, bugs)
        self.core = core = Core(env, config, bugs, machine)
        self.state = core.state
        self.reconfig = Reconfig(core.state, core.replication)
        self.requests = requests = Requests(core.state, machine, core.replication, self.reconfig)

        core.roles.when_deposed.append(requests.deposed)
        core.roles.when_leader_gone.append(requests.leader_gone)
        core.replication.when_round_confirmed = requests.reads.confirmed
        core.replication.when_ticked = self.reconfig.autopilot
        core.applier.when_applied = requests.applied
        core.applier.when_committed = requests.reads.proceed
        core.when_asked_for_vote = self.reconfig.heard

        env.on("forward", requests.on_forward)
        env.on("forwarded", requests.on_forwarded)
        for kind in FIELDS:
            env.on(kind, requests.on_request)

    def start(self) -> None:
        """``init`` has been answered: time begins."""
        self.core.election.start()

    def status(self) -> dict[str, Any]:
        """What faults aim at and what the report shows."""
        state = self.state
        return {
            "role": state.role.value,
            "term": state.term,
            "timeout_s": self.core.election.timeout_s,
            "leader": state.leader,
            "commit": state.commit,
            "applied": state.applied,
            "last": state.log.last_index,
            "members": list(state.members.nodes),
            "snapshot": self.core.snapshots.index,
        }
