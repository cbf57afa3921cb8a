"""Who belongs to the cluster, and how many of them are a majority.

The members are part of the log (thesis 4.1): an entry that changes them counts from the moment it is appended, committed or not, and
stops counting when it is truncated. Hence a history of changes, not one set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Value = TypeVar("Value", int, float)


class Members:
    """The members after each change that stands in the log, oldest first; ``nodes`` and ``index`` are the latest one's."""

    def __init__(self, nodes: Sequence[str], *, wrong_quorum_even: bool = False) -> None:
        self._wrong_quorum_even = wrong_quorum_even
        self._changes: list[tuple[int, tuple[str, ...]]] = []
        self.reset(0, nodes)

    def change(self, index: int, nodes: Sequence[str]) -> None:
        """The entry at ``index`` makes ``nodes`` the members."""
        self._changes.append((index, tuple(nodes)))
        self._take_latest()

    def truncate(self, index: int) -> None:
        """The log was cut: entries from ``index`` on are gone."""
        while len(self._changes) > 1 and self._changes[-1][0] >= index:
            self._changes.pop()
        self._take_latest()

    def reset(self, index: int, nodes: Sequence[str]) -> None:
        """A snapshot that ends at ``index`` says that ``nodes`` were the members there; all before is forgotten."""
        self._changes = [(index, tuple(nodes))]
        self._take_latest()

    def at(self, index: int) -> tuple[str, ...]:
        """The members by the entries up to ``index``."""
        return next(nodes for since, nodes in reversed(self._changes) if since <= index)

    def compact(self, index: int) -> None:
        """Forget what is older than the members at ``index``."""
        while len(self._changes) > 1 and self._changes[1][0] <= index:
            self._changes.pop(0)

    def agreed(self, values: Sequence[Value]) -> Value:
        """The largest value that a majority has reached, given one value per member."""
        return sorted(values, reverse=True)[self.quorum - 1]

    def _take_latest(self) -> None:
        self.index, self.nodes = self._changes[-1]
        # Any two majorities share a server: of four servers, three are one.
        self.quorum = len(self.nodes) // 2 + 1
        if self._wrong_quorum_even:
            self.quorum = (len(self.nodes) + 1) // 2
