"""The least k and the least Δ against their definitions, by trying all orders; and what is said of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.atomicity import NEVER, SECOND_NS, TOO_STALE, make
from checkers.linearizable import generic
from checkers.linearizable.models import CAS_REGISTER, UNKNOWN, Model
from checkers.linearizable.wgl import Call
from harness.errors import PlanError
from harness.history import FOREVER, History
from harness.op import Op
from harness.verdict import Budget, Validity, Verdict
from tests.builders import history, timeline
from tests.checkers.brute import linearizable
from tests.checkers.runs import STEPS, Step, could_be_wrong, history_of, register_run, rolls
from tests.examples import examples

MS = 1_000_000


def judged(history: History, **options: float) -> Verdict:
    return make(**options).check(history, Budget())  # type: ignore[arg-type]


def calls_of(history: History) -> list[list[Call]]:
    return [list(case.calls) for case in generic.cases(history.calls(), CAS_REGISTER)]


def last_of(k: int) -> Model:
    """A register that remembers all it ever held, the newest first; a read returns one of the last ``k``."""

    def step(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, Any]:
        if f == "read":
            return result is UNKNOWN or result in state[:k], state
        if f == "cas" and argument[0] != state[0]:
            return result is UNKNOWN, state
        return True, (argument if f == "write" else argument[1], *state)

    return replace(CAS_REGISTER, init=(None,), step=step)


def least_k(calls: list[Call]) -> int | None:
    """By the definition; None if there is none."""
    return next((k for k in range(1, len(calls) + 2) if linearizable(last_of(k), calls)), None)


def least_delta(calls: list[Call]) -> int | None:
    """By the definition, in rows: here the clock ticks once per row."""
    return next((delta for delta in range(60) if linearizable(CAS_REGISTER, moved(calls, delta))), None)


def moved(calls: list[Call], delta: int) -> list[Call]:
    """Reads begin ``delta`` earlier. What ends when another begins is concurrent with it: ends count double, and one more."""
    return [
        Call(
            call=2 * (call.call - (delta if call.f == "read" and call.result is not UNKNOWN else 0)),
            ret=FOREVER if call.ret == FOREVER else 2 * call.ret + 1,
            f=call.f,
            argument=call.argument,
            result=call.result,
        )
        for call in calls
    ]


def check_definition(history: History) -> str:
    calls = calls_of(history)
    ks, deltas = [least_k(part) for part in calls], [least_delta(part) for part in calls]
    if not any(calls):
        return "nothing"
    verdict = judged(history)
    if None in deltas:
        assert verdict.validity is Validity.INVALID
        assert verdict.anomalies[0].name == NEVER
        return "never"
    assert verdict.validity is (Validity.VALID if could_be_wrong(history) else Validity.UNKNOWN)
    assert verdict.stats["k"] == max(k for k in ks if k is not None)
    assert (verdict.stats["seconds"] or 0) * SECOND_NS == pytest.approx(max(d for d in deltas if d is not None) * MS)
    return "linearizable" if verdict.stats["k"] == 1 else "stale"


@examples(60)
@given(STEPS, st.sampled_from([0, 0, 2, 3]))
def test_k_and_delta_are_the_least_by_definition(steps: list[Step], domain: int) -> None:
    check_definition(register_run(steps[:20], domain=domain))


def stale_run(seed: int) -> History:
    """Reads of what was there some writes ago."""
    ops: list[Op] = []
    written: list[int | None] = [None]
    for process, roll in rolls(9, seed, processes=3):
        if roll < 45:
            op = Op(process=process, f="write", value=len(written))
            written.append(op.value)
            ops += [op, op.ok(op.value)]
        else:
            op = Op(process=process, f="read")
            ops += [op, op.ok(written[max(0, len(written) - 1 - roll % 4)])]
    # Some overlap: what ended just before something began ends after it instead.
    for at in range(1, len(ops) - 1):
        if (seed >> at) & 1 and ops[at].type != "invoke" and ops[at + 1].process != ops[at].process:
            ops[at], ops[at + 1] = ops[at + 1], ops[at]
    return history_of(ops)


def test_reads_of_old_values_have_the_least_k_and_delta_of_the_definition() -> None:
    seen = Counter(check_definition(stale_run(seed * 7919)) for seed in range(150))
    assert seen["stale"] >= 40


def test_bounds_are_judged_and_the_sentence_says_what_was_allowed() -> None:
    run = timeline("""
        p0  |- write x 1 -|  |- write x 2 -|  |- write x 3 -|
        p1                                                     |- read x 1 -|
    """)
    verdict = judged(run)
    assert verdict.validity is Validity.VALID
    assert verdict.stats["k"] == 3
    assert verdict.stats["by_key"] == [{"key": "x", "k": 3}]
    assert judged(run, k=3).validity is Validity.VALID
    for k, words in (
        (2, "even if reads may return any of the last 2 values: "),
        (1, "with every read of the last value: "),
    ):
        verdict = judged(run, k=k)
        assert verdict.validity is Validity.INVALID
        assert verdict.anomalies[0].name == TOO_STALE
        assert verdict.reason.startswith(words)
    seconds = judged(run).stats["seconds"]
    assert judged(run, seconds=seconds).validity is Validity.VALID
    verdict = judged(run, seconds=seconds / 2)
    assert verdict.validity is Validity.INVALID
    assert f"even if reads may be {seconds / 2:g} s out of date: process 1 read 1 from key x" in verdict.reason


def test_a_cas_is_one_value_more_as_a_write_is() -> None:
    """The first read saw what the cas wrote, and the second is two values behind it; or the first one is, and the cas came later."""
    verdict = judged(
        history("""
        p0 invoke write x 3
        p0 ok write x 3
        p0 invoke write x 1
        p0 ok write x 1
        p0 invoke write x 2
        p0 ok write x 2
        p0 invoke cas x [2,3]
        p1 invoke read x _
        p1 ok read x 3
        p1 invoke read x _
        p1 ok read x 1
        p0 ok cas x [2,3]
        """)
    )
    assert verdict.stats["k"] == 3


def test_what_is_linearizable_is_said_to_be() -> None:
    verdict = judged(timeline("p0 |- write x 1 -| |- read x 1 -|"))
    assert (verdict.validity, verdict.stats["k"], verdict.stats["seconds"]) == (Validity.VALID, 1, 0.0)
    assert verdict.reason == "every key is linearizable (k = 1, Δ = 0)"


def test_what_begins_at_the_moment_of_an_end_but_behind_it_is_not_beside_it() -> None:
    verdict = judged(
        history("""
        p0 invoke write x 1 time=1ms
        p0 ok write x 1     time=2ms
        p1 invoke read x _  time=2ms
        p1 ok read x _      time=3ms
        """)
    )
    assert (verdict.stats["k"], verdict.stats["seconds"]) == (2, 1 / SECOND_NS)


def test_a_budget_that_ends_leaves_bounds() -> None:
    """Values that repeat, and reads of old ones: the search for k is left no step."""
    ops: list[Op] = []
    for n in range(60):
        write, read = Op(process=n % 3, f="write", value=n % 4), Op(process=3 + n % 2, f="read")
        ops += [write, read, write.ok(n % 4), read.ok(max(0, n - 2) % 4)]
    verdict = make().check(history_of(ops), Budget(steps_max=300, configs_max=50))
    assert verdict.validity is Validity.UNKNOWN
    low, high = verdict.stats["k"]
    assert low >= 1
    assert high is None
    assert judged(history_of(ops)).stats["k"] >= low


def test_without_times_only_k_is_known() -> None:
    op = Op(process=0, f="write", value=1)
    read = Op(process=0, f="read")
    run = History.of([op, op.ok(1), read, read.ok(None)])
    verdict = judged(run)
    assert (verdict.validity, verdict.stats["k"], verdict.stats["seconds"]) == (Validity.VALID, 2, None)
    assert judged(run, seconds=1.0).validity is Validity.UNKNOWN
    phantom = History.of([op, op.ok(1), read, read.ok(9)])
    assert judged(phantom).anomalies[0].name == NEVER


@pytest.mark.parametrize("options", [{"k": 0}, {"k": 1.5}, {"seconds": -1.0}])
def test_bounds_must_be_bounds(options: dict[str, float]) -> None:
    with pytest.raises(PlanError):
        make(**options)  # type: ignore[arg-type]


def test_other_objects_are_unknown() -> None:
    op = Op(process=0, f="enqueue", value=1)
    assert judged(History.of([op, op.ok(1)])).validity is Validity.UNKNOWN
    assert judged(History.of([])).validity is Validity.UNKNOWN
