"""The graph below the transaction checkers: components, joints, real time, and the names of cycles, against their definitions."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.kernels.engine import Compiled, Plain, Tiny, has_numba
from checkers.transactions.cycles import CLASSES, Cycle, Search, class_of
from checkers.transactions.graph import (
    INSTEAD_OF_RW,
    RW_KINDS,
    Edges,
    Graph,
    Kind,
    Level,
    Time,
    graph_of,
    join_all,
    room,
    rows_by,
)
from checkers.transactions.scc import components, tarjan
from checkers.transactions.times import EDGES_EACH, follow_time
from checkers.transactions.txns import txns_of
from harness.history import FAIL
from tests.checkers.transactions.loose import loose_run

NODES = 8
WW, WR, RW, PROCESS, REALTIME = Kind.WW, Kind.WR, Kind.RW, Kind.PROCESS, Kind.REALTIME
EVERY = [(level, time) for time in Time for level in Level]
pairs = st.lists(st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1)), max_size=20)


def graph(drawn: Iterable[tuple[int, int, Kind]], nodes: int = NODES) -> Graph:
    rows = [row for row in drawn if row[0] != row[1]]
    src, dst, kind = (np.array([row[column] for row in rows], dtype=np.int32) for column in range(3))
    return Graph(size=nodes, txns=nodes, src=src, dst=dst, kind=kind.astype(np.int8))


def cycles(drawn: Iterable[tuple[int, int, Kind]], steps: int = 10**6) -> list[Cycle]:
    return list(Search(graph(drawn).core(), steps).cycles(EVERY))


def names(drawn: Iterable[tuple[int, int, Kind]]) -> list[str]:
    return [cycle.name for cycle in cycles(drawn)]


def reached(whole: Graph, start: int) -> set[int]:
    """The transactions to which a path through joints, one edge long, leads."""
    found, queue, seen = set[int](), [start], {start}
    while queue:
        at = queue.pop()
        for to in whole.dst[whole.src == at].tolist():
            if to not in seen:
                seen.add(to)
                found |= {to} if to < whole.txns else set()
                queue += [to] if to >= whole.txns else []
    return found


@given(pairs)
def test_components_are_those_of_mutual_reachability(drawn: list[tuple[int, int]]) -> None:
    reach = np.eye(NODES, dtype=bool)
    for one, other in drawn:
        reach[one, other] = True
    for middle in range(NODES):
        reach |= np.outer(reach[:, middle], reach[middle])
    columns = np.array(drawn, dtype=np.int32).reshape(-1, 2)
    component = components(NODES, columns[:, 0], columns[:, 1])
    assert np.array_equal(component[:, None] == component[None, :], reach & reach.T)


@pytest.mark.skipif(not has_numba(), reason="numba is not installed on this machine")
def test_the_compiled_kernel_agrees_with_the_plain_one() -> None:
    dice = np.random.default_rng(1)
    src, dst = (dice.integers(0, 2000, 2500).astype(np.int32) for _ in range(2))
    run = Compiled()
    starts, targets = rows_by(run, 2000, src, dst)
    component = run.narrow(2000, -1)
    scratch = [run.narrow(2000, 0) for _ in range(5)]
    run.kernel(tarjan)(2000, starts, targets, component, *scratch)
    assert np.array_equal(np.asarray(component), components(2000, src, dst))


@given(st.sets(st.integers(0, 15)), st.sets(st.integers(0, 15)))
def test_joints_lead_from_each_to_each_but_itself(sources: set[int], targets: set[int]) -> None:
    run = Plain()
    edges: Edges = room(run, 16, 2 * len(sources) + 4 * len(targets))
    one, other = sorted(sources), sorted(targets)
    join_all(edges, one, len(one), other, len(other), [0] * 16, RW)
    whole = graph_of(edges, 16)
    assert whole.size <= 16 + 2 * len(targets)
    for source in range(16):
        assert reached(whole, source) == (targets - {source} if source in sources else set())


@given(st.integers(0, 10**9))
def test_time_leads_from_what_ended_to_what_began_later(seed: int) -> None:
    txns, run = txns_of(loose_run(seed, "append", txns=8), "append", lists=True), Plain()
    outcome, call, ret = (column.tolist() for column in (txns.calls.outcome, txns.calls.call, txns.calls.ret))
    happened = [int(one != FAIL) for one in outcome]
    edges = room(run, len(txns), EDGES_EACH * len(txns))
    lines, sessions = run.narrow(len(txns.calls.history), 0), run.narrow(len(txns), 0)
    follow_time(txns.spans(run), cast("Tiny", happened), lines, sessions, int(Time.REAL), edges)
    whole = graph_of(edges, len(txns))
    for one in range(len(txns)):
        others = [other for other in range(len(txns)) if happened[one] and happened[other] and ret[one] < call[other]]
        assert reached(whole.of_kinds((REALTIME, Kind.VIA)), one) == set(others)
        of_process = [other for other in others if txns.session[other] == txns.session[one]]
        assert reached(whole.of_kinds((PROCESS,)), one) == set(of_process[:1])


SHAPES: dict[Level, list[tuple[int, int, Kind]]] = {
    Level.WRITES: [(0, 1, WW), (1, 0, WW)],
    Level.READS: [(0, 1, WW), (1, 0, WR)],
    Level.SINGLE: [(0, 1, RW), (1, 2, WW), (2, 0, WR)],
    Level.NONADJACENT: [(0, 1, RW), (1, 2, WW), (2, 3, RW), (3, 0, WR)],
    Level.ALL: [(0, 1, RW), (1, 2, RW), (2, 0, WW)],
}


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("time", Time)
def test_a_cycle_has_the_name_of_the_edges_that_it_needs(level: Level, time: Time) -> None:
    drawn = SHAPES[level]
    if time is not Time.NONE:
        src, dst, _ = drawn[-1]
        plain = level in (Level.WRITES, Level.SINGLE, Level.NONADJACENT, Level.ALL)
        last = (src, dst, PROCESS if time is Time.PROCESS else REALTIME)
        drawn = [*drawn[:-1], last] if plain else [(0, 1, WR), (1, 0, last[2])]
    (name,) = [name for name, pair in CLASSES.items() if pair == (level, time)]
    assert names(drawn) == [name]


def test_a_near_miss_of_each_shape_has_no_name() -> None:
    for drawn in SHAPES.values():
        for left in range(len(drawn)):
            assert names(drawn[:left] + drawn[left + 1 :]) == []


@given(st.lists(st.sampled_from([WW, WR, RW, PROCESS, REALTIME]), min_size=2, max_size=5))
def test_the_class_of_a_cycle_does_not_depend_on_where_it_is_told_from(kinds: list[Kind]) -> None:
    turned = [kinds[at:] + kinds[:at] for at in range(len(kinds))]
    assert {class_of(each) for each in turned} == {class_of(kinds)}
    if kinds.count(RW) > 1:
        side_by_side = any(each[:2] == [RW, RW] for each in turned)
        assert class_of(kinds)[0] is (Level.ALL if side_by_side else Level.NONADJACENT)


@pytest.mark.parametrize("kind", INSTEAD_OF_RW)
def test_an_order_that_stands_for_a_rw_refutes_no_weaker_model(kind: Kind) -> None:
    level, time = class_of([kind, WR])
    assert level is Level.SINGLE
    (cycle,) = cycles([(0, 1, kind), (1, 0, WR)])
    assert (cycle.level, cycle.time) == (level, time)


def test_a_worse_cycle_hides_lesser_ones_of_its_component_but_not_of_another() -> None:
    worst = [(0, 1, WW), (1, 0, WW)]
    lesser = [(0, 2, WR), (2, 0, WW)]
    assert names([*worst, *lesser]) == ["G0"]
    assert names([*worst, (3, 4, WR), (4, 3, WW)]) == ["G0", "G1c"]


def test_a_worse_cycle_with_time_is_told_beside_a_lesser_one_without() -> None:
    """Strong read uncommitted forbids the first and allows the second; serializability the other way round."""
    assert set(names([(0, 1, RW), (1, 0, RW), (1, 2, WW), (2, 0, REALTIME), (0, 1, WW)])) >= {"G0-realtime"}


def test_the_shortest_cycle_is_told() -> None:
    long = [(at, (at + 1) % 6, WW) for at in range(6)]
    (cycle,) = cycles([*long, (2, 0, WW)])
    assert [edge.src for edge in cycle.edges] in ([0, 1, 2], [1, 2, 0], [2, 0, 1])
    assert all(
        edge.dst == after.src for edge, after in zip(cycle.edges, [*cycle.edges[1:], cycle.edges[0]], strict=True)
    )


def test_a_walk_that_meets_a_transaction_twice_refutes_snapshot_isolation() -> None:
    drawn = [(0, 1, RW), (1, 2, WW), (2, 3, RW), (3, 1, WW), (1, 0, WW)]
    assert names(drawn) == ["G-single-item"]


def test_a_search_that_gives_up_says_what_it_covered() -> None:
    dice = random.Random(1)
    drawn = [(dice.randrange(NODES), dice.randrange(NODES), dice.choice([WW, RW])) for _ in range(30)]
    search = Search(graph(drawn).core(), 20)
    found = list(search.cycles(EVERY))
    assert set(search.covered) < set(EVERY)
    assert all(cycle.edges for cycle in found)


def closed_walk(drawn: list[tuple[int, int, Kind]], level: Level) -> bool:
    """Whether there is a closed walk of the level, by trying all walks without a state met twice."""

    def extend(start: int, first: Kind, at: int, last: Kind, reads: int, met: frozenset[tuple[int, bool, int]]) -> bool:
        for src, dst, kind in drawn:
            more = min(reads + (kind is RW), 2)
            if src != at or src == dst or (kind is RW and last is RW) or (level is Level.SINGLE and more > 1):
                continue
            if dst == start and not (kind is RW and first is RW):
                return True
            state = (dst, kind is RW, more)
            if state not in met and extend(start, first, dst, kind, more, met | {state}):
                return True
        return False

    return any(
        src != dst and extend(src, kind, dst, kind, int(kind is RW), frozenset({(dst, kind is RW, int(kind is RW))}))
        for src, dst, kind in drawn
    )


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([WW, WR, RW])), max_size=9),
    st.sampled_from([Level.SINGLE, Level.NONADJACENT]),
)
def test_cycles_without_adjacent_rw_are_those_of_the_definition(
    drawn: list[tuple[int, int, Kind]], level: Level
) -> None:
    found = any(cycle.level <= level for cycle in cycles(drawn))
    assert found == closed_walk(drawn, level)
    for cycle in cycles(drawn):
        reads = sum(edge.kind in RW_KINDS for edge in cycle.edges)
        assert (reads == 0, reads == 1) == (cycle.level < Level.SINGLE, cycle.level is Level.SINGLE)
