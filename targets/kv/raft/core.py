"""Consensus alone: one server of Raft over any state machine. What a store, a queue's metadata or a lock service makes of it is theirs.

``when_applied`` of ``applier`` hears of every entry that was applied here, with its result; ``replication.propose`` appends one where this
server leads. The messages request_vote, vote, append_entries, append_reply and install_snapshot, and the files "vote", "log" and
"snapshot", are its own.
"""

from __future__ import annotations

from collections.abc import Callable

from targets.kv.raft.applier import Applier
from targets.kv.raft.bugs import Bugs
from targets.kv.raft.config import Config
from targets.kv.raft.election import Election
from targets.kv.raft.followers import Followers
from targets.kv.raft.machine import StateMachine
from targets.kv.raft.replication import Replication
from targets.kv.raft.roles import Roles
from targets.kv.raft.snapshot import Snapshots
from targets.kv.raft.state import State
from targets.node.env import Env, Message


class Core:
    """One server. What its storage holds when it is made is what it knows."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, machine: StateMachine) -> None:
        self.state = state = State(env, config, bugs)
        self.snapshots = snapshots = Snapshots(state, machine)
        self.roles = roles = Roles(state)
        self.applier = applier = Applier(state, machine, snapshots)
        self.election = election = Election(state, roles)
        self.followers = followers = Followers(state, roles, applier, snapshots)
        self.replication = replication = Replication(state, roles, applier, snapshots)
        self.when_asked_for_vote: Callable[[Message], None] = _nothing

        roles.when_elected.append(replication.start)
        roles.when_deposed.append(replication.stop)
        env.on("request_vote", self._on_request_vote)
        env.on("vote", election.on_vote)
        env.on("append_entries", followers.on_append_entries)
        env.on("append_reply", replication.on_append_reply)
        env.on("install_snapshot", followers.on_install_snapshot)

    def _on_request_vote(self, message: Message) -> None:
        self.when_asked_for_vote(message)
        self.election.on_request_vote(message)


def _nothing(_message: Message) -> None:
    """What is called where nobody wants to know."""
