"""Who must come before whom, and why: a graph of transactions as columns.

Nodes 0 to n-1 are transactions. Nodes from n on are *joints*: they stand for "all of these before all of those" in a linear number of
edges. A path through joints is one edge between the transactions at its ends, of the kind of its first part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from checkers.kernels.engine import Column, Engine, Narrow, Tiny, engine

Codes = npt.NDArray[np.int32]
Kinds = npt.NDArray[np.int8]


class Kind(IntEnum):
    """Why one transaction comes before another. VIA continues an edge that ends in a joint."""

    WW = 0  # it wrote a version, and the other one the next
    WR = 1  # the other one read what it wrote
    RW = 2  # the other one overwrote what it read
    PROCESS = 3  # the same process ran it before
    REALTIME = 4  # it had ended before the other one began
    VIA = 5
    LATE_RW = 6  # as RW, but that the other one wrote a later version is known by real time alone
    UNSEEN_WW = 7  # as WW, since no read shows what the other one wrote, and it was not lost
    FOLLOW_WW = 8  # as WW, since the other one had read the version before it wrote
    SESSION_RW = 9  # as LATE_RW, by the order of a process
    LATE_WW = 10  # as WW, but known by real time alone, from those who read the versions
    SESSION_WW = 11  # as LATE_WW, by the order of a process
    ATOMIC_WW = (
        12  # as WW, since who read the later version had seen another write of the transaction of the earlier one
    )
    PREDICATE_WR = 13  # what it wrote did not match the other one's predicate, and that is how the other one found it
    PREDICATE_RW = 14  # the other one changed whether its predicate matches


class Level(IntEnum):
    """Cycles by the edges that they need; each level allows more than the one before."""

    WRITES = 0  # ww alone: G0
    READS = 1  # also wr: G1c
    SINGLE = 2  # also one rw: G-single
    NONADJACENT = 3  # also several, but never two of them in a row: G-nonadjacent
    ALL = 4  # any: G2


class Time(IntEnum):
    """Which order of time counts, besides the dependencies."""

    NONE = 0
    PROCESS = 1
    REAL = 2


# From which level and time on edges of a kind count.
SINCE: Mapping[Kind, tuple[Level, Time]] = {
    Kind.WW: (Level.WRITES, Time.NONE),
    Kind.FOLLOW_WW: (Level.READS, Time.NONE),
    Kind.UNSEEN_WW: (Level.SINGLE, Time.NONE),
    Kind.WR: (Level.READS, Time.NONE),
    Kind.RW: (Level.SINGLE, Time.NONE),
    Kind.SESSION_RW: (Level.SINGLE, Time.PROCESS),
    Kind.SESSION_WW: (Level.SINGLE, Time.PROCESS),
    Kind.ATOMIC_WW: (Level.SINGLE, Time.NONE),
    Kind.LATE_RW: (Level.SINGLE, Time.REAL),
    Kind.LATE_WW: (Level.SINGLE, Time.REAL),
    Kind.PROCESS: (Level.WRITES, Time.PROCESS),
    Kind.REALTIME: (Level.WRITES, Time.REAL),
    Kind.VIA: (Level.WRITES, Time.NONE),
    Kind.PREDICATE_WR: (Level.READS, Time.NONE),
    Kind.PREDICATE_RW: (Level.SINGLE, Time.NONE),
}
RW_KINDS = (Kind.RW, Kind.LATE_RW, Kind.SESSION_RW, Kind.PREDICATE_RW)
PREDICATES = (Kind.PREDICATE_WR, Kind.PREDICATE_RW)
# Orders of versions that stand for a rw: the other order would make a cycle with one.
INSTEAD_OF_RW = (Kind.UNSEEN_WW, Kind.LATE_WW, Kind.SESSION_WW, Kind.ATOMIC_WW)
DEPENDENCIES = (Kind.WW, Kind.FOLLOW_WW, Kind.WR, Kind.PREDICATE_WR, *INSTEAD_OF_RW, *RW_KINDS)


def kinds_of(level: Level, time: Time, *, predicates: bool = False) -> tuple[Kind, ...]:
    """The kinds of edges of a class of cycles. From SINGLE on those of predicates make classes of their own."""
    left_out = () if predicates or level < Level.SINGLE else PREDICATES
    return tuple(
        kind for kind, (least, order) in SINCE.items() if least <= level and order <= time and kind not in left_out
    )


class Edges(NamedTuple):
    """Edges that kernels add; ``counts``: how many edges and how many nodes there are."""

    src: Narrow
    dst: Narrow
    kind: Tiny
    counts: Column


def add_edge(edges: Edges, src: int, dst: int, kind: int) -> None:
    """Kernel: an edge, unless it leads from a transaction to itself."""
    if src != dst:
        at = edges.counts[0]
        edges.src[at], edges.dst[at], edges.kind[at] = src, dst, kind
        edges.counts[0] = at + 1


def join_all(edges: Edges, sources: Narrow, count: int, targets: Narrow, size: int, place: Narrow, kind: int) -> None:  # noqa: PLR0917 - kernels take columns by position
    """Kernel: an edge from each of ``count`` sources to each of ``size`` targets (each named once) but itself; by joints if these are many.

    At most 2 * count + 4 * size edges and 2 * size nodes. ``place``: scratch of one entry per transaction, zeros before and after.
    """
    if count * size <= 2 * (count + size):
        for one in range(count):
            for other in range(size):
                add_edge(edges, sources[one], targets[other], kind)
        return
    # after + i leads to the targets from place i on, before + i to those up to it: around its own place a source takes both.
    after = edges.counts[1]
    before = after + size
    edges.counts[1] = before + size
    for other in range(size):
        place[targets[other]] = other + 1
        add_edge(edges, after + other, targets[other], 5)
        add_edge(edges, before + other, targets[other], 5)
        if other > 0:
            add_edge(edges, after + other - 1, after + other, 5)
            add_edge(edges, before + other, before + other - 1, 5)
    for one in range(count):
        own = place[sources[one]] - 1
        if own + 1 < size:
            add_edge(edges, sources[one], after + own + 1, kind)
        if own > 0:
            add_edge(edges, sources[one], before + own - 1, kind)
    for other in range(size):
        place[targets[other]] = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Graph:
    """``size`` nodes, of which the first ``txns`` are transactions; edges as columns.

    ``name`` of a node is its number in the whole graph.
    """

    size: int
    txns: int
    src: Codes
    dst: Codes
    kind: Kinds
    name: Codes | None = None

    def only(self, mask: npt.NDArray[np.bool_]) -> Graph:
        """The same nodes with these edges."""
        columns = {column: getattr(self, column)[mask] for column in ("src", "dst", "kind")}
        return Graph(size=self.size, txns=self.txns, name=self.name, **columns)

    def of_kinds(self, kinds: tuple[Kind, ...]) -> Graph:
        return self.only(_table(kinds)[self.kind])

    def are(self, kinds: tuple[Kind, ...]) -> npt.NDArray[np.bool_]:
        """Which edges are of these kinds."""
        mask: npt.NDArray[np.bool_] = _table(kinds)[self.kind]
        return mask

    def named(self, node: int) -> int:
        """The number of a node in the whole graph."""
        return node if self.name is None else int(self.name[node])

    def core(self) -> Graph:
        """What no one comes before, and what comes before no one, lies in no cycle: the rest, with nodes numbered anew."""
        graph = self
        for forward in (True, False):
            src, dst = (graph.src, graph.dst) if forward else (graph.dst, graph.src)
            left = _peeled(graph.size, src, dst)
            graph = graph._restricted(left)
        return graph

    def _restricted(self, left: npt.NDArray[np.bool_] | None) -> Graph:
        """These nodes alone."""
        if left is None:
            none: Any = np.zeros(0, np.int32)
            return Graph(size=0, txns=0, src=none, dst=none, kind=none.astype(np.int8), name=none)
        name = np.flatnonzero(left).astype(np.int32)
        number = np.full(self.size, -1, dtype=np.int32)
        number[name] = np.arange(len(name), dtype=np.int32)
        inside = left[self.src] & left[self.dst]
        return Graph(
            size=len(name),
            txns=int(np.searchsorted(name, self.txns)),
            src=number[self.src[inside]],
            dst=number[self.dst[inside]],
            kind=self.kind[inside],
            name=name if self.name is None else self.name[name],
        )


def _table(kinds: tuple[Kind, ...]) -> npt.NDArray[np.bool_]:
    return np.array([kind in kinds for kind in Kind], dtype=np.bool_)


def together(one: Graph, other: Graph) -> Graph:
    """The edges of both; the second one's joints come after the first one's."""
    columns: dict[str, Any] = {
        column: np.concatenate([getattr(one, column), getattr(other, column)]) for column in ("src", "dst", "kind")
    }
    return Graph(size=max(one.size, other.size), txns=one.txns, **columns)


def room(run: Engine, nodes: int, most: int) -> Edges:
    """Room for ``most`` edges; the first joint is ``nodes``."""
    counts = run.full(2, 0)
    counts[1] = nodes
    return Edges(
        run.view(np.zeros(most, np.int32)),
        run.view(np.zeros(most, np.int32)),
        run.view(np.zeros(most, np.int8)),
        counts,
    )


def begin_with(edges: Edges, graph: Graph) -> None:
    """Put the edges of another graph first; its joints are those before the first one of ``edges``."""
    count = len(graph.src)
    for column, given in ((edges.src, graph.src), (edges.dst, graph.dst), (edges.kind, graph.kind)):
        if isinstance(column, list):
            column[:count] = given.tolist()
        else:
            np.asarray(column)[:count] = given
    edges.counts[0] = count


def graph_of(edges: Edges, txns: int) -> Graph:
    """The graph of what kernels have added."""
    count, size = int(edges.counts[0]), int(edges.counts[1])
    columns: dict[str, Any] = {
        "src": np.asarray(edges.src, dtype=np.int32)[:count],
        "dst": np.asarray(edges.dst, dtype=np.int32)[:count],
        "kind": np.asarray(edges.kind, dtype=np.int8)[:count],
    }
    return Graph(size=size, txns=txns, **columns)


def _peeled(size: int, src: Codes, dst: Codes) -> npt.NDArray[np.bool_] | None:
    """Which nodes are left when what has no predecessor is taken away again and again; None: none."""
    run = engine(3 * (size + len(src)))
    starts, targets = rows_by(run, size, src, dst)
    waiting, queue = run.view(np.zeros(size, np.int32)), run.view(np.zeros(size, np.int32))
    gone = run.kernel(peel)(starts, targets, waiting, queue)
    return None if gone == size else np.asarray(waiting, dtype=np.int32) > 0


def rows_by(run: Engine, size: int, src: Codes, dst: Codes) -> tuple[Narrow, Narrow]:
    """Compressed rows: the targets of node v are targets[starts[v]:starts[v + 1]]."""
    starts, targets = run.view(np.zeros(size + 1, np.int32)), run.view(np.zeros(len(src), np.int32))
    run.kernel(lay_out_rows)(run.view(src), run.view(dst), starts, targets)
    return starts, targets


def lay_out_rows(src: Narrow, dst: Narrow, starts: Narrow, targets: Narrow) -> int:
    """Kernel: compressed rows, by counting; ``starts`` are zeros before. Each row's targets come last edge first."""
    size = len(starts) - 1
    for edge in range(len(src)):
        starts[src[edge]] += 1
    for node in range(size):
        starts[node + 1] += starts[node]
    for edge in range(len(src)):
        at = starts[src[edge]] - 1
        starts[src[edge]] = at
        targets[at] = dst[edge]
    return 0


def peel(starts: Narrow, targets: Narrow, waiting: Narrow, queue: Narrow) -> int:
    """Kernel: Kahn's algorithm; how many nodes go. ``waiting`` of those that stay is not 0."""
    head, tail = 0, 0
    for edge in range(len(targets)):
        waiting[targets[edge]] += 1
    for node in range(len(waiting)):
        if waiting[node] == 0:
            queue[tail] = node
            tail += 1
    while head < tail:
        node = queue[head]
        head += 1
        for edge in range(starts[node], starts[node + 1]):
            waiting[targets[edge]] -= 1
            if waiting[targets[edge]] == 0:
                queue[tail] = targets[edge]
                tail += 1
    return tail
