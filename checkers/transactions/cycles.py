"""The cycles in a graph of transactions, named and short. Work is counted in steps.

A cycle's name says which edges it needs (Adya 1999; G-nonadjacent after Cerone and Gotsman 2016; Elle's names):

* ``G0``: ww alone. ``G1c``: also wr. ``G-single-item``: exactly one rw. ``G-nonadjacent-item``: several rw, never two in a row (in a
  circle). ``G2-item``: two rw in a row.
* ``G-single``, ``G-nonadjacent``, ``G2``: the same with an edge of a predicate, of what was not found since it did not match.
* ``-process``, ``-realtime``: it needs such an edge, too.

Whether there are any is decided in linear time, by components: of the graph with just the edges in question; for cycles without two rw in
a row of its product with "the last edge was a rw" (these are walks and may meet a transaction twice, as the theory of snapshot isolation
wants it). Only for exactly one rw a walk from each rw is tried. Of each component the shortest cycle found is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from checkers.kernels.engine import engine
from checkers.transactions.graph import (
    INSTEAD_OF_RW,
    PREDICATES,
    RW_KINDS,
    SINCE,
    Codes,
    Graph,
    Kind,
    Level,
    Time,
    kinds_of,
    rows_by,
)
from checkers.transactions.scc import components
from checkers.transactions.walk import NONE, Rows, Walk, walk_back

# A share of the budget goes into making the cycles shorter that were found.
SHORTENING = 4
NAMES = {
    Level.WRITES: "G0",
    Level.READS: "G1c",
    Level.SINGLE: "G-single-item",
    Level.NONADJACENT: "G-nonadjacent-item",
    Level.ALL: "G2-item",
}
SUFFIXES = {Time.NONE: "", Time.PROCESS: "-process", Time.REAL: "-realtime"}


def name_of(level: Level, time: Time, *, predicates: bool = False) -> str:
    """The anomaly that a cycle of this class is."""
    return (NAMES[level].removesuffix("-item") if predicates else NAMES[level]) + SUFFIXES[time]


CLASSES = {NAMES[level] + SUFFIXES[time]: (level, time) for level in Level for time in Time}
# The same with predicates, where that makes a difference.
PREDICATE_CLASSES = {
    name_of(level, time, predicates=True): (level, time) for level in Level if level >= Level.SINGLE for time in Time
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One edge of a cycle between two transactions."""

    src: int
    dst: int
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """Edges head to tail, the last one ending where the first begins."""

    level: Level
    time: Time
    edges: tuple[Edge, ...]

    @property
    def name(self) -> str:
        """That of the anomaly."""
        predicates = self.level >= Level.SINGLE and any(edge.kind in PREDICATES for edge in self.edges)
        return name_of(self.level, self.time, predicates=predicates)


class Exhausted(Exception):  # noqa: N818 - a verdict, not a failure
    """The budget of steps for a class is spent."""


