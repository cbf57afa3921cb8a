"""Demands on the order of a key's versions that no order meets: they go round in a circle.

Every demand says that one version is at least as new as another. All together they can be met iff no two different versions
lie on a circle of demands (else each would have to be newer than the other). Versions are nodes; a chain whose sources are
not in order among themselves gets a node per source that stands for "at least as new as this source and all before it", so
that there are about as many edges as operations.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from checkers.sessions.chains import Chain
from checkers.versions import NONE, Bools, Versions
from harness.history import Ints

CAS, INITIAL = "cas", "initial"
# A circle with few steps is easiest to understand: so many places to begin, and edges, are tried to find a short one.
STARTS_MAX, EDGES_MAX = 64, 400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One demand: what the call ``then`` touched is at least as new as what ``first`` touched. ``rule`` says why: the name of a
    guarantee or of an order; CAS: ``then`` replaced what it saw; INITIAL: every version is newer than the null before all.
    """

    rule: str
    first: int
    then: int


Circle = tuple[Step, ...]
State = tuple[int, bool]  # of a walk: a node, and whether another version than the first was visited
DIRECT = {-1: CAS, -2: INITIAL}  # demands of no chain, by the number that stands for one


class Demands:
    """The demands on the versions of the keys in ``keys`` (a mask), as a graph."""

    def __init__(self, versions: Versions, touched: Ints, chains: Sequence[Chain], keys: Bools) -> None:
        self.versions, self._touched, self._chains = versions, touched, chains
        nodes = len(versions.code)
        parts = [self._initial(keys), self._cas(keys)]
        for number, chain in enumerate(chains):
            parts += self._of(chain, number, keys, nodes)
            nodes += len(chain.source)
        table = np.concatenate([np.stack(np.broadcast_arrays(*part), axis=1) for part in parts])
        table = table[table[:, 0] != table[:, 1]]
        table = table[np.argsort(table[:, 0], kind="stable")]
        self._to, self._first, self._then, self._chain = (column.tolist() for column in table.T[1:])
        self._begin = np.searchsorted(table[:, 0], np.arange(nodes + 1)).tolist()

    def _initial(self, keys: Bools) -> tuple[Ints, ...]:
        versions = self.versions
        null = np.full(versions.keys, NONE, dtype=np.int64)
        null[versions.register[versions.initial]] = np.flatnonzero(versions.initial)
        others = np.flatnonzero(keys[versions.register] & ~versions.initial)
        # In the order of their writes: how values are numbered must not change what is told.
        others = others[np.argsort(versions.writer[others], kind="stable")]
        none = np.full(len(others), NONE)
        return null[versions.register[others]], others, none, none, np.full(len(others), -2)

    def _cas(self, keys: Bools) -> tuple[Ints, ...]:
        versions = self.versions
        which = (versions.made[versions.sight_call] != NONE) & keys[versions.key[versions.sight_call]]
        call = versions.sight_call[which]
        return versions.sight[which], versions.made[call], call, call, np.full(len(call), -1)

    def _of(self, chain: Chain, number: int, keys: Bools, base: int) -> list[tuple[Ints, ...]]:
        key, touched = self.versions.key, self._touched
        mine = keys[key[chain.target]]
        target, last = chain.target[mine], chain.last[mine]
        name, none = np.array(number), np.array(NONE)
        if chain.ordered:
            return [(touched[chain.source[last]], touched[target], chain.source[last], target, name)]
        place = np.flatnonzero(keys[key[chain.source]])
        source, on = chain.source[place], place[~chain.fresh[place]]
        return [
            (touched[source], base + place, source, none, name),
            (base + on - 1, base + on, none, none, name),
            (base + last, touched[target], none, target, name),
        ]

    def knots(self) -> list[list[int]]:
        """The groups of nodes that lie on common circles and hold at least two versions, each a list that begins with its versions in
        the order of their writes; in the order of the first of these.
        """
        versions, writer = len(self.versions.code), self.versions.writer.tolist()
        found = [sorted(part) for part in _components(self._begin, self._to) if len(part) > 1]
        knots = [part for part in found if part[1] < versions]
        return sorted(
            (sorted(part, key=lambda node: (0, writer[node]) if node < versions else (1, node)) for part in knots),
            key=lambda part: (writer[part[0]], writer[part[1]]),
        )

    def circle(self, knot: Sequence[int], starts_max: int = STARTS_MAX) -> Circle:
        """A circle of few steps in ``knot``: the shortest of those that were tried, from at most so many starts."""
        versions = len(self.versions.code)
        inside, best, spent = set(knot), None, 0
        for start in [node for node in knot if node < versions][:starts_max]:
            edges, looked = self._shortest(start, inside)
            spent += looked
            steps = self._steps(edges)
            if best is None or len(steps) < len(best):
                best = steps
            if len(best) == 2 or spent > EDGES_MAX:
                break
        assert best is not None
        return best

    def _shortest(self, start: int, inside: set[int]) -> tuple[list[int], int]:
        """The edges of a circle through ``start`` and another version with the fewest steps, and how many edges were looked at.

        Breadth first; what only hands a demand on costs nothing.
        """
        versions = len(self.versions.code)
        came: dict[State, tuple[int, State]] = {}
        todo: deque[State] = deque([(start, False)])
        looked = 0
        while todo:
            state = todo.popleft()
            node, left = state  # left: another version was visited
            for edge in range(self._begin[node], self._begin[node + 1]):
                looked += 1
                to = self._to[edge]
                after = (to, left or (to < versions and to != start))
                if to not in inside or after in came or after == (start, False):
                    continue
                came[after] = edge, state
                if after == (start, True):
                    return _way(came, after), looked
                if to < versions:
                    todo.append(after)
                else:
                    todo.appendleft(after)
        raise AssertionError("a knot holds a circle through each of its versions")

    def _steps(self, edges: Sequence[int]) -> Circle:
        """The steps of a path: what enters a chain and what leaves it are one."""
        steps, entered = [], NONE
        for edge in edges:
            first, then, number = self._first[edge], self._then[edge], self._chain[edge]
            if number in DIRECT:
                steps.append(Step(rule=DIRECT[number], first=first, then=then))
                continue
            entered = first if first != NONE else entered
            if then != NONE:
                rule = self._chains[number].rules[int(self.versions.made[then] != NONE)]
                steps.append(Step(rule=rule, first=entered, then=then))
        return tuple(steps)


