"""Who must come before whom, and why: a graph of transactions, built edge by edge, kept as columns. Pure.

Nodes 0 to n-1 are transactions. Nodes from n on are *joints*: they stand for "all of these before all of those" in a linear number of
edges. A path through joints is one edge between the transactions at its ends, of the kind of its first part.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from harness.history import FOREVER

Ints = npt.NDArray[np.int64]


class Kind(IntEnum):
    """Why one transaction comes before another. VIA continues an edge that ends in a joint."""

    WW = 0  # it wrote a version, and the other one the next
    WR = 1  # the other one read what it wrote
    RW = 2  # the other one overwrote what it read
    PROCESS = 3  # the same process ran it before
    REALTIME = 4  # it had ended before the other one began
    VIA = 5
    LATE = 6  # as RW, but that the other one wrote a later version is known by real time alone


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Graph:
    """``size`` nodes, of which the first ``txns`` are transactions; edges as columns. ``fact``: see ``Builder``, -1 for none."""

    size: int
    txns: int
    src: Ints
    dst: Ints
    kind: Ints
    fact: Ints

    def only(self, mask: npt.NDArray[np.bool_]) -> Graph:
        """The same nodes with these edges."""
        columns = {name: getattr(self, name)[mask] for name in ("src", "dst", "kind", "fact")}
        return Graph(size=self.size, txns=self.txns, **columns)

    def of_kinds(self, kinds: Sequence[Kind]) -> Graph:
        return self.only(np.isin(self.kind, np.array([*kinds, Kind.VIA])))


class Builder:
    """Collects edges. ``fact`` is a number under which the caller remembers what an edge rests on."""

    def __init__(self, txns: int) -> None:
        self._txns, self._size = txns, txns
        self._flat = array("q")  # src, dst, kind, fact

    def edge(self, src: int, dst: int, kind: Kind, fact: int = -1) -> None:
        """An edge, unless it leads from a transaction to itself."""
        if src != dst:
            self._flat.extend((src, dst, kind, fact))

    def all_to_all(self, sources: Sequence[int], targets: Sequence[int], kind: Kind, fact: int = -1) -> None:
        """An edge from each of ``sources`` to each of ``targets`` (each named once) but itself, by joints where they are many."""
        if len(sources) * len(targets) <= 2 * (len(sources) + len(targets)):
            for source in sources:
                for target in targets:
                    self.edge(source, target, kind, fact)
            return
        # after[i] leads to the targets from place i on, before[i] to those up to it: around its own place a source takes both.
        count = len(targets)
        after, before = self._joints(count), self._joints(count)
        for place, target in enumerate(targets):
            self._flat.extend((after + place, target, Kind.VIA, fact, before + place, target, Kind.VIA, fact))
            if place:
                self._flat.extend((after + place - 1, after + place, Kind.VIA, fact))
                self._flat.extend((before + place, before + place - 1, Kind.VIA, fact))
        places = {target: place for place, target in enumerate(targets)}
        for source in sources:
            own = places.get(source, -1)
            if own + 1 < count:
                self._flat.extend((source, after + own + 1, kind, fact))
            if own > 0:
                self._flat.extend((source, before + own - 1, kind, fact))

    def process_order(self, processes: Sequence[int], ok: Sequence[bool]) -> None:
        """Each transaction that succeeded before the next one of its process. Transactions come in the order of their invocations."""
        last: dict[int, int] = {}
        for number, process in enumerate(processes):
            if process in last:
                self.edge(last[process], number, Kind.PROCESS)
            if ok[number]:
                last[process] = number

    def real_time(self, call: Ints, ret: Ints) -> None:
        """Each transaction before those that began after it had ended. One joint per end, each leading to the next one."""
        ended = np.argsort(ret, kind="stable")
        ended = ended[ret[ended] < FOREVER]
        first = self._joints(len(ended))
        joints = first + np.arange(len(ended))
        latest = np.searchsorted(ret[ended], call) - 1  # the last end before each beginning
        began = np.flatnonzero(latest >= 0)
        for src, dst, kind in (
            (ended, joints, Kind.REALTIME),
            (joints[:-1], joints[1:], Kind.VIA),
            (first + latest[began], began, Kind.VIA),
        ):
            rows = np.stack([src, dst, np.full(len(src), kind), np.full(len(src), -1)], axis=1).astype(np.int64)
            self._flat.frombytes(rows.tobytes())

    def _joints(self, count: int) -> int:
        first = self._size
        self._size += count
        return first

    def graph(self) -> Graph:
        edges = np.frombuffer(self._flat, dtype=np.int64).reshape(-1, 4) if self._flat else np.zeros((0, 4), np.int64)
        src, dst, kind, fact = (edges[:, column].copy() for column in range(4))
        return Graph(size=self._size, txns=self._txns, src=src, dst=dst, kind=kind, fact=fact)
