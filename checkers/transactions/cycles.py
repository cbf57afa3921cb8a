"""The cycles in a graph of transactions, named and short. Pure; work is counted in steps.

A cycle's name says which edges it needs (Adya 1999; G-nonadjacent after Cerone and Gotsman):

* ``G0``: ww alone. ``G1c``: also wr. ``G-single``: exactly one rw. ``G-nonadjacent``: several rw, never two in a row (in a circle).
  ``G2-item``: two rw in a row.
* ``-process``, ``-realtime``: it needs such an edge, too.

Whether there are any is decided in linear time: by the components of the graph with just the edges in question (for cycles without two
rw in a row, of its product with "the last edge was a rw"; these are walks and may meet a transaction twice, as the theory of snapshot
isolation wants it). From each component the shortest cycle found is told; of a very large one not all starts are tried.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from checkers.transactions.graph import Graph, Ints, Kind
from checkers.transactions.models import SUFFIXES, TIME_KINDS, Level, Time
from checkers.transactions.scc import components, rows

# Of a component so many starts are tried for the shortest cycle; below this size that is all of them.
STARTS_MAX = 256
RW_KINDS = (Kind.RW, Kind.LATE)
GOAL = -1  # the start, reached again
LEVEL_KINDS = {
    Level.WRITES: (Kind.WW,),
    Level.READS: (Kind.WW, Kind.WR),
    Level.SNAPSHOT: (Kind.WW, Kind.WR, Kind.RW),
    Level.ALL: (Kind.WW, Kind.WR, Kind.RW),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One edge of a cycle between two transactions."""

    src: int
    dst: int
    kind: Kind
    fact: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """Edges head to tail, the last one ending where the first begins. ``name`` is that of the anomaly."""

    name: str
    level: Level
    time: Time
    edges: tuple[Edge, ...]


class Exhausted(Exception):  # noqa: N818 - a verdict, not a failure
    """The budget of steps is spent."""


class Search:
    """The search for cycles, with ``steps`` to spend."""

    def __init__(self, graph: Graph, steps: int) -> None:
        self._graph, self._steps = graph, steps

    def cycles(self, level: Level, time: Time) -> Iterator[Cycle]:
        """One cycle for each component of each class of edges up to ``level`` and ``time`` that no earlier one lies in.

        Raises Exhausted. Strongest anomalies first: without edges of time before those with them, G0 before G1c and so on.
        """
        told: list[Cycle] = []
        for order in range(time + 1):
            for height in range(level + 1):
                for cycle in self._of_class(Level(height), Time(order), told):
                    told.append(cycle)
                    yield cycle

    def _of_class(self, level: Level, time: Time, told: Sequence[Cycle]) -> Iterator[Cycle]:
        late = (Kind.LATE,) if time is Time.REAL and level >= Level.SNAPSHOT else ()
        graph = self._graph.of_kinds((*LEVEL_KINDS[level], *TIME_KINDS[time], *late))
        states = _product(graph) if level is Level.SNAPSHOT else graph
        self._spend(states.size + len(states.src))
        component = components(states.size, states.src, states.dst)
        inside = component[states.src] == component[states.dst]
        if not inside.any():
            return
        held = states.only(inside)
        explained = {int(component[edge.src]) for cycle in told for edge in cycle.edges}
        if level is Level.SNAPSHOT:  # a cycle may run through either of a transaction's two states
            explained |= {int(component[edge.src + graph.size]) for cycle in told for edge in cycle.edges}
        starts, order = rows(held.size, held.src, np.arange(len(held.src), dtype=np.int64))
        walker = _Walker(held, starts, order, graph.size, self._spend)
        for number in np.unique(component[held.src]).tolist():
            if number not in explained:
                nodes = np.flatnonzero(component == number)
                yield _named(walker.shortest(nodes))

    def _spend(self, steps: int) -> None:
        self._steps -= steps
        if self._steps < 0:
            raise Exhausted


