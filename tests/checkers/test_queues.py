"""Queues: words by goldens, verdicts against the definition, and the limits of what a crash leaves certain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.queues import order, total
from harness.errors import PlanError
from harness.history import FAIL, INFO, OK, Calls, History
from harness.op import Op
from harness.verdict import Budget, Validity, Verdict
from tests.builders import history
from tests.checkers.loose import stamped
from tests.checkers.weak_goldens import cases, kind, told

CASES = [(name, *case) for name in ("total_queue", "fifo_per_producer") for case in cases(name)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1][:40]}")
def test_golden(case: tuple[str, str, str, str, str]) -> None:
    name, comment, options, drawing, wanted = case
    assert told(name, options, drawing) == wanted
    assert wanted.split(maxsplit=1)[0] == kind(comment)


def loose_queue(steps: list[tuple[int, int]], *, domain: int) -> History:
    """What processes may be told by a queue that does as it likes: a step is a process and a roll. The end finds it empty."""
    ops: list[Op] = []
    busy: dict[int, Op] = {}
    numbers = [0, 1, 2]
    fresh = 0
    for seat, roll in steps:
        if seat not in busy:
            if roll % 2:
                fresh += 1
                busy[seat] = Op(process=numbers[seat], f="enqueue", value=roll // 2 % domain if domain else fresh)
            else:
                busy[seat] = Op(process=numbers[seat], f="drain" if roll % 10 == 0 else "dequeue")
            ops.append(busy[seat])
            continue
        call = busy.pop(seat)
        got = roll // 10 % ((domain or fresh) + 1) + (0 if domain else 1)
        if roll % 10 == 0:
            ops.append(call.info("timeout"))
            numbers[seat] += 3
        elif roll % 10 == 1:
            ops.append(call.fail("refused"))
        elif call.f == "drain":
            ops.append(call.ok([got, (got + roll) % 3]))
        else:
            ops.append(call.ok(call.value if call.f == "enqueue" else got if roll % 7 else None))
    last = Op(process=99, f="dequeue", extra={"final": True})
    return stamped([*ops, last, last.ok(None)])


STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 99)), max_size=16)


def deliveries(calls: Calls) -> Iterator[tuple[int, object]]:
    """(row, element), each, in the order of completions."""
    for row in sorted(range(len(calls)), key=lambda row: calls.ret[row]):
        op, done = calls.op(row), calls.completion(row)
        if op.f != "enqueue" and done is not None and done.type == "ok" and done.value is not None:
            yield from ((row, value) for value in (done.value if op.f == "drain" else [done.value]))


def explained(calls: Calls) -> bool:
    """Whether each delivery can be given an enqueue of its own, and each acknowledged enqueue that is left a dequeue of its own."""
    names = [calls.op(row).f for row in range(len(calls))]
    puts = [row for row in range(len(calls)) if names[row] == "enqueue" and calls.outcome[row] != FAIL]
    takers = sum(names[row] == "dequeue" and calls.outcome[row] == INFO for row in range(len(calls)))
    boundless = any(names[row] == "drain" and calls.outcome[row] == INFO for row in range(len(calls)))
    got = list(deliveries(calls))

    def fits(chosen: tuple[int, ...]) -> bool:
        return all(
            calls.op(put).value == value and calls.call[put] < calls.ret[row]
            for put, (row, value) in zip(chosen, got, strict=True)
        )

    def left(chosen: tuple[int, ...]) -> int:
        return sum(calls.outcome[put] == OK and put not in chosen for put in puts)

    return any(fits(chosen) and (boundless or left(chosen) <= takers) for chosen in permutations(puts, len(got)))


def overtaken(calls: Calls) -> int:
    """Elements that were put in once, before another such one, and first came out after that one had."""
    first: dict[object, int] = {}
    for row, value in deliveries(calls):
        first.setdefault(value, row)
    puts: dict[object, list[int]] = {}
    for row in range(len(calls)):
        if calls.op(row).f == "enqueue":
            puts.setdefault(calls.op(row).value, []).append(row)
    plain = [value for value in first if len(puts.get(value, ())) == 1]
    return sum(
        any(
            calls.ret[puts[one][0]] < calls.call[puts[other][0]] and calls.ret[first[other]] < calls.call[first[one]]
            for other in plain
        )
        for one in plain
    )


def judged(found: History, **options: object) -> Verdict:
    return total.make(**options).check(found, Budget())  # type: ignore[arg-type]  # options of the checker


@given(STEPS, st.sampled_from([0, 2]))
def test_total_queue_is_the_definition(steps: list[tuple[int, int]], domain: int) -> None:
    run = loose_queue(steps, domain=domain)
    calls = run.calls()
    if len(list(deliveries(calls))) > 5:
        return
    verdict = judged(run, delivery="exactly-once")
    assert (verdict.validity is Validity.INVALID) == (not explained(calls))
    assert judged(run, ordered=True).stats["anomalies"].get("reordered", 0) == overtaken(calls)
    weaker = [judged(run, delivery=delivery).validity for delivery in ("at-least-once", "at-most-once")]
    names = {anomaly.name for anomaly in verdict.anomalies}
    assert [validity is Validity.INVALID for validity in weaker] == [
        bool(names - {"duplicated"}),
        bool(names - {"lost"}),
    ]


@given(STEPS, st.booleans())
def test_order_is_the_definition(steps: list[tuple[int, int]], redeliveries: bool) -> None:
    run = loose_queue(steps, domain=0)
    calls = run.calls()
    verdict = order.make(redeliveries=redeliveries).check(run, Budget())
    assert (verdict.validity is Validity.INVALID) == (not ordered(calls, redeliveries=redeliveries))


def ordered(calls: Calls, *, redeliveries: bool) -> bool:
    """Whether, without so many elements as may be late, no consumer first gets an element after a later one of the same producer."""
    sent = {calls.op(row).value: row for row in range(len(calls)) if calls.op(row).f == "enqueue"}
    got = [(row, value) for row, value in deliveries(calls) if value in sent and calls.outcome[sent[value]] != FAIL]
    firsts = [
        (row, value)
        for place, (row, value) in enumerate(got)
        if not any(other == value and calls.process[row] == calls.process[earlier] for earlier, other in got[:place])
        and not (
            redeliveries and any(other == value and at != row and calls.call[at] < calls.ret[row] for at, other in got)
        )
    ]
    unsure = [calls.op(row).f for row in range(len(calls)) if calls.outcome[row] == INFO]
    excuses = unsure.count("dequeue") + len(firsts) * unsure.count("drain") if redeliveries else 0

    def fine(kept: tuple[tuple[int, object], ...]) -> bool:
        return not any(
            calls.process[x[0]] == calls.process[y[0]]
            and calls.process[sent[x[1]]] == calls.process[sent[y[1]]]
            and sent[x[1]] > sent[y[1]]
            for x, y in combinations(kept, 2)
        )

    most = min(excuses, len(firsts))
    return any(fine(kept) for gone in range(most + 1) for kept in combinations(firsts, len(firsts) - gone))


@given(st.lists(st.integers(0, 8), unique=True, max_size=7))
def test_what_is_late_is_all_but_the_longest_part_in_order(puts: list[int]) -> None:
    parts = (part for length in range(len(puts) + 1) for part in combinations(puts, length))
    assert order._longest([(put, 0) for put in puts]) == max(len(part) for part in parts if list(part) == sorted(part))


def test_what_is_excused_is_counted_and_only_then() -> None:
    ops = [
        op for value in range(3) for call in [Op(process=0, f="enqueue", value=value)] for op in (call, call.ok(value))
    ]
    taken = [op for value in (1, 0, 2) for call in [Op(process=1, f="dequeue")] for op in (call, call.ok(value))]
    unsure = Op(process=7, f="drain")
    for first, redeliveries, excused, found in (
        ([], False, 0, 1),
        ([], True, 0, 1),
        ([unsure], True, 1, 0),
        ([unsure], False, 0, 1),
    ):
        verdict = order.make(redeliveries=redeliveries).check(stamped([*first, *ops, *taken]), Budget())
        assert verdict.stats["excused"] == excused
        assert verdict.stats["anomalies"].get("reordered", 0) == found


def test_an_unknown_promise_is_refused() -> None:
    with pytest.raises(PlanError, match="delivery is 'twice'; it must be one of exactly-once"):
        judged(history("p0 invoke dequeue - _"), delivery="twice")


@pytest.mark.parametrize("made", [total.make, order.make])
def test_what_is_no_queue_is_unknown(made: type[total.TotalQueue]) -> None:
    for text in ("p0 invoke read - _\np0 ok read - 1", "p0 invoke drain - _\np0 ok drain - 7"):
        verdict = made().check(history(text), Budget())
        assert verdict.validity is Validity.UNKNOWN
        assert verdict.reason.startswith("not a history of queues: ")


def test_figures() -> None:
    ops = [
        op for value in range(4) for call in [Op(process=0, f="enqueue", value=value)] for op in (call, call.ok(value))
    ]
    ops += [Op(process=9, f="enqueue", value=9), Op(process=10, f="dequeue")]
    for value in (0, 1, 9, None):
        call = Op(process=1, f="dequeue")
        ops += [call, call.ok(value)]
    stats = judged(stamped(ops)).stats
    assert stats == {
        "queues": 1,
        "acknowledged": 4,
        "delivered": 3,
        "unknown_enqueues": 1,
        "unknown_dequeues": 1,
        "maybe_taken": 1,
        "maybe_inside": 0,
        "anomalies": {"lost": 1, "recovered": 1},
    }


def test_many_losses_are_counted_and_some_are_told() -> None:
    ops = [
        op for value in range(20) for call in [Op(process=0, f="enqueue", value=value)] for op in (call, call.ok(value))
    ]
    call = Op(process=1, f="dequeue")
    verdict = judged(stamped([*ops, call, call.ok(None)]))
    assert len(verdict.anomalies) == 8
    assert verdict.reason.endswith("(lost: 20)")
    unsure = [replace(call, process=7), *ops, call, call.ok(None)]
    (anomaly,) = judged(stamped(unsure)).anomalies
    assert anomaly.reason.startswith(
        "20 acknowledged elements never came out (0, 1, 2, 3, 4, 5, 6 and 7 and 12 more), and only 1 "
    )
    assert anomaly.reason.endswith("so at least 19 are lost")