class Search:
    """The search for cycles, with ``steps`` to spend on each class. ``covered`` are the classes that it has judged to the end.

    With ``predicates``, edges of predicates count in all classes; what the search without them has ``told`` is not told again.
    """

    def __init__(self, graph: Graph, steps: int, *, predicates: bool = False, told: Sequence[Cycle] = ()) -> None:
        self._graph, self._steps, self._left = graph, steps, steps
        self._predicates, self._told = predicates, told
        self.covered: list[tuple[Level, Time]] = []

    def cycles(self, classes: Sequence[tuple[Level, Time]]) -> Iterator[Cycle]:
        """One cycle for each component of each of these classes of edges in which no cycle of a class below was told.

        Classes come in an order in which those below come first.
        """
        told: list[Cycle] = [*self._told]
        for level, time in classes:
            below = [cycle for cycle in told if cycle.level <= level and cycle.time <= time]
            self._left = self._steps
            try:
                for cycle in self._of_class(level, time, below):
                    told.append(cycle)
                    yield cycle
            except Exhausted:
                continue
            self.covered.append((level, time))

    def _of_class(self, level: Level, time: Time, below: Sequence[Cycle]) -> Iterator[Cycle]:
        graph = self._graph.of_kinds(kinds_of(level, time, predicates=self._predicates))
        self._spend(graph.size + len(graph.src))
        states = _product(graph) if level in (Level.SINGLE, Level.NONADJACENT) else graph
        component = components(states.size, states.src, states.dst)
        held = states.only(component[states.src] == component[states.dst])
        if not len(held.src):
            return
        explained = {int(component[node]) for cycle in below for node in self._states(cycle, states.size)}
        walker = _Walker(held, graph.size)
        for number, nodes in _groups(component, held.src):
            if number in explained:
                continue
            if level is Level.SINGLE:
                found = self._single(graph, nodes)
            else:
                real = [node for node in nodes.tolist() if node % graph.size < graph.txns]
                found = walker.shortest([(node, node) for node in real], self._steps // SHORTENING)
                self._spend(walker.spent())
            if found:
                yield self._named(found, level, time)

    def _single(self, graph: Graph, nodes: Codes) -> tuple[Edge, ...]:
        """A cycle with exactly one rw in a component of the product: two layers, from the first of which a rw leads to the second."""
        mine = np.zeros(graph.size, dtype=np.bool_)
        mine[nodes % graph.size] = True
        inside = graph.only(mine[graph.src] & mine[graph.dst])
        rw = inside.are(RW_KINDS)
        starts = np.unique(inside.src[rw & (inside.src < graph.txns)])
        walker = _Walker(_layers(inside), graph.size)
        found = walker.shortest([(node, node + graph.size) for node in starts.tolist()], self._left)
        self._spend(walker.spent())
        if not found and inside.are(INSTEAD_OF_RW).any():
            found = self._without_rw(inside.only(~rw), graph.size)
        return found

    def _without_rw(self, graph: Graph, size: int) -> tuple[Edge, ...]:
        """A cycle in which an order of versions stands in the place of the one rw."""
        component = components(graph.size, graph.src, graph.dst)
        held = graph.only(component[graph.src] == component[graph.dst])
        nodes = np.unique(held.src[held.src < graph.txns]).tolist()
        return _Walker(held, size).shortest([(node, node) for node in nodes], self._steps // SHORTENING)

    def _states(self, cycle: Cycle, size: int) -> Iterator[int]:
        for edge in cycle.edges:
            node = self._graph_node(edge.src)
            yield from range(node, size, self._graph.size)

    def _graph_node(self, name: int) -> int:
        whole = self._graph.name
        return name if whole is None else int(np.searchsorted(whole, name))

    def _named(self, edges: tuple[Edge, ...], level: Level, time: Time) -> Cycle:
        least, order = class_of([edge.kind for edge in edges])
        assert least <= level
        assert order <= time
        renamed = tuple(
            Edge(src=self._graph.named(edge.src), dst=self._graph.named(edge.dst), kind=edge.kind) for edge in edges
        )
        return Cycle(level=least, time=order, edges=renamed)

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise Exhausted


def circles(graph: Graph, steps: int) -> Iterator[tuple[Edge, ...]]:
    """Of each component the shortest cycle, whatever its edges; no more than ``steps`` go into making one shorter."""
    core = graph.core()
    component = components(core.size, core.src, core.dst)
    held = core.only(component[core.src] == component[core.dst])
    if not len(held.src):
        return
    walker = _Walker(held, core.size)
    for _, nodes in _groups(component, held.src):
        found = walker.shortest([(node, node) for node in nodes.tolist() if node < core.txns], steps)
        yield tuple(Edge(src=core.named(one.src), dst=core.named(one.dst), kind=one.kind) for one in found)
        walker.spent()


def class_of(kinds: Sequence[Kind]) -> tuple[Level, Time]:
    """The class of a cycle of these kinds of edges."""
    reads = [kind in RW_KINDS for kind in kinds]
    adjacent = any(one and other for one, other in zip(reads, [*reads[1:], reads[0]], strict=True))
    shape = Level.ALL if adjacent and sum(reads) > 1 else Level.NONADJACENT if sum(reads) > 1 else Level.WRITES
    return max(shape, *(SINCE[kind][0] for kind in kinds)), max(SINCE[kind][1] for kind in kinds)


def _groups(component: Codes, inside: Codes) -> Iterator[tuple[int, Codes]]:
    """Each component that holds edges, with its nodes."""
    used = np.unique(component[inside])
    order = np.argsort(component, kind="stable").astype(np.int32)
    ranked = component[order]
    for number in used.tolist():
        low, high = np.searchsorted(ranked, [number, number + 1])
        yield number, order[low:high]


def _product(graph: Graph) -> Graph:
    """Each node twice: after an edge that is no rw, and (number + size) after a rw, from which no other rw leads on."""
    rw, via = graph.are(RW_KINDS), graph.are((Kind.VIA,))
    plain = ~rw
    src = np.concatenate([graph.src, graph.src[plain] + graph.size])
    # After a joint the last edge is still the one that led to it.
    dst = np.concatenate(
        [graph.dst + np.where(rw, graph.size, 0), graph.dst[plain] + np.where(via[plain], graph.size, 0)]
    )
    kind = np.concatenate([graph.kind, graph.kind[plain]])
    return Graph(size=2 * graph.size, txns=graph.txns, src=src.astype(np.int32), dst=dst.astype(np.int32), kind=kind)


def _layers(graph: Graph) -> Graph:
    """Each node twice: before the one rw, and (number + size) after it."""
    rw = graph.are(RW_KINDS)
    plain = ~rw
    src = np.concatenate([graph.src, graph.src[plain] + graph.size])
    dst = np.concatenate([graph.dst + np.where(rw, graph.size, 0), graph.dst[plain] + graph.size])
    kind = np.concatenate([graph.kind, graph.kind[plain]])
    return Graph(size=2 * graph.size, txns=graph.txns, src=src.astype(np.int32), dst=dst.astype(np.int32), kind=kind)


class _Walker:
    """Shortest closed walks, in edges between transactions."""

    def __init__(self, held: Graph, layer: int) -> None:
        self._layer, self._txns = layer, held.txns
        self._run = run = engine(4 * (held.size + len(held.src)))
        # Rows hold numbers of edges, so that a path tells its kinds.
        starts, order = rows_by(run, held.size, held.src, np.arange(len(held.src), dtype=np.int32))
        order = np.asarray(order, dtype=np.int32)
        self._kind = held.kind[order].tolist()
        self._rows = Rows(starts, run.view(held.dst[order]))
        met, edge, came, level, ahead = (run.view(np.zeros(held.size, np.int32)) for _ in range(5))
        self._walk = Walk(met, edge, came, level, ahead, run.full(1, 0))
        self._number = 0

    def spent(self) -> int:
        """Steps since the last time."""
        steps, self._walk.spent[0] = int(self._walk.spent[0]), 0
        return steps

    def shortest(self, pairs: Sequence[tuple[int, int]], steps: int) -> tuple[Edge, ...]:
        """The shortest walk from a first to a second node (the same, or its twin in the other layer); of one length with the fewest rw.

        After the first one is found no more than ``steps`` go into the search for a shorter one.
        """
        best: tuple[Edge, ...] = ()
        walk_once = self._run.kernel(walk_back)
        for start, goal in pairs:
            self._number += 1
            most = len(best) - 1 if best else 2 * self._layer
            length = walk_once(self._rows, self._walk, start, goal, self._number, most, self._layer, self._txns)
            if length != NONE:
                best = self._told(start, goal)
            if len(best) == 2 or self._walk.spent[0] > steps:
                break
        return best

    def _told(self, start: int, goal: int) -> tuple[Edge, ...]:
        path: list[tuple[int, int]] = []
        at = goal
        while not path or at != start:
            came, edge = int(self._walk.came[at]), int(self._walk.edge[at])
            path.append((came, edge))
            at = came
        path.reverse()
        firsts = [place for place, (node, _) in enumerate(path) if node % self._layer < self._txns]
        ends = [*(path[place][0] for place in firsts[1:]), goal]
        return tuple(
            Edge(
                src=path[place][0] % self._layer,
                dst=end % self._layer,
                kind=Kind(self._kind[path[place][1]]),
            )
            for place, end in zip(firsts, ends, strict=True)
        )
