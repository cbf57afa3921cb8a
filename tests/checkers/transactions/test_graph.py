"""The graph below the transaction checkers: components, joints, real time, and the names of cycles, against their definitions."""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.kernels.engine import Compiled, has_numba
from checkers.transactions.cycles import Exhausted, Search
from checkers.transactions.graph import Builder, Graph, Kind
from checkers.transactions.models import Level, Time
from checkers.transactions.scc import components, rows, tarjan
from harness.history import FOREVER

NODES = 8
WW, WR, RW, PROCESS, REALTIME, LATE = Kind.WW, Kind.WR, Kind.RW, Kind.PROCESS, Kind.REALTIME, Kind.LATE
edges = st.lists(st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1)), max_size=20)


def reached(graph: Graph, start: int) -> set[int]:
    """The transactions to which a path through joints, one edge long, leads."""
    found, queue, seen = set[int](), [start], {start}
    while queue:
        at = queue.pop()
        for to in graph.dst[graph.src == at].tolist():
            if to not in seen:
                seen.add(to)
                found |= {to} if to < graph.txns else set()
                queue += [to] if to >= graph.txns else []
    return found


@given(edges)
def test_components_are_those_of_mutual_reachability(drawn: list[tuple[int, int]]) -> None:
    reach = np.eye(NODES, dtype=bool)
    for one, other in drawn:
        reach[one, other] = True
    for middle in range(NODES):
        reach |= np.outer(reach[:, middle], reach[middle])
    pairs = np.array(drawn, dtype=np.int64).reshape(-1, 2)
    component = components(NODES, pairs[:, 0], pairs[:, 1])
    assert np.array_equal(component[:, None] == component[None, :], reach & reach.T)


@pytest.mark.skipif(not has_numba(), reason="numba is not installed on this machine")
def test_the_compiled_kernel_agrees_with_the_plain_one() -> None:
    dice = np.random.default_rng(1)
    src, dst = dice.integers(0, 2000, 2500), dice.integers(0, 2000, 2500)
    run = Compiled()
    starts, targets = rows(2000, src, dst)
    component = run.full(2000, -1)
    scratch = [run.full(2000, 0) for _ in range(5)]
    run.kernel(tarjan)(2000, run.column(starts), run.column(targets), component, *scratch)
    assert np.array_equal(np.array(component), components(2000, src, dst))


@given(st.sets(st.integers(0, 15)), st.sets(st.integers(0, 15)))
def test_joints_lead_from_each_to_each_but_itself(sources: set[int], targets: set[int]) -> None:
    builder = Builder(16)
    builder.all_to_all(sorted(sources), sorted(targets), RW)
    graph = builder.graph()
    for source in range(16):
        assert reached(graph, source) == (targets - {source} if source in sources else set())


def test_joints_are_linear_in_number() -> None:
    builder = Builder(2000)
    builder.all_to_all(range(2000), range(2000), RW)
    assert len(builder.graph().src) < 6 * 2000


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10), st.booleans()), max_size=8))
def test_real_time_leads_to_what_began_after_an_end(drawn: list[tuple[int, int, bool]]) -> None:
    call = np.array([2 * start for start, *_ in drawn], dtype=np.int64)
    ret = np.array([2 * (start + length) + 1 if done else FOREVER for start, length, done in drawn], dtype=np.int64)
    builder = Builder(len(drawn))
    builder.real_time(call, ret)
    graph = builder.graph()
    for number in range(len(drawn)):
        assert reached(graph, number) == {other for other in range(len(drawn)) if ret[number] < call[other]}


def graph_of(drawn: Iterable[tuple[int, int, Kind]]) -> Graph:
    builder = Builder(NODES)
    for src, dst, kind in drawn:
        builder.edge(src, dst, kind)
    return builder.graph()


def names(drawn: Iterable[tuple[int, int, Kind]], level: Level = Level.ALL, time: Time = Time.REAL) -> list[str]:
    return [cycle.name for cycle in Search(graph_of(drawn), 10**6).cycles(level, time)]


