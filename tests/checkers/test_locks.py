"""Locks: words by goldens, verdicts against the definition and against linearizability of a mutex."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.linearizable.check import make as linearizable
from checkers.locks.check import make
from checkers.locks.holds import holds_of, names_of
from checkers.precedence import greatest_before
from harness.history import OK, Calls, History
from harness.op import Op
from harness.verdict import Budget, Validity
from tests.builders import history
from tests.checkers.loose import stamped
from tests.checkers.weak_goldens import cases, kind, told

CASES = cases("locks")
Step = tuple[int, int]
STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 99)), max_size=24)


@pytest.mark.parametrize(("comment", "options", "drawing", "wanted"), CASES, ids=lambda text: text[:40])
def test_golden(comment: str, options: str, drawing: str, wanted: str) -> None:
    assert told("locks", options, drawing) == wanted
    assert wanted.split(maxsplit=1)[0] == kind(comment)


def loose_locks(steps: list[Step], *, tame: bool) -> History:
    """Processes that acquire, use and release as they like. ``tame``: none crashes, leases are unknown, and each keeps its turn."""
    ops: list[Op] = []
    busy: dict[int, Op] = {}
    held: set[int] = set()
    numbers = [0, 1, 2]
    for seat, roll in steps:
        if seat not in busy:
            f = ("release" if seat in held else "acquire") if tame else ("acquire", "release", "use", "renew")[roll % 4]
            value = roll // 4 % 5 if f == "use" else None
            busy[seat] = Op(process=numbers[seat], f=f, key="xy"[roll // 50] if not tame else "x", value=value)
            ops.append(busy[seat])
            continue
        call = busy.pop(seat)
        if not tame and roll % 10 == 0:
            ops.append(call.info("timeout"))
            numbers[seat] += 3
        elif roll % 10 < 3 and not (tame and call.f == "release"):
            ops.append(call.fail("refused"))
        else:
            (held.add if call.f == "acquire" else held.discard)(seat)
            lease = {"lease_s": roll % 7 / 1000} if not tame and roll % 2 else {}
            ops.append(
                call.ok({"token": roll // 10, **lease} if call.f in ("acquire", "renew") and not tame else call.value)
            )
    return stamped(ops)


@given(STEPS)
def test_without_leases_mutual_exclusion_is_linearizability(steps: list[Step]) -> None:
    run = loose_locks([(0, 0), *steps], tame=True)
    found = {anomaly.name for anomaly in make().check(run, Budget()).anomalies}
    wanted = linearizable(model="mutex").check(run, Budget()).validity
    # A failed operation of a mutex is an observation for nobody: both leave it out.
    assert (found == {"mutual-exclusion"}) == (wanted is Validity.INVALID)


def certain(calls: Calls, run: History) -> dict[float, list[tuple[object, int]]]:
    """For each instant just after a line (line + 0.5) the (key, process) that are certain of a lock, by the definition."""
    ms = run.time_ns / 1e6
    found: dict[float, list[tuple[object, int]]] = {}
    for at in (line + 0.5 for line in range(len(run))):
        found[at] = []
        for row in range(len(calls)):
            op, done = calls.op(row), calls.completion(row)
            if op.f not in ("acquire", "renew") or done is None or done.type != "ok" or calls.ret[row] > at:
                continue
            lease_s = done.value.get("lease_s") if isinstance(done.value, dict) else None
            if op.f == "renew" and lease_s is None:
                continue
            if lease_s is not None and ms[int(at - 0.5)] >= ms[calls.call[row]] + lease_s * 1000:
                continue
            over = any(
                line.process == op.process
                and (
                    line.type == "info"
                    or (line.key == op.key and line.type == "invoke" and line.f in ("acquire", "release"))
                )
                for line in list(run)[int(calls.ret[row]) + 1 : int(at - 0.5) + 1]
            )
            if not over:
                found[at].append((op.key, int(calls.process[row])))
    return found


@given(STEPS)
def test_verdicts_are_those_of_the_definition(steps: list[Step]) -> None:
    run = loose_locks(steps, tame=False)
    calls = run.calls()
    holders = certain(calls, run)
    names = {anomaly.name for anomaly in make().check(run, Budget()).anomalies}
    fenced = {anomaly.name for anomaly in make(fenced=True).check(run, Budget()).anomalies}
    shared = any(len({p for k, p in now if k == key}) > 1 for now in holders.values() for key in "xy")
    assert ("mutual-exclusion" in names) == shared
    assert fenced == names - {"mutual-exclusion", "intrusion"}
    ok = [row for row in range(len(calls)) if calls.outcome[row] == OK]
    if not shared:
        intruded = any(
            calls.op(row).f == "use"
            and any(
                p != calls.process[row]
                and k == calls.op(row).key
                and all((k, p) in holders[at] for at in span(calls, row))
                for k, p in holders[calls.call[row] - 0.5]
            )
            for row in ok
            if calls.call[row]
        )
        assert ("intrusion" in names) == intruded
    pairs = [(a, b) for a in ok for b in ok if a != b and calls.op(a).key == calls.op(b).key]
    assert ("stale-token" in names) == any(
        calls.op(a).f == calls.op(b).f == "use"
        and calls.ret[a] < calls.call[b]
        and calls.op(a).value > calls.op(b).value
        for a, b in pairs
    )
    given_out = {
        row: done.value["token"] for row in ok if calls.op(row).f == "acquire" and (done := calls.completion(row))
    }
    assert ("token-order" in names) == any(
        a in given_out
        and b in given_out
        and (given_out[a] == given_out[b] or (calls.ret[a] < calls.call[b] and given_out[a] > given_out[b]))
        for a, b in pairs
    )


def span(calls: Calls, row: int) -> list[float]:
    """The instants from just before the invocation to just after the completion."""
    return [line + 0.5 for line in range(int(calls.call[row]) - 1, int(calls.ret[row]) + 1)]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5))), st.lists(st.integers(0, 20)))
def test_the_greatest_before_is_the_greatest_before(ended: list[tuple[int, int]], calls: list[int]) -> None:
    ret, value = ([pair[at] for pair in ended] for at in (0, 1))
    import numpy as np

    found = greatest_before(
        np.array(ret, dtype=np.int64), np.array(value, dtype=np.int64), np.array(calls, dtype=np.int64)
    )
    for call, place in zip(calls, found.tolist(), strict=True):
        before = [v for r, v in ended if r < call]
        assert (place < 0) == (not before)
        if before:
            assert ret[place] < call
            assert value[place] == max(before)


def test_leases_need_times() -> None:
    run = History.of([Op(process=0, f="acquire"), Op(process=0, f="acquire").ok({"lease_s": 1})])
    assert "no times" in make().check(run, Budget()).reason
    assert (
        "is -1, which is no time"
        in make().check(history('p0 invoke acquire x _\np0 ok acquire x {"lease_s": -1}'), Budget()).reason
    )


def test_a_process_does_not_exclude_itself() -> None:
    run = history("p0 invoke acquire x _\np0 ok acquire x _\np0 invoke acquire x _\np0 ok acquire x _")
    assert len(holds_of(run.calls(), names_of(run.calls()))) == 2
    assert not make().check(run, Budget()).anomalies


def test_many_holders_at_once_are_each_told_of_one_who_was_there() -> None:
    dice = random.Random(1)
    ops = [
        op
        for process in dice.sample(range(30), 30)
        for call in [Op(process=process, f="acquire")]
        for op in (call, call.ok(None))
    ]
    verdict = make().check(stamped(ops), Budget())
    assert verdict.stats["anomalies"] == {"mutual-exclusion": 29}
    assert len(verdict.anomalies) == 8
