"""The node program ``kv/raft``: the parts, put together."""

from __future__ import annotations

from typing import Any

from targets.kv.raft.applier import Applier
from targets.kv.raft.bugs import Bugs
from targets.kv.raft.config import Config
from targets.kv.raft.election import Election
from targets.kv.raft.followers import Followers
from targets.kv.raft.machine import Machine
from targets.kv.raft.reconfig import Reconfig
from targets.kv.raft.replication import Replication
from targets.kv.raft.requests import FIELDS, Requests
from targets.kv.raft.roles import Roles
from targets.kv.raft.snapshot import Snapshots
from targets.kv.raft.state import State
from targets.node.env import Env, Message


class Raft:
    """One server. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env) -> None:
        bugs, config = Bugs.named(env.options.get("bug")), Config.of(env.options)
        self.state = state = State(env, config, bugs)
        self.machine = machine = Machine(config.sessions_max, bugs)
        self.snapshots = snapshots = Snapshots(state, machine)
        self.roles = roles = Roles(state)
        self.applier = applier = Applier(state, machine, snapshots)
        self.election = election = Election(state, roles)
        self.followers = followers = Followers(state, roles, applier, snapshots)
        self.replication = replication = Replication(state, roles, applier, snapshots)
        self.reconfig = Reconfig(state, replication)
        self.requests = requests = Requests(state, machine, replication, self.reconfig)

        roles.when_elected.append(replication.start)
        roles.when_deposed.extend((replication.stop, requests.deposed))
        roles.when_leader_gone.append(requests.leader_gone)
        replication.when_round_confirmed = requests.reads.confirmed
        replication.when_ticked = self.reconfig.autopilot
        applier.when_applied = requests.applied
        applier.when_committed = requests.reads.proceed

        env.on("request_vote", self._on_request_vote)
        env.on("vote", election.on_vote)
        env.on("append_entries", followers.on_append_entries)
        env.on("append_reply", replication.on_append_reply)
        env.on("install_snapshot", followers.on_install_snapshot)
        env.on("forward", requests.on_forward)
        env.on("forwarded", requests.on_forwarded)
        for kind in FIELDS:
            env.on(kind, requests.on_request)

    def start(self) -> None:
        """``init`` has been answered: time begins."""
        self.election.start()

    def status(self) -> dict[str, Any]:
        """What faults aim at and what the report shows."""
        state = self.state
        return {
            "role": state.role.value,
            "term": state.term,
            "leader": state.leader,
            "commit": state.commit,
            "applied": state.applied,
            "last": state.log.last_index,
            "members": list(state.members.nodes),
            "snapshot": self.snapshots.index,
        }

    def _on_request_vote(self, message: Message) -> None:
        self.reconfig.heard(message)
        self.election.on_request_vote(message)
