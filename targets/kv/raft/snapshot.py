"""Snapshots (paper section 7): the machine's state up to an index, in place of the log up to there.

The snapshot is durable before the log gives up what it holds, so a crash between the two leaves a log that is longer than it needs to be.
Snapshots are sent whole, in one message: the offsets of Figure 13 serve state that is too large for that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from targets.kv.raft.machine import StateMachine
from targets.kv.raft.state import MEMBERS, State, read_whole
from targets.node.env import Body
from targets.node.records import frame

FILE = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state after the entry at ``index``, which has ``term``; ``members`` by then (Figure 13, with thesis 4.1)."""

    index: int
    term: int
    members: list[str]
    machine: dict[str, Any]

    def fields(self) -> dict[str, Any]:
        """The snapshot as JSON. Shared, not copied: nobody changes it."""
        return {"index": self.index, "term": self.term, "members": self.members, "machine": self.machine}


class Snapshots:
    """The latest snapshot, on the disk and in memory."""

    def __init__(self, state: State, machine: StateMachine) -> None:
        self._state, self._machine = state, machine
        self._latest: Snapshot | None = None
        self._recover()

    @property
    def index(self) -> int:
        """Where the latest snapshot ends; 0 if there is none."""
        return self._latest.index if self._latest is not None else 0

    def take(self) -> None:
        """Save what has been applied, and shorten the log."""
        state = self._state
        term = state.log.term_at(state.applied)
        if term is None:
            return  # only a seeded bug lets a log end before what was applied
        members = list(state.members.at(state.applied))
        dump = self._machine.dump()
        self._save(Snapshot(index=state.applied, term=term, members=members, machine=dump))
        if state.bugs.snapshot_drops_sessions:
            self._machine.load(dump)  # as if the table were derived from the log, and shortened with it
        kept_from = state.applied - state.config.snapshot_tail
        state.log.compact(kept_from)
        state.members.compact(kept_from)
        state.env.log("snapshot", index=state.applied, term=term)

    def message(self, term: int) -> Body:
        """InstallSnapshot (Figure 13) from the leader of ``term``."""
        assert self._latest is not None, "only a log that a snapshot has shortened lacks entries"
        return {"type": "install_snapshot", "term": term, "snapshot": self._latest.fields()}

    def install(self, fields: dict[str, Any]) -> None:
        """Take over the leader's snapshot if it is ahead of what was applied here.

        Figure 13: "If existing log entry has same index and term as snapshot's last included entry, retain log entries following it and
        reply. Discard the entire log. Reset state machine using snapshot contents (and load snapshot's cluster configuration)."
        """
        state, snapshot = self._state, Snapshot(**fields)
        if snapshot.index <= state.applied:
            return
        self._save(snapshot)
        self._adopt(snapshot)
        state.env.log("install-snapshot", index=snapshot.index, term=snapshot.term)

    def _save(self, snapshot: Snapshot) -> None:
        data = json.dumps(snapshot.fields(), separators=(",", ":")).encode()
        self._state.env.storage.replace(FILE, frame(data))
        self._latest = snapshot

    def _recover(self) -> None:
        saved = read_whole(self._state.env.storage, FILE, self._state.bugs)
        if saved:
            self._latest = Snapshot(**saved)
            self._adopt(self._latest)
        else:
            self._count_members(0)

    def _adopt(self, snapshot: Snapshot) -> None:
        """Make machine, log and members those of the snapshot and of the entries behind it."""
        state, log = self._state, self._state.log
        self._machine.load(snapshot.machine)
        if log.base_index < snapshot.index and log.term_at(snapshot.index) != snapshot.term:
            log.restart_at(snapshot.index, snapshot.term)
        state.commit = max(state.commit, snapshot.index)
        state.applied = snapshot.index
        state.members.reset(snapshot.index, snapshot.members)
        self._count_members(snapshot.index)

    def _count_members(self, index: int) -> None:
        """The changes of members that stand in the log behind ``index`` count (thesis 4.1)."""
        state = self._state
        for later in range(max(index, state.log.base_index) + 1, state.log.last_index + 1):
            command = state.log.command_at(later)
            if command is not None and command[0] == MEMBERS:
                state.adopt(later, command[1])
