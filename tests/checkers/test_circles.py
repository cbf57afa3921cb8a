"""Strongly connected components of small graphs against their definition: all that can reach each other."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from checkers.sessions import circles

SIZE = 6
Edges = set[tuple[int, int]]


def reachable(edges: Edges) -> Edges:
    pairs = set(edges)
    for via in range(SIZE):
        pairs |= {(a, c) for a in range(SIZE) for c in range(SIZE) if (a, via) in pairs and (via, c) in pairs}
    return pairs


@given(st.sets(st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)), max_size=14))
def test_components_are_those_that_reach_each_other(edges: Edges) -> None:
    to = [other for _, other in sorted(edges)]
    begin = [0, *accumulate(sum(node == one for one, _ in edges) for node in range(SIZE))]
    found = [frozenset(part) for part in circles._components(begin, to)]
    pairs = reachable(edges)
    wanted = {frozenset({b for b in range(SIZE) if {(a, b), (b, a)} <= pairs}) for a in range(SIZE)}
    assert {part for part in found if len(part) > 1} == {part for part in wanted if len(part) > 1}
    assert len(set().union(*found)) == sum(map(len, found))
