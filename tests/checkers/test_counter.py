"""Counters: words by goldens, verdicts against the definition, and against a counter that works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers import subset_sums
from checkers.counter import ANOMALIES, make, whole
from harness.errors import PlanError
from harness.history import FOREVER, History
from harness.op import Op
from harness.verdict import Budget, Validity, Verdict
from tests.builders import timeline
from tests.checkers.loose import STEP_NS, Step, stamped, steps
from tests.checkers.weak_goldens import cases, kind, told

CASES = cases("counter")
AMOUNTS = (1, 5, 7, 30, -2, -11)


def check(run: History, *, steps_max: int = 50_000_000, **options: Any) -> Verdict:
    return make(**options).check(run, Budget(steps_max=steps_max))


@pytest.mark.parametrize(("comment", "options", "drawing", "wanted"), CASES, ids=lambda text: text[:40])
def test_golden(comment: str, options: str, drawing: str, wanted: str) -> None:
    assert told("counter", options, drawing) == wanted
    assert wanted.split(maxsplit=1)[0] == kind(comment)


def test_every_name_of_an_anomaly_has_a_golden() -> None:
    assert {name for _, _, _, wanted in CASES for name in wanted.split("\n")[0].split()[1:]} == set(ANOMALIES)


def counted(drawn: Sequence[Step], *, lies: bool, keys: int = 1, amounts: Sequence[int] = AMOUNTS) -> History:
    """A run of counters: adds take effect at once, late or never; reads tell the truth, unless they lie."""
    ops: list[Op] = []
    totals = dict.fromkeys("xyz", 0)
    late: list[Op] = []
    busy: dict[int, tuple[Op, int | None]] = {}
    numbers = list(range(4))
    for seat, roll in drawn:
        if late and roll % 7 == 0:
            op = late.pop(0)
            totals[op.key] += op.value
        if seat not in busy:
            key = "xyz"[roll // 10 % keys]
            read = roll % 2 == 0
            op = Op(
                process=numbers[seat], f="read" if read else "add", key=key, value=None if read else amounts[roll % 6]
            )
            busy[seat] = op, None
        else:
            op, result = busy[seat]
            if result is None:  # now it takes effect, and its completion follows later
                if op.f == "add" and roll % 10 > 1:
                    totals[op.key] += op.value
                busy[seat] = op, totals[op.key]
                if op.f == "add" and roll % 10 < 2:
                    del busy[seat]
                    numbers[seat] += 4
                    if roll % 10 == 0:
                        late.append(op)
                    ops.append(op.info("timeout") if roll % 10 == 0 else op.fail("refused"))
                continue
            del busy[seat]
            lie = AMOUNTS[roll // 10 % 6] if lies and roll % 10 == 1 else 0
            op = op.ok(op.value if op.f == "add" else result + lie)
        ops.append(op)
    return stamped(ops)


def possible(run: History, read: int) -> set[int]:
    """All that the read of that row could return, by the definition."""
    calls = run.calls()
    certain, open_ = 0, []
    for row in range(len(calls)):
        op = calls.op(row)
        if op.f != "add" or op.key != run[read].key or calls.outcome[row] == 2 or calls.call[row] > run.pair[read]:
            continue
        if calls.ret[row] != FOREVER and calls.ret[row] < read:
            certain += op.value
        else:
            open_.append(op.value)
    return {certain + sum(some) for size in range(len(open_) + 1) for some in combinations(open_, size)}


def impossible_reads(run: History) -> list[int]:
    done = [row for row, op in enumerate(run) if op.f == "read" and op.type == "ok"]
    return [row for row in done if run[row].value not in possible(run, int(run.pair[row]))]


@pytest.mark.parametrize("bits_max", [0, 20, 1 << 17])
@given(drawn=steps(34))
def test_verdicts_are_those_of_the_definition(bits_max: int, drawn: list[Step]) -> None:
    run = counted(drawn, lies=True, keys=2)
    with patch.object(subset_sums, "BITS_MAX", bits_max):
        verdict = check(run)
    wrong = impossible_reads(run)
    assert (verdict.validity is Validity.INVALID) == bool(wrong)
    assert verdict.stats.get("wrong_reads", 0) == len(wrong)
    shown = [{row for row in wrong if row in anomaly.ops} for anomaly in verdict.anomalies]
    assert len(shown) == min(len(wrong), 8)
    assert all(shown)


@pytest.mark.parametrize("may", ["repeat", "lose"])
@given(drawn=steps(34))
def test_half_a_promise_is_a_bound_on_one_side(may: str, drawn: list[Step]) -> None:
    run = counted(drawn, lies=True, keys=2, amounts=[abs(amount) for amount in AMOUNTS])
    done = [row for row, op in enumerate(run) if op.f == "read" and op.type == "ok"]
    sums = {row: possible(run, int(run.pair[row])) for row in done}
    wrong = [
        row for row in done if (run[row].value < min(sums[row]) if may == "repeat" else run[row].value > max(sums[row]))
    ]
    verdict = check(run, may=may)
    assert (verdict.validity is Validity.INVALID) == bool(wrong)
    assert verdict.stats.get("wrong_reads", 0) == len(wrong)


def test_half_a_promise_says_nothing_where_adds_are_negative() -> None:
    run = timeline("p0 |-- add - -3 --| |-- read - 3 --|")
    assert check(run, may="lose").validity is Validity.UNKNOWN
    with pytest.raises(PlanError, match="may is 'forget'"):
        make(may="forget")


@given(drawn=steps(60))
def test_a_counter_that_works_is_never_accused(drawn: list[Step]) -> None:
    assert check(counted(drawn, lies=False, keys=2)).validity is not Validity.INVALID


@given(drawn=steps(34), steps_max=st.integers(0, 30))
def test_a_small_budget_never_changes_a_verdict_but_to_unknown(drawn: list[Step], steps_max: int) -> None:
    run = counted(drawn, lies=True)
    generous, stingy = check(run), check(run, steps_max=steps_max)
    assert stingy.validity in (generous.validity, Validity.UNKNOWN)
    if stingy.validity is not generous.validity:
        assert stingy.stats["undecided_reads"] > 0


def test_a_budget_that_is_spent_is_unknown_and_says_so() -> None:
    run = timeline("""
        p0   |-- add - 3 --|  |-- add - 9 ----------|
        p1                      |-- add - 5 ----|
        p2                          |-- read - 8 --|
        p3                          |-- read - 12 --|
    """)
    assert check(run).validity is Validity.VALID
    verdict = check(run, steps_max=0)
    assert verdict.validity is Validity.UNKNOWN
    assert verdict.reason == (
        "2 of 2 reads undecided: they lie within the bounds, but the adds in doubt have too many sums to tell whether one of them fits"
    )


def test_all_counters_share_the_budget() -> None:
    drawing = """
        p0   |-- add {key} 9 ----------------|  |-- add {key} 1 --|
        p1     |-- add {key} 5 ----------|
        p2          |-- read {key} 5 --|
    """
    one = timeline(drawing.format(key="x"))
    needed = next(steps_max for steps_max in range(50) if check(one, steps_max=steps_max).validity is Validity.VALID)
    two = stamped([*one, *(replace(op, process=op.process + 100, key="y") for op in one)])  # type: ignore[operator]
    assert check(two, steps_max=needed).validity is Validity.UNKNOWN
    assert check(two, steps_max=2 * needed).validity is Validity.VALID


@given(drawn=steps(40))
def test_other_counters_and_other_names_change_nothing(drawn: list[Step]) -> None:
    run = counted(drawn, lies=True)
    again = stamped(
        Op(process=op.process + 100, f=op.f, key="other", value=op.value, type=op.type, error=op.error)  # type: ignore[operator]
        for op in run
    )
    both = stamped([*run, *again])
    assert check(again).validity is check(run).validity
    assert check(both).stats.get("wrong_reads", 0) == 2 * check(run).stats.get("wrong_reads", 0)


@given(drawn=steps(40), more=st.integers(1, 1_000_000))
def test_failed_adds_and_later_ones_change_nothing(drawn: list[Step], more: int) -> None:
    run = counted(drawn, lies=True)
    failed, crashed = Op(process=77, f="add", key="x", value=more), Op(process=78, f="add", key="x", value=more)
    extra, later = [failed, failed.fail("no")], [crashed, crashed.info("timeout")]
    assert check(stamped([*extra, *run, *later])).stats.get("wrong_reads", 0) == check(run).stats.get("wrong_reads", 0)


def test_figures_say_how_much_is_missing_or_too_much() -> None:
    run = timeline("""
        p0   |-- add - 3 --|  |-- add - 9 -->
        p1                      |-- read - 1 --|  |-- read - 20 --|  |-- read - 12 --|
    """)
    assert check(run).stats == {
        "reads": 3,
        "wrong_reads": 2,
        "undecided_reads": 0,
        "missing_most": 2,
        "excess_most": 8,
        "exact_reads": 0,
        "adds_ok": 1,
        "adds_unknown": 1,
    }


def test_whole_numbers() -> None:
    assert [whole(value) for value in (3, 3.0, None, True, 1.5, "3", [3])] == [3, 3, 0, None, None, None, None]


@given(drawn=steps(34), settle=st.integers(0, 6), final_from=st.integers(0, 30))
def test_a_time_to_settle_only_adds_what_final_reads_may_lack(drawn: list[Step], settle: int, final_from: int) -> None:
    run = stamped(
        replace(op, extra={"final": True}) if op.f == "read" and row >= final_from and op.type == "invoke" else op
        for row, op in enumerate(counted(drawn, lies=True))
    )
    wrong = []
    for row, op in enumerate(run):
        call = int(run.pair[row])
        if op.f == "read" and op.type == "ok" and run[call].extra:
            calls = run.calls()
            certain, open_ = 0, []
            for add in (calls.op(at) for at in range(len(calls)) if calls.outcome[at] != 2):
                done = int(run.pair[add.index])
                if add.f != "add" or add.key != op.key or add.index > row:
                    continue
                if done >= 0 and run[done].type == "ok" and done + max(settle, 1) <= call:
                    certain += add.value
                else:
                    open_.append(add.value)
            sums = {certain + sum(some) for size in range(len(open_) + 1) for some in combinations(open_, size)}
            wrong += [row] if op.value not in sums else []
    verdict = make(final_only=True, settle_s=settle * STEP_NS / 1e9).check(run, Budget())
    assert verdict.stats.get("wrong_reads", 0) == len(wrong)


def test_a_time_to_settle_is_for_eventual_counters() -> None:
    with pytest.raises(PlanError, match="needs final_only"):
        make(settle_s=1.0)
    with pytest.raises(PlanError, match="settle_s is -1"):
        make(final_only=True, settle_s=-1)
