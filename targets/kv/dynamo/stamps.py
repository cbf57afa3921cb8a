"""Cells with a time stamp, of which the greater wins; and the two clocks that make stamps.

A stamp is [microseconds, count, writer]. The writer is one life of one node, so no two writes have the same stamp. A write whose stamp is
smaller than that of the copy it meets is dropped, though its client was told that it succeeded: that is what "last write wins" means.

``WallStamps`` reads the node's clock, however wrong. ``HybridStamps`` (Kulkarni, Demirbas, Madappa, Avva, Leone, "Logical Physical Clocks",
2014) does the same, but never gives out less than it has seen in a cell or in a client's context: so a write that knows of another one
gets the greater stamp, whatever the clocks say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from targets.kv.dynamo.bugs import Bugs
from targets.kv.dynamo.cells import Cell, Context

Stamp = list[Any]  # [microseconds, count, writer]
COARSE_S = 10  # with the bug


class Clock(Protocol):
    """What makes stamps."""

    def next(self) -> Stamp: ...

    def seen(self, stamp: Stamp) -> None: ...


class WallStamps:
    """The wall clock; the count only tells stamps of one microsecond apart."""

    def __init__(self, wall_s: Callable[[], float], writer: str, *, coarse: bool = False) -> None:
        self._wall_s, self._writer, self._coarse = wall_s, writer, coarse
        self._count = 0

    def next(self) -> Stamp:
        if self._coarse:
            return [int(self._wall_s() // COARSE_S * COARSE_S * 1e6), 0, ""]
        self._count += 1
        return [int(self._wall_s() * 1e6), self._count, self._writer]

    def seen(self, stamp: Stamp) -> None:
        """A wall clock learns nothing."""


class HybridStamps:
    """The wall clock, unless something later was seen: then that, and counted on."""

    def __init__(self, wall_s: Callable[[], float], writer: str, *, deaf: bool = False) -> None:
        self._wall_s, self._writer, self._deaf = wall_s, writer, deaf
        self._last = (0, 0)

    def next(self) -> Stamp:
        micros, count = self._last
        now = int(self._wall_s() * 1e6)
        self._last = (now, 0) if now > micros else (micros, count + 1)
        return [*self._last, self._writer]

    def seen(self, stamp: Stamp) -> None:
        if not self._deaf:
            self._last = max(self._last, (stamp[0], stamp[1]))


class Stamped:
    """Satisfies ``cells.Kind``. A cell is {"ts": stamp, "value": value, "dead": whether it is a tombstone}."""

    def __init__(self, clock: Clock, bugs: Bugs) -> None:
        self._clock, self._bugs = clock, bugs

    def write(self, cell: Cell | None, context: Context, value: Any, *, dead: bool) -> Cell:
        self.seen(cell, context)
        return {"ts": self._clock.next(), "value": value, "dead": dead}

    def merge(self, one: Cell, other: Cell) -> Cell:
        return other if other["ts"] > one["ts"] else one

    def restamped(self, cell: Cell) -> Cell:
        """The same by this node's clock."""
        return {**cell, "ts": self._clock.next()}

    def values(self, cell: Cell) -> list[Any]:
        return [] if cell["dead"] else [cell["value"]]

    def context(self, cell: Cell) -> Context:
        return cell["ts"]

    def covers(self, cell: Cell | None, context: Context) -> bool:
        return context is None or (cell is not None and bool(cell["ts"] >= context))

    def seen(self, cell: Cell | None, context: Context) -> None:
        for stamp in (cell["ts"] if cell else None, context):
            if stamp is not None:
                self._clock.seen(stamp)

    def must_stay(self, cell: Cell) -> bool:
        return False
