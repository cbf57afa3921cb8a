"""Bank, monotonic, g2, long fork, causal reverse: words by goldens, verdicts against the definitions."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers import bank, causal_reverse, g2, long_fork, monotonic
from harness.errors import PlanError
from harness.history import FAIL, OK, History
from harness.op import Op
from harness.verdict import Budget, Validity
from tests.builders import timeline
from tests.checkers.loose import stamped
from tests.checkers.weak_goldens import cases, kind, told

CASES = [(name, *case) for name in ("bank", "monotonic", "g2", "long_fork", "causal_reverse") for case in cases(name)]
Step = tuple[int, int]
STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 99)), max_size=18)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1][:40]}")
def test_golden(case: tuple[str, str, str, str, str]) -> None:
    name, comment, options, drawing, wanted = case
    assert told(name, options, drawing) == wanted
    assert wanted.split(maxsplit=1)[0] == kind(comment)


def loose(steps: list[Step], make: Any) -> History:
    """Processes that do what ``make(roll, fresh)`` says, (f, key, argument, result), and end well, badly or not at all."""
    ops: list[Op] = []
    busy: dict[int, tuple[Op, Any]] = {}
    numbers = [0, 1, 2]
    for fresh, (seat, roll) in enumerate(steps):
        if seat not in busy:
            f, key, argument, result = make(roll, fresh)
            busy[seat] = Op(process=numbers[seat], f=f, key=key, value=argument), result
            ops.append(busy[seat][0])
            continue
        call, result = busy.pop(seat)
        if roll % 10 == 0:
            ops.append(call.info("timeout"))
            numbers[seat] += 3
        else:
            ops.append(call.fail("no") if roll % 10 == 1 else call.ok(result))
    return stamped(ops)


def counting(roll: int, _fresh: int) -> tuple[str, Any, Any, Any]:
    return ("increment" if roll % 2 else "read"), "xy"[roll // 2 % 2], None, roll // 4 % 5


@given(STEPS, st.sampled_from(["realtime", "process"]))
def test_monotonic_is_the_definition(steps: list[Step], order: str) -> None:
    run = loose(steps, counting)
    calls = run.calls()
    ok = [row for row in range(len(calls)) if calls.outcome[row] == OK]
    value = {row: done.value for row in ok if (done := calls.completion(row)) is not None}
    wanted = set()
    for a in ok:
        op = calls.op(a)
        begun = sum(
            calls.op(b).f == "increment" and calls.op(b).key == op.key and calls.call[b] < calls.ret[a]
            for b in range(len(calls))
            if calls.outcome[b] != FAIL
        )
        if value[a] > begun:
            wanted.add("unexpected")
        for b in ok:
            before = calls.ret[b] < calls.call[a] and calls.op(b).key == op.key
            if order == "process":
                before = before and calls.process[a] == calls.process[b]
            grew = op.f == "increment"
            if before and (value[a] < value[b] or (grew and value[a] == value[b])):
                wanted.add("nonmonotonic")
            both = grew and calls.op(b).f == "increment" and calls.op(b).key == op.key
            if a != b and both and value[a] == value[b]:
                wanted.add("duplicate")
    verdict = monotonic.make(order=order).check(run, Budget())
    assert {anomaly.name for anomaly in verdict.anomalies} == wanted


def forking(roll: int, fresh: int) -> tuple[str, Any, Any, Any]:
    if roll % 3 == 0:
        write = [["w", fresh, fresh]]
        return "txn", None, write, write
    keys = [0, 1, 2] if roll % 2 else [0, 1]
    seen = [["r", key, key if roll >> (2 + place) & 1 else None] for place, key in enumerate(keys)]
    return "txn", None, [["r", key, None] for key in keys], seen


@given(STEPS)
def test_long_fork_is_the_definition(steps: list[Step]) -> None:
    written = [[["w", key, key]] for key in range(3)]
    first = [
        op for value in written for call in [Op(process=90, f="txn", value=value)] for op in (call, call.ok(value))
    ]
    run = stamped([*first, *(op for op in loose(steps, lambda roll, fresh: forking(roll, fresh + 10)))])
    reads = []
    calls = run.calls()
    for row in range(len(calls)):
        done = calls.completion(row)
        if calls.outcome[row] == OK and done is not None and done.value[0][0] == "r":
            reads.append((tuple(mop[1] for mop in done.value), {mop[1] for mop in done.value if mop[2] is not None}))
    forks = any(one[0] == other[0] and one[1] - other[1] and other[1] - one[1] for one, other in combinations(reads, 2))
    assert (long_fork.make().check(run, Budget()).validity is Validity.INVALID) == forks


def listing(roll: int, fresh: int) -> tuple[str, Any, Any, Any]:
    if roll % 2:
        return "write", None, fresh, fresh
    return "read", None, None, [element for element in range(fresh) if roll >> (1 + element % 5) & 1]


@given(STEPS)
def test_causal_reverse_is_the_definition(steps: list[Step]) -> None:
    run = loose(steps, listing)
    calls = run.calls()
    writes = {
        calls.op(row).value: row
        for row in range(len(calls))
        if calls.op(row).f == "write" and calls.outcome[row] != FAIL
    }
    wanted = False
    for row in range(len(calls)):
        done = calls.completion(row)
        if calls.op(row).f != "read" or calls.outcome[row] != OK or done is None:
            continue
        seen = [
            writes[element]
            for element in done.value
            if element in writes and calls.call[writes[element]] < calls.ret[row]
        ]
        wanted |= any(
            calls.ret[earlier] < calls.call[later] and calls.op(earlier).value not in done.value
            for later in seen
            for earlier in writes.values()
        )
    assert (causal_reverse.make().check(run, Budget()).validity is Validity.INVALID) == wanted


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["ok", "fail", "info"])), max_size=8))
def test_g2_is_the_definition(inserts: list[tuple[int, str]]) -> None:
    ops = []
    for process, (key, outcome) in enumerate(inserts):
        call = Op(process=process, f="insert", key=key, value=[process, None])
        ops += [call, {"ok": call.ok(call.value), "fail": call.fail("taken"), "info": call.info("?")}[outcome]]
    succeeded = [key for key, outcome in inserts if outcome == "ok"]
    verdict = g2.make().check(stamped(ops), Budget())
    twice = len(set(succeeded)) < len(succeeded)
    assert (verdict.validity is Validity.INVALID) == twice
    contested = any(sum(key == other for other, _ in inserts) > 1 for key, _ in inserts)
    assert (verdict.validity is Validity.VALID) == (not twice and contested and bool(succeeded))


def test_figures_of_a_bank() -> None:
    run = timeline('p0 |-- transfer - 1 --|\np1 |-- read - {"a":5,"b":5} --| |-- read - {"a":4,"b":6} --|')
    stats = bank.make().check(run, Budget()).stats
    assert stats == {"reads": 2, "transfers": 1, "accounts": 2, "total": 10, "states_seen": 2, "anomalies": {}}


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(PlanError, match="must be realtime or process"):
        monotonic.make(order="wall-clock")
