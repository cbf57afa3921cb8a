"""What a server knows (Figure 2, State), and nothing that it does.

Persistent, on the disk before anything is answered: ``term``, ``voted_for`` (one file, replaced whole) and ``log``. Volatile: ``commit``,
``applied``, ``role``, ``leader``. The leader's view of its followers is in ``replication``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from targets.kv.raft.bugs import Bugs
from targets.kv.raft.config import LEASE, Config
from targets.kv.raft.local_clock import LocalClock
from targets.kv.raft.log import COMMAND, Entry, Log
from targets.kv.raft.members import Members
from targets.node.env import Env, Storage
from targets.node.records import frame, unframe, whole

FILE = "vote"
MEMBERS = (
    "members"  # the command ["members", [node, ...], why] changes the members; all other commands are the machine's
)


class Role(StrEnum):
    """Figure 4, with the pre-candidate of thesis 9.6."""

    FOLLOWER = "follower"
    PRE_CANDIDATE = "pre-candidate"
    CANDIDATE = "candidate"
    LEADER = "leader"


class State:
    """One server's state, as its disk remembers it. Raises Damaged if that is not what was written there."""

    def __init__(self, env: Env, config: Config, bugs: Bugs) -> None:
        self.env, self.config, self.bugs = env, config, bugs
        self.me = env.node_id
        self.log = Log(env.storage, bugs, env.log)
        named = tuple(name for name in config.members.split(",") if name)
        self.members = Members(named or env.node_ids, wrong_quorum_even=bugs.wrong_quorum_even)
        self.term, self.voted_for = self._load()
        self.commit = self.applied = 0
        self.role = Role.FOLLOWER
        self.leader: str | None = None
        # The time by which leaders are missed: where a lease rests on it, by a clock that may drift.
        self.local: LocalClock | None = None
        self.now: Callable[[], float] = env.monotonic
        self.heard_s = float("-inf")  # when the current leader was last heard, by ``now``
        if config.reads == LEASE:
            self.local = LocalClock(env.wall_time, env.monotonic, counts_steps=bugs.lease_counts_steps)
            self.now = self.local.now
            self.heard_s = self.now()  # perhaps a leader was heard just before the restart, and has a lease

    @property
    def leads(self) -> bool:
        return self.role is Role.LEADER

    def enter(self, term: int, voted_for: str | None) -> None:
        """Be in ``term``, having voted for ``voted_for``; durable when this returns (Figure 2, "updated on stable storage before ...")."""
        self.term, self.voted_for = term, voted_for
        if not self.bugs.volatile_vote:
            self.env.storage.replace(FILE, frame(json.dumps({"term": term, "voted_for": voted_for}).encode()))

    def store(self, prev: int, entries: Sequence[Entry]) -> None:
        """Put ``entries`` into the log behind ``prev`` (not yet synced). Members count from the moment they are in the log (thesis 4.1)."""
        last = self.log.last_index
        first = self.log.splice(prev, entries)
        if first <= last and first <= prev + len(entries):
            self.members.truncate(first)
        for index in range(first, prev + len(entries) + 1):
            command = entries[index - prev - 1][COMMAND]
            if command is not None and command[0] == MEMBERS:
                self.adopt(index, command[1])

    def adopt(self, index: int, nodes: Sequence[str]) -> None:
        """The entry at ``index`` makes ``nodes`` the members."""
        self.members.change(index, nodes)
        self.env.log("members", index=index, members=list(nodes))

    def silent_s(self) -> float:
        """How long no leader has been heard."""
        return self.now() - self.heard_s

    def _load(self) -> tuple[int, str | None]:
        saved = read_whole(self.env.storage, FILE, self.bugs)
        return (saved["term"], saved["voted_for"]) if saved else (0, None)


def read_whole(storage: Storage, name: str, bugs: Bugs) -> Any:
    """The JSON document that a file is; None if there is no such file. Raises Damaged."""
    data = storage.read(name)
    if not bugs.no_checksum:
        payload = whole(data)
        return json.loads(payload) if payload else None
    payloads, _ = unframe(data, checked=False)
    try:
        return json.loads(payloads[0]) if payloads else None
    except ValueError:
        return None  # what cannot be read is taken for nothing
