"""From the log to the machine: what is committed is applied, in order, at once (Figure 2, "if commitIndex > lastApplied ...").

Since nothing waits between commit and apply, ``applied`` equals ``commit`` whenever a message or a timer is dealt with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from targets.kv.raft.machine import StateMachine
from targets.kv.raft.snapshot import Snapshots
from targets.kv.raft.state import MEMBERS, State
from targets.node.env import Body


class Applier:
    """Moves ``state.commit`` and ``state.applied``."""

    def __init__(self, state: State, machine: StateMachine, snapshots: Snapshots) -> None:
        self._state, self._machine, self._snapshots = state, machine, snapshots
        self.when_applied: Callable[[int, Body], None] = _nothing  # index of the entry, result of its command
        self.when_committed: Callable[[], None] = _nothing

    def commit_to(self, index: int) -> None:
        """Entries up to ``index`` are committed."""
        state = self._state
        if index <= state.commit:
            return
        state.commit = index
        while state.applied < min(state.commit, state.log.last_index):
            state.applied += 1
            self._apply(state.applied, state.log.command_at(state.applied))
        if state.applied - self._snapshots.index >= state.config.snapshot_entries:
            self._snapshots.take()
        self.when_committed()

    def _apply(self, index: int, command: Any) -> None:
        if command is None:
            return  # the no-op at the start of a term
        if command[0] == MEMBERS:
            _, nodes, kind = command
            self.when_applied(index, {"type": f"{kind}_ok", "members": nodes})
        else:
            self.when_applied(index, self._machine.apply(command))


def _nothing(*_: object) -> None:
    """What is called until the node has put its parts together."""
