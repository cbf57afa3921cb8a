"""The operations of a witness: chosen, described, and put in order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.history import History
from harness.op import OpType
from reports.faults import faults
from reports.report import Report
from reports.witness import WITNESS_OPS_MAX, during, place, witness
from tests.builders import history
from tests.reports.runs import small_run

TEXT = """
    p0      invoke write x 1
    p1      invoke read  x _
    p0      ok     write x 1
    p1      ok     read  x 1
    nemesis info   start-kill - {"id":0}
    p2      invoke cas   x [1,2]
    p2      fail   cas   x [1,2]   error=refused
    nemesis info   start-kill - {"id":0,"bit":true}
    p3      invoke write x 3
    p4      invoke read  x _
    p4      info   read  x _       error=timeout
"""


def shown(**anomaly: Any) -> list[str]:
    found = witness(Report(results={}, history=history(TEXT)), anomaly)
    return [f"{op.client}: {op.label} {op.outcome}{' *' if op.shows else ''}" for op in found.ops]


def test_operations_are_described_in_the_order_of_their_invocations() -> None:
    assert shown(witness=[0, 1, 2, 3, 5, 6, 8, 9, 10], ops=[]) == [
        "c0: write x 1 ok",
        "c1: read x → 1 ok",
        "c2: cas x [1, 2] fail",
        "c3: write x 3 info",
        "c4: read x info",
    ]


def test_either_half_names_the_operation() -> None:
    assert shown(witness=[2, 10], ops=[]) == shown(witness=[0, 9], ops=[]) == ["c0: write x 1 ok", "c4: read x info"]


def test_evidence_is_marked_only_where_that_tells_something() -> None:
    assert shown(witness=[0, 1, 2, 3], ops=[3]) == ["c0: write x 1 ok", "c1: read x → 1 ok *"]
    assert shown(witness=[0, 1, 2, 3], ops=[0, 3]) == ["c0: write x 1 ok", "c1: read x → 1 ok"]


def test_without_a_witness_the_evidence_is_shown() -> None:
    assert shown(witness=[], ops=[3]) == ["c1: read x → 1 ok"]
    assert shown() == []


def test_faults_can_be_part_of_a_witness() -> None:
    assert shown(witness=[4]) == ['nemesis: start-kill {"id": 0} info']


@pytest.mark.parametrize("indices", [[99], [-1], ["0"], [None], [True], [1.0]])
def test_indices_that_are_none_of_this_history_are_left_out(indices: list[Any]) -> None:
    assert shown(witness=indices) == []


def test_indices_are_not_rows() -> None:
    whole = history(TEXT)
    part = whole.select([5, 6, 8])
    found = witness(Report(results={}, history=part), {"witness": [8]})
    assert [(op.client, op.first, op.first_index) for op in found.ops] == [("c3", 2, 8)]


def test_details_of_an_operation() -> None:
    op = witness(small_run("invalid"), {"witness": [6]}).ops[0]
    assert (op.client, op.node, op.f, op.key, op.argument, op.result) == ("c0", "n1", "cas", "x", "[1, 4]", None)
    assert (op.outcome, op.error, op.start_ns, op.end_ns) == (
        OpType.FAIL,
        "precondition-failed",
        1_650_000_000,
        1_660_000_000,
    )
    unfinished = witness(small_run("invalid"), {"witness": [18]}).ops[0]
    assert (unfinished.outcome, unfinished.last, unfinished.end_ns) == (OpType.INFO, None, None)


def test_a_huge_witness_says_how_much_it_leaves_out() -> None:
    lines = "\n".join(f"p{n} invoke write x {n}" for n in range(WITNESS_OPS_MAX + 5))
    found = witness(Report(results={}, history=history(lines)), {"witness": list(range(WITNESS_OPS_MAX + 5))})
    assert (len(found.ops), found.left_out) == (WITNESS_OPS_MAX, 5)


@given(st.sets(st.integers(0, 60), min_size=1), st.integers(-5, 70))
def test_places_lie_on_events_or_halfway_between(rows: set[int], row: int) -> None:
    events = sorted(rows)
    below, here = sum(event < row for event in events), row in rows
    assert place(events, row) == (below if here else below - 0.5)


def test_only_faults_of_the_meantime_are_shown() -> None:
    run = Report(
        results={},
        history=history("""
            nemesis info start-kill - {"id":0}
            nemesis info start-kill - {"id":0}
            nemesis info stop-kill - {"id":0}
            nemesis info stop-kill - {"id":0}
            p0 invoke read x _
            nemesis info start-pause - {"id":1}
            nemesis info start-pause - {"id":1}
            p0 ok read x 1
            nemesis info start-clock - {"id":2}
        """),
    )
    assert [fault.kind for fault in during(faults(run), [4, 7])] == ["pause"]
    assert during(faults(run), []) == []


def test_an_empty_history_has_no_witness() -> None:
    assert witness(Report(results={}, history=History.of([])), {"witness": [0], "ops": [1]}).ops == ()
