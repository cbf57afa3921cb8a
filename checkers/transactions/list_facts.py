"""What the checker of lists found, in words: anomalies that are no cycles, and why one transaction comes before another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from checkers.transactions import models, writes
from checkers.transactions.cycles import Edge
from checkers.transactions.graph import Kind
from checkers.transactions.lists import Orders
from checkers.transactions.telling import Finding, named, shown
from checkers.transactions.txns import Txns
from checkers.transactions.visible import WHY_SEEN, Sights
from checkers.transactions.writes import NONE, Writes
from harness.history import FAIL

FLAGS = {
    models.PHANTOM: writes.PHANTOM,
    models.G1A: writes.ABORTED,
    models.G1B: writes.INTERMEDIATE,
    models.FUTURE_READ: writes.FUTURE,
    models.INTERNAL: writes.INTERNAL,
    models.LOST_UPDATE: writes.LOST,
    models.DUPLICATES: writes.DOUBLED,
    models.INCOMPATIBLE: writes.DISORDER,
    models.DIRTY_UPDATE: writes.DIRTY,
}


class Facts:
    """What was found, and the words for it."""

    def __init__(self, txns: Txns, table: Writes, orders: Orders) -> None:
        self._txns, self._table, self._orders = txns, table, orders
        self.sights: Mapping[str, Sights] = {}
        self._flags = np.asarray(table.flags, dtype=np.int32)
        self._torn = dict(self._find_torn())

    def found(self) -> dict[str, Sequence[int]]:
        """By name of anomaly the micro-operations that show it."""
        odd = np.flatnonzero(self._flags)
        flags = self._flags[odd]
        found = {name: odd[flags & bit != 0] for name, bit in FLAGS.items()}
        bad = np.asarray(self._orders.bad, dtype=np.int8)
        lost = found[models.LOST_UPDATE]  # of keys without an order a length is no version
        found[models.LOST_UPDATE] = lost[bad[self._txns.key[lost]] == 0]
        found[models.INCOMPATIBLE] = np.concatenate(
            [found[models.INCOMPATIBLE], np.array([*self._torn], dtype=np.int64)]
        )
        # What contradicts its own future is told as that alone.
        internal = found[models.INTERNAL]
        found[models.INTERNAL] = internal[self._flags[internal] & writes.FUTURE == 0]
        return {name: mops.tolist() for name, mops in found.items()}

    def _find_torn(self) -> Iterator[tuple[int, tuple[int, int]]]:
        """Reads that show an append and not the one that its transaction had made to that key before: (read, (seen, missing)).

        Both are installed as one, so no order of appends has the list that was read. Of a key its longest read tells it once.
        """
        txns = self._txns
        place, before = (np.asarray(column, dtype=np.int32) for column in (self._orders.place, self._table.before))
        author, bad = np.asarray(self._table.author, dtype=np.int32), np.asarray(self._orders.bad, dtype=np.int8)
        seen = np.flatnonzero((place > 0) & (before != NONE))
        seen = seen[(bad[txns.key[seen]] == 0) & (txns.calls.outcome[author[seen]] != FAIL)]
        earlier = before[seen]
        while (reads := (earlier != NONE) & (txns.write[earlier] == 0)).any():
            earlier[reads] = before[earlier[reads]]
        torn = (earlier != NONE) & (place[earlier] == 0)
        for mop, missing in zip(seen[torn].tolist(), earlier[torn].tolist(), strict=True):
            yield int(self._orders.longest[int(txns.key[mop])]), (mop, missing)

    def tell(self, anomaly: str, mop: int) -> Finding:
        """The words for an anomaly that a micro-operation shows."""
        words, *others = _TELL[anomaly](self, mop)
        return Finding(name=anomaly, txns=(self._txns.txn_of(mop), *others), words=words)

    def read(self, mop: int) -> str:
        return f"{{0}} read {shown(self._txns.list_of(mop))} from {self.key(mop)}"

    def key(self, mop: int) -> str:
        return f"key {named(self._txns.key_object(int(self._txns.key[mop])))}"

    def versions(self, read: int) -> Iterator[tuple[Any, int]]:
        """What a read showed: each element with its write, or NONE."""
        txns = self._txns
        mine = np.flatnonzero((txns.key == txns.key[read]) & (txns.write == 1))
        written = {int(txns.value[mop]): int(mop) for mop in mine}
        for code in txns.element[txns.first[read] : txns.first[read + 1]].tolist():
            yield txns.object(code), written.get(code, NONE)

    def author(self, version: int) -> int:
        return int(self._table.author[version])

    def phantom(self, mop: int) -> tuple[Any, ...]:
        value = next(value for value, version in self.versions(mop) if version == NONE)
        return (f"{self.read(mop)}, but nobody wrote {shown(value)} there",)

    def aborted(self, mop: int) -> tuple[Any, ...]:
        failed = self._txns.calls.outcome == FAIL
        value, version = next(
            (value, version)
            for value, version in self.versions(mop)
            if version != NONE and failed[self.author(version)]
        )
        return f"{self.read(mop)}, but {shown(value)} was written by {{1}}, which failed", self.author(version)

    def intermediate(self, mop: int) -> tuple[Any, ...]:
        value, version = list(self.versions(mop))[-1]
        wrote = f"{{1}}, which wrote {shown(value)}, wrote to that key again before it ended"
        return f"{self.read(mop)}, but {wrote}", self.author(version)

    def lost(self, mop: int) -> tuple[Any, ...]:
        other = self._txns.txn_of(int(self._table.partner[mop]))
        words = (
            f"{{0}} and {{1}} both read {shown(self._txns.list_of(mop))} from {self.key(mop)} and both wrote to it: "
            "whichever came first, the other one should have seen its write"
        )
        return words, other

    def disordered(self, mop: int) -> tuple[Any, ...]:
        if mop in self._torn:
            version, missing = self._torn[mop]
            words = f"with {{1}}'s append of {self._value(version)}, but without that of {self._value(missing)}"
            return f"{self.read(mop)} {words}, which it had made before", self.author(version)
        longest = int(self._orders.longest[int(self._txns.key[mop])])
        words = f"{self.read(mop)} and {{1}} read {shown(self._txns.list_of(longest))}: neither begins with the other"
        return words, self._txns.txn_of(longest)

    def dirty(self, mop: int) -> tuple[Any, ...]:
        key = int(self._txns.key[mop])
        start, place = int(self._orders.start[key]), int(self._orders.place[mop])
        before = [int(self._orders.version[start + at]) for at in range(place - 1)]
        failed = next(v for v in reversed(before) if v != NONE and self._txns.calls.outcome[self.author(v)] == FAIL)
        value, other = (shown(self._txns.object(int(self._txns.value[v]))) for v in (mop, failed))
        return f"{{0}} appended {value} to {self.key(mop)} behind {other} of {{1}}, which had failed", self.author(
            failed
        )

    def unseen(self, mop: int, *, anomaly: str) -> tuple[Any, ...]:
        missed = self.sights[anomaly].missed(mop)
        words = f"{self.read(mop)} without {{1}}'s append of {self._value(missed)}, {WHY_SEEN[anomaly]}"
        return words, self.author(missed)

    def explain(self, edge: Edge) -> str:
        """Why a dependency holds: looked up again, since so few are told."""
        return {Kind.WR: self._read_from, Kind.RW: self._not_seen, Kind.UNSEEN_WW: self._unseen}.get(
            edge.kind, self._followed
        )(edge)

    def _mops(self, txn: int, *, write: bool) -> list[int]:
        """A transaction's writes, or its reads that say what was there before it."""
        of = range(int(self._txns.starts[txn]), int(self._txns.starts[txn + 1]))
        mine = [mop for mop in of if bool(self._txns.write[mop]) == write]
        return mine if write else [mop for mop in mine if self._table.before[mop] == NONE]

    def _order(self, mop: int) -> list[int]:
        """The versions of its key, but for those that failed, or that nobody wrote; none if no order is known."""
        key = int(self._txns.key[mop])
        if self._orders.bad[key]:
            return []
        places = range(int(self._orders.start[key]), int(self._orders.start[key + 1]))
        order = [int(self._orders.version[at]) for at in places]
        return [v for v in order if v != NONE and self._txns.calls.outcome[self.author(v)] != FAIL]

    def _value(self, mop: int) -> str:
        return shown(self._txns.object(int(self._txns.value[mop])))

    def _followed(self, edge: Edge) -> str:
        for mop in self._mops(edge.dst, write=True):
            for one, other in pairwise(self._order(mop)):
                if other == mop and self.author(one) == edge.src:
                    return f"{{src}} appended {self._value(one)} to {self.key(mop)} before {{dst}} appended {self._value(mop)}"
        raise LookupError(edge)

    def _read_from(self, edge: Edge) -> str:
        for mop in self._mops(edge.dst, write=False):
            if self._length(mop) and not self._orders.bad[int(self._txns.key[mop])]:
                version = self._order_at(mop, self._length(mop) - 1)
                if version != NONE and self.author(version) == edge.src:
                    return f"{{dst}} read {{src}}'s append of {self._value(version)} to {self.key(mop)}"
        raise LookupError(edge)

    def _not_seen(self, edge: Edge) -> str:
        for mop in self._mops(edge.src, write=False):
            later = [version for version in self._order(mop) if self._orders.place[version] > self._length(mop)]
            mine = later[:1] or [
                version
                for version in self._mops(edge.dst, write=True)
                if self._txns.key[version] == self._txns.key[mop] and self._orders.place[version] == 0
            ]
            if mine and not self._orders.bad[int(self._txns.key[mop])] and self.author(mine[0]) == edge.dst:
                what = f"as {shown(self._txns.list_of(mop))}" if self._length(mop) else "as empty"
                return f"{{src}} read {self.key(mop)} {what} and did not see {{dst}}'s append of {self._value(mine[0])}"
        raise LookupError(edge)

    def _unseen(self, edge: Edge) -> str:
        for mop in self._mops(edge.dst, write=True):
            order = self._order(mop)
            if order and self._orders.place[mop] == 0 and self.author(order[-1]) == edge.src:
                return (
                    f"{{src}} appended {self._value(order[-1])} to {self.key(mop)} before {{dst}} appended {self._value(mop)}, "
                    "which no read shows"
                )
        raise LookupError(edge)

    def _length(self, read: int) -> int:
        return int(self._txns.first[read + 1]) - int(self._txns.first[read])

    def _order_at(self, read: int, place: int) -> int:
        return int(self._orders.version[int(self._orders.start[int(self._txns.key[read])]) + place])


_TELL: dict[str, Callable[[Facts, int], tuple[Any, ...]]] = {
    models.PHANTOM: Facts.phantom,
    models.G1A: Facts.aborted,
    models.G1B: Facts.intermediate,
    models.FUTURE_READ: lambda facts, mop: (f"{facts.read(mop)} before it appended some of that itself",),
    models.INTERNAL: lambda facts, mop: (
        f"{facts.read(mop)}, which contradicts what it had itself read or appended there before",
    ),
    models.LOST_UPDATE: Facts.lost,
    models.DUPLICATES: lambda facts, mop: (f"{facts.read(mop)}, in which an element stands more than once",),
    models.INCOMPATIBLE: Facts.disordered,
    models.DIRTY_UPDATE: Facts.dirty,
    **{name: partial(Facts.unseen, anomaly=name) for name in WHY_SEEN},
}