def _product(graph: Graph) -> Graph:
    """Each node twice: after an edge that is no rw, and (number + size) after a rw, from which no other rw leads on."""
    rw, via = np.isin(graph.kind, np.array(RW_KINDS)), graph.kind == Kind.VIA
    plain = ~rw
    src = np.concatenate([graph.src, graph.src[plain] + graph.size])
    # After a joint the last edge is still the one that led to it.
    dst = np.concatenate(
        [graph.dst + np.where(rw, graph.size, 0), graph.dst[plain] + np.where(via[plain], graph.size, 0)]
    )
    kind, fact = (np.concatenate([column, column[plain]]) for column in (graph.kind, graph.fact))
    return Graph(size=2 * graph.size, txns=graph.txns, src=src, dst=dst, kind=kind, fact=fact)


class _Walker:
    """Shortest cycles inside components, in edges between transactions: joints cost nothing."""

    def __init__(self, held: Graph, starts: Ints, order: Ints, size: int, spend: Callable[[int], None]) -> None:
        self._starts, self._size, self._spend = starts, size, spend
        self._dst, self._kind, self._fact = (
            held.dst[order].tolist(),
            held.kind[order].tolist(),
            held.fact[order].tolist(),
        )
        self._txns = held.txns

    def shortest(self, nodes: Ints) -> tuple[Edge, ...]:
        """The shortest cycle through one of ``nodes``, a component; with the fewest rw among those of a length."""
        real = [node for node in nodes.tolist() if node % self._size < self._txns]
        best: tuple[Edge, ...] = ()
        for start in real[:STARTS_MAX]:
            found = self._from(start, len(best) or len(real) + 1)
            if found and (not best or _rank(found) < _rank(best)):
                best = found
            if len(best) == 2 and _rank(best)[0] <= 1:
                break
        return best

    def _from(self, start: int, most: int) -> tuple[Edge, ...]:
        """The shortest cycle through ``start`` of at most ``most`` edges; empty if there is none."""
        came: dict[int, tuple[int, int]] = {}  # node → (node before, edge)
        far = {start: 0}
        queue = deque([start])
        while queue:
            at = queue.popleft()
            if at == GOAL:
                return self._told(start, came)
            self._spend(1 + int(self._starts[at + 1]) - int(self._starts[at]))
            step = int(at % self._size < self._txns)
            if far[at] + step > most:
                continue
            for edge in range(int(self._starts[at]), int(self._starts[at + 1])):
                to = GOAL if self._dst[edge] == start else self._dst[edge]
                if far[at] + step < far.get(to, most + 1):
                    far[to], came[to] = far[at] + step, (at, edge)
                    (queue.append if step else queue.appendleft)(to)
        return ()

    def _told(self, start: int, came: dict[int, tuple[int, int]]) -> tuple[Edge, ...]:
        at, edge = came[GOAL]
        path = [(at, edge)]
        while at != start:
            at, edge = came[at]
            path.append((at, edge))
        path.reverse()
        firsts = [place for place, (node, _) in enumerate(path) if node % self._size < self._txns]
        ends = [*(path[place][0] for place in firsts[1:]), start]
        return tuple(
            Edge(
                src=path[place][0] % self._size,
                dst=end % self._size,
                kind=Kind(self._kind[path[place][1]]),
                fact=self._fact[path[place][1]],
            )
            for place, end in zip(firsts, ends, strict=True)
        )


def _rank(edges: Sequence[Edge]) -> tuple[int, int]:
    """Fewest rw first, then the shortest."""
    return sum(edge.kind in RW_KINDS for edge in edges), len(edges)


def _named(edges: tuple[Edge, ...]) -> Cycle:
    kinds = [edge.kind for edge in edges]
    reads = [kind in RW_KINDS for kind in kinds]
    adjacent = any(one and other for one, other in zip(reads, [*reads[1:], reads[0]], strict=True))
    if sum(reads) > 1:
        name, level = ("G2-item", Level.ALL) if adjacent else ("G-nonadjacent", Level.SNAPSHOT)
    elif any(reads):
        name, level = "G-single", Level.SNAPSHOT
    else:
        name, level = ("G1c", Level.READS) if Kind.WR in kinds else ("G0", Level.WRITES)
    real = Kind.REALTIME in kinds or Kind.LATE in kinds
    time = Time.REAL if real else Time.PROCESS if Kind.PROCESS in kinds else Time.NONE
    return Cycle(name=name + SUFFIXES[time], level=level, time=time, edges=edges)