@pytest.mark.parametrize(
    ("circle", "name"),
    [
        ([WW, WW], "G0"),
        ([WW, WR], "G1c"),
        ([WR, WR, WW], "G1c"),
        ([RW, WW], "G-single"),
        ([RW, WR, WW], "G-single"),
        ([RW, WW, RW, WR], "G-nonadjacent"),
        ([RW, RW], "G2-item"),
        ([RW, WR, RW], "G2-item"),
        ([WW, PROCESS], "G0-process"),
        ([WR, PROCESS], "G1c-process"),
        ([WR, REALTIME], "G1c-realtime"),
        ([WR, REALTIME, PROCESS], "G1c-realtime"),
        ([RW, REALTIME], "G-single-realtime"),
        ([LATE, WR], "G-single-realtime"),
        ([RW, REALTIME, RW, PROCESS], "G-nonadjacent-realtime"),
        ([RW, RW, PROCESS], "G2-item-process"),
    ],
)
def test_cycles_by_name(circle: list[Kind], name: str) -> None:
    drawn = [(place, (place + 1) % len(circle), kind) for place, kind in enumerate(circle)]
    assert names(drawn) == [name]
    [cycle] = Search(graph_of(drawn), 10**6).cycles(Level.ALL, Time.REAL)
    assert len(cycle.edges) == len(circle)
    assert all(one.dst == other.src for one, other in zip(cycle.edges, [*cycle.edges[1:], cycle.edges[0]], strict=True))


def test_what_a_model_allows_is_not_looked_for() -> None:
    skew = [(0, 1, RW), (1, 0, RW)]
    assert names(skew, Level.SNAPSHOT) == []
    assert names([(0, 1, WR), (1, 0, WW)], Level.WRITES) == []
    assert names([(0, 1, WR), (1, 0, REALTIME)], Level.ALL, Time.PROCESS) == []
    assert names([(0, 1, WR), (1, 0, LATE)], Level.ALL, Time.PROCESS) == []


def test_a_circle_without_edges_of_dependency_is_none_and_an_acyclic_graph_neither() -> None:
    assert names([(0, 1, WW), (1, 2, WR), (0, 2, RW), (2, 3, REALTIME)]) == []


def test_of_a_component_the_shortest_cycle_is_told_and_the_worst_name_first() -> None:
    long = [(0, 1, WW), (1, 2, WW), (2, 3, WW), (3, 0, WW), (2, 0, WW)]
    [cycle] = Search(graph_of(long), 10**6).cycles(Level.ALL, Time.REAL)
    assert len(cycle.edges) == 3
    apart = [(0, 1, WW), (1, 0, WW), (2, 3, WR), (3, 2, WW), (4, 5, RW), (5, 4, RW)]
    assert names(apart) == ["G0", "G1c", "G2-item"]


def test_a_walk_that_meets_a_transaction_twice_refutes_snapshot_isolation() -> None:
    """0 → 1 → 0 and 0 → 2 → 0 have two rw in a row each; the walk around both, entered by ww, has not."""
    drawn = [(0, 1, RW), (1, 2, WW), (2, 3, RW), (3, 1, WW), (1, 0, WW)]
    assert names(drawn, Level.SNAPSHOT, Time.NONE) == ["G-single"]


def test_the_search_ends_with_its_budget() -> None:
    dice = random.Random(1)
    drawn = [(dice.randrange(NODES), dice.randrange(NODES), RW) for _ in range(30)]
    with pytest.raises(Exhausted):
        list(Search(graph_of(drawn), 20).cycles(Level.ALL, Time.NONE))


def walks(drawn: list[tuple[int, int, Kind]]) -> bool:
    """Whether some closed walk of ww, wr and rw has no two rw in a row, by trying all walks without a state met twice."""

    def extend(start: int, first: Kind, at: int, last: Kind, met: frozenset[tuple[int, bool]]) -> bool:
        for src, dst, kind in drawn:
            if src != at or (kind is RW and last is RW) or src == dst:
                continue
            if dst == start and not (kind is RW and first is RW):
                return True
            state = (dst, kind is RW)
            if state not in met and extend(start, first, dst, kind, met | {state}):
                return True
        return False

    return any(src != dst and extend(src, kind, dst, kind, frozenset({(dst, kind is RW)})) for src, dst, kind in drawn)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([WW, WR, RW])), max_size=9))
def test_cycles_of_snapshot_isolation_are_those_of_the_definition(drawn: list[tuple[int, int, Kind]]) -> None:
    assert bool(names(drawn, Level.SNAPSHOT, Time.NONE)) == walks(drawn)