def _way(came: Mapping[State, tuple[int, State]], state: State) -> list[int]:
    """The edges that led to ``state``, the first of them first."""
    edges = []
    while state in came:
        edge, state = came[state]
        edges.append(edge)
    return edges[::-1]


def _components(begin: Sequence[int], to: Sequence[int]) -> Iterator[list[int]]:
    """The strongly connected components of a graph (Tarjan 1972, without recursion). Node ``n`` has the edges ``begin[n]`` up to
    ``begin[n + 1]``, which lead to ``to``.
    """
    nodes = len(begin) - 1
    # 0: not seen; otherwise the earliest number that can be reached; beyond all numbers once the component is known.
    low = [0] * nodes
    number = [0] * nodes
    path: list[int] = []
    at = list(begin[:-1])
    count, done = 0, nodes + 1
    for root in range(nodes):
        if low[root] or begin[root] == begin[root + 1]:
            continue
        count += 1
        low[root] = number[root] = count
        walk = [root]
        path.append(root)
        while walk:
            node = walk[-1]
            if at[node] < begin[node + 1]:
                other = to[at[node]]
                at[node] += 1
                if not low[other]:
                    count += 1
                    low[other] = number[other] = count
                    walk.append(other)
                    path.append(other)
                elif low[other] < low[node]:
                    low[node] = low[other]
                continue
            walk.pop()
            if walk and low[node] < low[walk[-1]]:
                low[walk[-1]] = low[node]
            if low[node] == number[node]:
                part: list[int] = []
                while not part or part[-1] != node:
                    part.append(path.pop())
                    low[part[-1]] = done
                yield part
