"""What the checker of registers found, in words: anomalies that are no cycles, and why one transaction comes before another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from checkers.transactions import models, writes
from checkers.transactions.cycles import Edge
from checkers.transactions.graph import RW_KINDS, Kind
from checkers.transactions.register_orders import ATOMIC, CAUSAL, FOLLOW, LATE, SESSION, SURE
from checkers.transactions.registers import INITIAL, Reads
from checkers.transactions.telling import Finding, label, named, shown
from checkers.transactions.txns import Txns
from checkers.transactions.visible import WHY_SEEN, Sights
from checkers.transactions.writes import Writes

FLAGS = {
    models.PHANTOM: writes.PHANTOM,
    models.G1A: writes.ABORTED,
    models.G1B: writes.INTERMEDIATE,
    models.FUTURE_READ: writes.FUTURE,
    models.INTERNAL: writes.INTERNAL,
    models.LOST_UPDATE: writes.LOST,
}
# Why one version is later than another, by the kind of the pair.
BECAUSE = {
    FOLLOW: ", which had read {before} first",
    SESSION: ", and a process had to do with {before} before it had to do with {after}",
    LATE: ", and one who had to do with {before} had ended before another began that had to do with {after}",
    SURE: ", by the order of versions that is known",
    ATOMIC: ", since {reader} read {after}, although it had seen another write of who wrote {before}",
    CAUSAL: ", since {reader} read {after}, although who wrote {before} was in its causal past",
}
PAIR_KINDS = {
    Kind.RW: (FOLLOW, SURE, ATOMIC),
    Kind.WW: (SURE,),
    Kind.FOLLOW_WW: (FOLLOW,),
    Kind.LATE_RW: (LATE,),
    Kind.LATE_WW: (LATE,),
    Kind.SESSION_RW: (SESSION, CAUSAL),
    Kind.SESSION_WW: (SESSION, CAUSAL),
    Kind.ATOMIC_WW: (ATOMIC, CAUSAL),
}


class Facts:
    """What was found, and the words for it. ``pairs`` of versions in order: first, second, kind."""

    def __init__(
        self,
        txns: Txns,
        table: Writes,
        reads: Reads,
        *,
        pairs: npt.NDArray[np.int32],
        cyclic: Sequence[int],
        sights: Mapping[str, Sights],
    ) -> None:
        self._txns, self._table, self._reads = txns, table, reads
        self._pairs, self._cyclic, self._sights = pairs, cyclic, sights

    def found(self) -> dict[str, Sequence[int]]:
        """By name of anomaly the micro-operations that show it."""
        flags = np.asarray(self._table.flags, dtype=np.int32)
        odd = np.flatnonzero(flags)
        found: dict[str, Sequence[int]] = {name: odd[flags[odd] & bit != 0].tolist() for name, bit in FLAGS.items()}
        return found | {models.CYCLIC_VERSIONS: self._cyclic}

    def tell(self, anomaly: str, mop: int) -> Finding:
        """The words for an anomaly that a micro-operation shows."""
        words, *others = _TELL[anomaly](self, mop)
        return Finding(name=anomaly, txns=(self._txns.txn_of(mop), *others), words=words)

    def read(self, mop: int) -> str:
        return f"{{0}} read {self.value(mop)} from {self.key(mop)}"

    def value(self, mop: int) -> str:
        return shown(self._txns.object(int(self._txns.value[mop])))

    def key(self, mop: int) -> str:
        return f"key {named(self._txns.key_object(int(self._txns.key[mop])))}"

    def author(self, version: int) -> int:
        return int(self._table.author[version])

    def writer(self, read: int) -> int:
        """The write whose value a read showed."""
        txns = self._txns
        same = (txns.write == 1) & (txns.key == txns.key[read]) & (txns.value == txns.value[read])
        return int(np.argmax(same))

    def aborted(self, mop: int) -> tuple[Any, ...]:
        return f"{self.read(mop)}, which was written by {{1}}, which failed", self.author(self.writer(mop))

    def intermediate(self, mop: int) -> tuple[Any, ...]:
        wrote = "but {1}, which wrote that, wrote to that key again before it ended"
        return f"{self.read(mop)}, {wrote}", self.author(self.writer(mop))

    def lost(self, mop: int) -> tuple[Any, ...]:
        words = (
            f"{{0}} and {{1}} both read {self.value(mop)} from {self.key(mop)} and both wrote to it: "
            "whichever came first, the other one should have seen its write"
        )
        return words, self._txns.txn_of(int(self._table.partner[mop]))

    def cyclic(self, mop: int) -> tuple[Any, ...]:
        words = f"{{0}} wrote {self.value(mop)} to {self.key(mop)}, whose versions are known to follow one another in a circle"
        return (words,)

    def explain(self, edge: Edge) -> str:
        """Why a dependency holds: looked up again, since so few are told."""
        if edge.kind is Kind.WR:
            return self._read_from(edge)
        return self._read_before(edge) if edge.kind in RW_KINDS else self._wrote_before(edge)

    def _mops(self, txn: int, *, write: bool) -> Iterator[int]:
        for mop in range(int(self._txns.starts[txn]), int(self._txns.starts[txn + 1])):
            if bool(self._txns.write[mop]) == write and not self._table.later[mop]:
                yield mop

    def _read_from(self, edge: Edge) -> str:
        for mop in self._mops(edge.dst, write=False):
            source = int(self._reads.source[mop])
            if source >= 0 and self.author(source) == edge.src:
                return f"{{dst}} read {{src}}'s write of {self.value(mop)} to {self.key(mop)}"
        raise LookupError(edge)

    def _read_before(self, edge: Edge) -> str:
        for mop, after in self._of_one_key(edge, write=False):
            source = int(self._reads.source[mop])
            if source == INITIAL:
                return f"{{src}} read {self.key(mop)} as never written, and {{dst}} wrote {self.value(after)} to it"
            why = self._because(source, after, edge.kind) if source >= 0 else ""
            if why:
                return (
                    f"{{src}} read {self.value(mop)} from {self.key(mop)}, and {{dst}} wrote {self.value(after)}{why}"
                )
        raise LookupError(edge)

    def _wrote_before(self, edge: Edge) -> str:
        for mop, after in self._of_one_key(edge, write=True):
            why = self._because(mop, after, edge.kind) or self._by_sight(mop, after, edge.kind)
            if why:
                return f"{{dst}} overwrote {{src}}'s {self.value(mop)} of {self.key(mop)} with {self.value(after)}{why}"
        raise LookupError(edge)

    def _of_one_key(self, edge: Edge, *, write: bool) -> Iterator[tuple[int, int]]:
        """What the first transaction did to a key, and what the second wrote there."""
        for mop in self._mops(edge.src, write=write):
            for after in self._mops(edge.dst, write=True):
                if self._txns.key[mop] == self._txns.key[after]:
                    yield mop, after

    def _because(self, before: int, after: int, kind: Kind) -> str:
        """Why one version is later than another; empty if it is not for such a reason."""
        first, second, why = self._pairs
        mine = why[(first == before) & (second == after)].tolist()
        found = [reason for reason in mine if reason in PAIR_KINDS[kind]]
        if not found:
            return ""
        reader = self._reader(before, after) if found[0] in (ATOMIC, CAUSAL) else ""
        return BECAUSE[found[0]].format(before=self.value(before), after=self.value(after), reader=reader)

    def _by_sight(self, before: int, after: int, kind: Kind) -> str:
        """The same, where only what was seen says so."""
        if kind is not Kind.ATOMIC_WW or all(one.evidence(before, after) < 0 for one in self._sights.values()):
            return ""
        return f", since {self._reader(before, after)} read {self.value(after)}, although it knew of who wrote {self.value(before)}"

    def _reader(self, before: int, after: int) -> str:
        """Who read the later version and knew of the writer of the earlier one."""
        reads = (sights.evidence(before, after) for sights in self._sights.values())
        return label(self._txns, self._txns.txn_of(next(read for read in reads if read >= 0)))

    def unseen(self, mop: int, *, anomaly: str) -> tuple[Any, ...]:
        missed = self._sights[anomaly].missed(mop)
        return f"{self.read(mop)} and not {self.value(missed)}, which {{1}} wrote, {WHY_SEEN[anomaly]}", self.author(
            missed
        )


_TELL: dict[str, Callable[[Facts, int], tuple[Any, ...]]] = {
    models.PHANTOM: lambda facts, mop: (f"{facts.read(mop)}, but nobody wrote that there",),
    models.G1A: Facts.aborted,
    models.G1B: Facts.intermediate,
    models.FUTURE_READ: lambda facts, mop: (f"{facts.read(mop)} before it wrote that itself",),
    models.INTERNAL: lambda facts, mop: (
        f"{facts.read(mop)}, which contradicts what it had itself read or written there before",
    ),
    models.LOST_UPDATE: Facts.lost,
    models.CYCLIC_VERSIONS: Facts.cyclic,
    **{name: partial(Facts.unseen, anomaly=name) for name in WHY_SEEN},
}
