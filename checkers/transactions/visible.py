"""What transactions should have seen: fractured and non-monotonic views, and the causal past. See ``visibility`` for the rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from checkers.kernels.engine import Engine
from checkers.transactions.cycles import Edge, circles
from checkers.transactions.graph import Graph, Kind, peel, rows_by
from checkers.transactions.models import FRACTURED, NON_CAUSAL, NON_MONOTONIC
from checkers.transactions.txns import Mops, Spans, Txns
from checkers.transactions.visibility import (
    WIDTH,
    Groups,
    Past,
    Seen,
    Shown,
    group_versions,
    see_all,
    see_past,
    tell_time,
)
from checkers.transactions.writes import Writes

Codes = npt.NDArray[np.int32]
WHY_SEEN = {
    NON_MONOTONIC: "although it had read another write of {1} before",
    FRACTURED: "although it read another write of {1}",
    NON_CAUSAL: "although {1} was in its causal past",
}
STRONGEST_FIRST = (NON_CAUSAL, FRACTURED, NON_MONOTONIC)
# Clocks that are told in all, transactions times sessions: beyond that the causal past is not judged. Half a second for every 100 million
# or so; so where only some more cycles may come of it, fewer are worth it.
CLOCKS_MAX = 4_000_000_000
CLOCKS_CHEAP = 5_000_000
_COLUMNS = ("read", "visible", "saw", "by", "direct")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sights:
    """Reads that saw one version while another one was visible; ``direct``: wrong whatever the order of versions."""

    read: Codes
    visible: Codes
    saw: Codes
    by: Codes
    direct: npt.NDArray[np.bool_]

    def monotonic(self) -> Sights:
        """Those in which the read came after that which made the other transaction visible."""
        later = self.by < self.read
        return Sights(**{name: getattr(self, name)[later] for name in _COLUMNS})

    def pairs(self) -> npt.NDArray[np.int32]:
        """The orders of versions that follow: rows of the earlier and of the later one, grouped by the earlier."""
        both = np.stack([self.visible[~self.direct], self.saw[~self.direct]])
        return both[:, np.lexsort(both[::-1])]

    def wrong(self) -> list[int]:
        """The reads that are wrong by themselves, each once."""
        return [int(read) for read in np.unique(self.read[self.direct])]

    def evidence(self, visible: int, saw: int) -> int:
        """A read from which it follows that one version is earlier than another; -1 if there is none."""
        mine = np.flatnonzero((self.visible == visible) & (self.saw == saw))
        return int(self.read[mine[0]]) if len(mine) else -1

    def missed(self, read: int) -> int:
        """A version that a read should have seen."""
        return int(self.visible[np.argmax((self.read == read) & self.direct)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """What each of the three models makes of the reads, and the circles that orders of versions make, by anomaly."""

    sights: dict[str, Sights]
    wrong: dict[str, list[int]]
    circles: dict[str, list[tuple[Edge, ...]]]


class Viewer:
    """Judges what the reads of one history saw."""

    def __init__(self, txns: Txns, run: Engine, spans: Spans, mops: Mops, table: Writes, shown: Shown) -> None:  # noqa: PLR0917
        self._txns, self._run, self._spans, self._mops, self._table, self._shown = txns, run, spans, mops, table, shown

    def direct(self) -> Sights:
        """By what each transaction read directly."""
        arguments = (self._spans, self._mops, self._table, self._shown)
        return self._collected(see_all, (*arguments, self._zeros(len(self._txns.keys))))

    def past(self, before: Graph, versions: Codes, clocks_max: int = CLOCKS_MAX) -> Sights | None:
        """By the causal past, whose direct order is ``before``.

        Nothing if that goes round in a circle (a G1c); None if there are too many sessions."""
        sessions = int(self._txns.session.max(initial=-1)) + 1
        starts, targets = rows_by(self._run, before.size, before.src, before.dst)
        order = self._zeros(before.size)
        gone = self._run.kernel(peel)(starts, targets, self._zeros(before.size), order)
        if gone < before.size:
            return _joined([])
        if before.size * sessions > clocks_max:
            return None
        groups = self._groups(versions)
        width = -(-sessions // max(1, -(-sessions // WIDTH)))  # as few times as can be, and each as narrow as can be
        past = Past(starts, targets, order, self._zeros(before.size * width))
        found = []
        for first in range(0, sessions, max(1, width)):
            self._run.kernel(tell_time)(self._spans, past, first, width)
            arguments = (self._spans, self._mops, self._table, self._shown, groups, past)
            found.append(self._collected(see_past, arguments, first, width))
        return _joined(found)

    def _groups(self, versions: Codes) -> Groups:
        author = np.asarray(self._table.author, dtype=np.int32)
        session = self._txns.session[author[versions]].astype(np.int64)
        sorted_ = versions[np.argsort(self._txns.key[versions] * (session.max(initial=0) + 1) + session, kind="stable")]
        size = len(versions)
        groups = Groups(
            self._zeros(len(self._txns.keys) + 1), *(self._zeros(many) for many in (size, size + 1, size, size))
        )
        self._run.kernel(group_versions)(self._spans, self._mops, self._table, self._run.view(sorted_), groups)
        return groups

    def _collected(self, kernel: Any, given: tuple[Any, ...], *options: int) -> Sights:
        """What a kernel notes: again, where the first guess at how much that is was too small."""
        run, size = self._run, len(self._txns) // 8 + 16
        while True:
            read, visible, saw, by = (self._zeros(size) for _ in range(4))
            seen = Seen(read, visible, saw, by, run.view(np.zeros(size, np.int8)), run.full(1, 0))
            count = run.kernel(kernel)(*given, seen, *options)
            if count <= size:
                break
            size = count
        columns = {
            name: np.asarray(getattr(seen, name), dtype=np.int32)[:count] for name in ("read", "visible", "saw", "by")
        }
        return Sights(direct=np.asarray(seen.direct, dtype=np.int8)[:count] == 1, **columns)

    def _zeros(self, size: int) -> Any:
        return self._run.view(np.zeros(size, np.int32))


def _joined(found: Sequence[Sights]) -> Sights:
    none: Any = np.zeros(0, np.int32)
    empty = {name: none == 1 if name == "direct" else none for name in _COLUMNS}
    return Sights(**{name: np.concatenate([empty[name], *(getattr(one, name) for one in found)]) for name in _COLUMNS})


def views(table: Writes, sights: dict[str, Sights], before: Graph, steps: int) -> Views:
    """What is wrong with what was seen. ``before``: who read from whom, and the order of processes."""
    found: dict[str, list[tuple[Edge, ...]]] = {name: [] for name in sights}
    for name in STRONGEST_FIRST:
        if name in sights and not sights[name].direct.all():
            core = _follows(table, sights[name], before, processes=name == NON_CAUSAL).core()
            if not core.size:
                break  # each of the orders that follow under a weaker model is one of these, or follows from them
            found[name] = list(_ordered(circles(core, steps)))
    return Views(sights=sights, wrong={name: mine.wrong() for name, mine in sights.items()}, circles=found)


def _follows(table: Writes, sights: Sights, before: Graph, *, processes: bool) -> Graph:
    """Who read from whom, and whose versions come before whose by what was seen."""
    author = np.asarray(table.author, dtype=np.int32)
    known = before.of_kinds((Kind.WR, Kind.PROCESS, Kind.VIA) if processes else (Kind.WR, Kind.VIA))
    open_ = ~sights.direct
    return Graph(
        size=before.size,
        txns=before.txns,
        src=np.concatenate([known.src, author[sights.visible[open_]]]),
        dst=np.concatenate([known.dst, author[sights.saw[open_]]]),
        kind=np.concatenate([known.kind, np.full(int(open_.sum()), Kind.ATOMIC_WW, np.int8)]),
    )


def _ordered(found: Iterator[tuple[Edge, ...]]) -> Iterator[tuple[Edge, ...]]:
    """Circles that need an order of versions; others are G1c."""
    return (edges for edges in found if any(edge.kind is Kind.ATOMIC_WW for edge in edges))
