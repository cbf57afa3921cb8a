"""Rates, limits of time, rotating schedules, and waiting."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from harness.errors import PluginError
from harness.generator import (
    EMPTY,
    NEMESIS_THREAD,
    PENDING,
    Context,
    Generator,
    after_event,
    any_of,
    clients,
    cycle_times,
    delay,
    limit,
    nemesis,
    on_threads,
    pending_until,
    phases,
    repeat,
    stagger,
    synchronize,
    time_limit,
    until_ok,
)
from harness.op import Op, OpType
from tests.virtual_time import Simulation, after, context, invocations, perfect, quick, simulate, told

A, B, C = {"f": "a"}, {"f": "b"}, {"f": "c"}
NS = 1e-9


@pytest.mark.parametrize(
    "make",
    [
        lambda g: stagger(1, g),
        lambda g: delay(1, g),
        lambda g: time_limit(1, g),
        lambda g: pending_until(lambda _: True, g),
        lambda g: after_event(lambda _: True, g),
    ],
)
def test_what_is_made_of_nothing_has_nothing(make: Callable[[Any], Generator]) -> None:
    assert make(None) is EMPTY
    assert cycle_times() is EMPTY
    assert perfect(cycle_times((1, None))) == []


@pytest.mark.parametrize("make", [stagger, delay])
@pytest.mark.parametrize("seconds", [-0.1, float("nan")])
def test_a_rate_needs_a_time(make: Callable[..., Generator], seconds: float) -> None:
    with pytest.raises(PluginError, match="not negative"):
        make(seconds, A)


# Stagger.


def test_stagger_keeps_the_rate_over_all_threads() -> None:
    ops = perfect(stagger(20 * NS, ({"f": "write", "value": v} for v in range(2000))), concurrency=5)
    times = told(ops, "time_ns")
    assert abs(times[-1] / 2000 - 20) < 1
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(gaps) < 3
    assert 37 < max(gaps) <= 40
    assert told(ops, "value") == list(range(2000))


def test_stagger_begins_at_once() -> None:
    assert told(perfect(stagger(1, A)), "time_ns") == [0]


def test_stagger_is_not_slowed_down_by_a_late_runner() -> None:
    # Every op is performed 300 ns after its time, as by a runner that wakes up late: the rate is still 1 per 1000 ns.
    generator, ctx, times = stagger(1000 * NS, repeat(A)), context(50), []
    for _ in range(1000):
        answer = generator.op(ctx)
        assert isinstance(answer, tuple)
        ctx = ctx.at(max(ctx.time_ns, answer[0].time_ns) + 300)
        answer = generator.op(ctx)
        assert isinstance(answer, tuple)
        generator = answer[1]
        times.append(answer[0].time_ns)
    assert times == sorted(times)
    assert 950_000 < times[-1] < 1_050_000


def test_stagger_does_not_make_up_for_a_standstill() -> None:
    # The only client is busy for 1000 ns; afterwards at most a few ops come at once, not a hundred.
    latencies = iter([1000])

    def world(_: object, op: Op) -> Op:
        return Op(f=op.f, process=op.process, type=OpType.OK, time_ns=op.time_ns + next(latencies, 1))

    times = told(invocations(simulate(clients(stagger(10 * NS, repeat(A, 200))), world, concurrency=1)), "time_ns")
    assert times[1] == 1000
    assert sum(time < 1010 for time in times) < 12
    assert 900 + 2000 * 0.8 < times[-1] < 1100 + 2000 * 1.2


def test_stagger_gives_the_same_op_while_nothing_changes() -> None:
    ctx = context(3)
    first = stagger(10 * NS, repeat(lambda c: {"f": "write", "value": c.rng.random()})).op(ctx)
    assert isinstance(first, tuple)
    waiting = first[1]
    ops = []
    for _ in range(5):
        answer = waiting.op(ctx)
        assert isinstance(answer, tuple)
        ops.append(answer[0])
    assert len({id(op) for op in ops}) == 1
    # A thread has begun an op meanwhile: the question is another one.
    busy = waiting.op(ctx.busy(ctx.thread_of(ops[0].process), 0))
    assert isinstance(busy, tuple)
    assert busy[0].process != ops[0].process
    assert busy[0].time_ns == ops[0].time_ns


def test_a_remembered_answer_is_for_those_processes_and_those_threads_alone() -> None:
    ctx = context(2)
    first = stagger(10 * NS, repeat(synchronize(A))).op(ctx)
    assert isinstance(first, tuple)
    waiting = first[1]
    busy = ctx.busy(1, 0)
    assert waiting.op(busy.restrict(0b011)) is PENDING
    alone = waiting.op(busy.restrict(0b001))
    assert isinstance(alone, tuple)
    assert alone[0].process == 0
    crashed = ctx.restrict(0b001).busy(0, 0).crashed(0, 0)
    again = waiting.op(crashed)
    assert isinstance(again, tuple)
    assert again[0].process == 2


def test_stagger_asks_anew_when_its_time_has_passed() -> None:
    ctx = context(1)
    first = stagger(10 * NS, repeat(A)).op(ctx)
    assert isinstance(first, tuple)
    planned = first[1].op(ctx)
    late = first[1].op(ctx.at(1000))
    assert isinstance(planned, tuple)
    assert isinstance(late, tuple)
    assert planned[0].time_ns < 20
    assert late[0].time_ns == 1000


def test_what_is_staggered_sees_the_time_of_its_op() -> None:
    times = perfect(stagger(50 * NS, limit(20, lambda c: {"f": "write", "value": c.time_ns})))
    assert told(times, "value") == told(times, "time_ns")


def test_staggered_ops_hear_of_events() -> None:
    ops = perfect(clients(stagger(100 * NS, until_ok(repeat(A)))), concurrency=1)
    assert len(ops) == 1


# Delay.


def test_delay_keeps_ops_apart() -> None:
    ops = perfect(limit(5, delay(3 * NS, repeat(A))))
    # At 9 and 12 everybody is busy: those ops come as soon as they can.
    assert told(ops, "time_ns") == [0, 3, 6, 10, 13]


def test_delay_moves_ops_that_would_be_early() -> None:
    assert told(
        perfect(delay(30 * NS, [{**A, "time_ns": 5}, {**A, "time_ns": 7}, {**A, "time_ns": 100}])), "time_ns"
    ) == [
        5,
        35,
        100,
    ]


# Time limit.


def test_time_limit_counts_from_the_first_op() -> None:
    ops = perfect(phases(delay(100 * NS, A), time_limit(25 * NS, repeat(B)), C), concurrency=1)
    assert told([op for op in ops if op.f == "b"], "time_ns") == [10, 10, 20, 20, 30, 30]
    assert told(ops, "f", "time_ns")[-1] == ("c", 40)


def test_time_limits_in_phases() -> None:
    ops = perfect([time_limit(20 * NS, repeat(A)), time_limit(10 * NS, repeat(B))])
    assert told(ops, "f", "time_ns") == [("a", 0)] * 3 + [("a", 10)] * 3 + [("b", 20)] * 3


@pytest.mark.parametrize("seconds", [0, -3, float("nan")])
def test_no_time_is_no_op(seconds: float) -> None:
    assert time_limit(seconds, A) is EMPTY


def test_time_limit_ends_what_is_pending() -> None:
    generator = time_limit(10 * NS, [A, pending_until(lambda _: False, B)])
    run = Simulation(clients([generator, C]), after(1), context())
    assert told(run.run(poll_ns=5)[::2], "f", "time_ns") == [("a", 0), ("c", 11)]


def test_a_late_op_of_the_nemesis_does_not_end_the_clients() -> None:
    # At 20 ns all clients are busy and the nemesis's next op is beyond the limit: Jepsen's time-limit would end here, 80 ns early.
    tree = time_limit(100 * NS, any_of(nemesis(delay(500 * NS, repeat(A))), clients(repeat(B))))
    run = Simulation(tree, after(30), context())
    starts = {time for time, f in told(run.run(poll_ns=1), "time_ns", "f") if f == "b"}
    assert starts == {0, 30, 60, 90, 120}


def test_time_limit_holds_for_what_hears() -> None:
    ops = perfect(clients(time_limit(1000 * NS, until_ok(repeat(A)))), concurrency=1)
    assert len(ops) == 1


# Rotating schedules.


def test_cycle_times_rotates() -> None:
    ops = perfect(limit(8, cycle_times((30 * NS, clients(repeat(A))), (20 * NS, clients(repeat(B))))), concurrency=1)
    assert told(ops, "f", "time_ns") == [
        ("a", 0),
        ("a", 10),
        ("a", 20),
        ("b", 30),
        ("b", 40),
        ("a", 50),
        ("a", 60),
        ("a", 70),
    ]


def test_cycle_times_goes_on_where_it_stopped() -> None:
    numbers = [{"f": "a", "value": v} for v in range(5)]
    ops = perfect(clients(cycle_times((20 * NS, numbers), (10 * NS, repeat(B)))), concurrency=1)
    assert told(ops, "f", "value") == [
        ("a", 0),
        ("a", 1),
        ("b", None),
        ("a", 2),
        ("a", 3),
        ("b", None),
        ("a", 4),
    ]


def test_cycle_times_skips_a_window_without_an_op() -> None:
    # The op of A falls behind its window, so B is asked for its own, and A comes in its next; then A has ended.
    ops = perfect(clients(cycle_times((10 * NS, delay(45 * NS, repeat(A, 2))), (20 * NS, repeat(B)))), concurrency=1)
    assert told(ops, "f", "time_ns") == [
        ("a", 0),
        ("b", 10),
        ("b", 20),
        ("b", 40),
        ("b", 50),
        ("a", 60),
    ]


def test_cycle_times_begins_with_its_first_op() -> None:
    ops = perfect(
        clients(phases(repeat(A, 3), limit(3, cycle_times((15 * NS, repeat(B)), (10 * NS, repeat(C)))))), concurrency=1
    )
    assert told(ops, "f", "time_ns")[3:] == [("b", 30), ("b", 40), ("c", 50)]


def test_cycle_times_hears_of_events() -> None:
    ops = perfect(clients(cycle_times((15 * NS, until_ok(repeat(A))), (10 * NS, repeat(B)))), concurrency=1)
    assert told(ops, "f") == ["a"]
    ctx = context()
    waiting = cycle_times((15, A), (10, B))
    assert waiting.update(ctx, Op(f="a", process=0)) is waiting


def test_cycle_times_is_pending_with_the_one_whose_turn_it_is() -> None:
    assert cycle_times((1, pending_until(lambda _: False, A)), (1, B)).op(context()) is PENDING


def test_windows_that_are_too_short_are_found_out() -> None:
    def later(ctx: Context) -> Op:
        return Op(f="a", time_ns=ctx.time_ns + 1000)

    with pytest.raises(PluginError, match="they are too short"):
        cycle_times((5 * NS, later)).op(context())
    with pytest.raises(PluginError, match="longer than 0 s"):
        cycle_times((1, A), (0, B))


# Waiting.


def test_pending_until_its_condition_holds() -> None:
    run = Simulation(pending_until(lambda ctx: ctx.time_ns >= 3000, repeat(A, 2)), after(1), context())
    assert told(invocations(run.run(poll_ns=1000)), "f", "time_ns") == [("a", 3000), ("a", 3000)]


def test_a_condition_is_not_asked_again() -> None:
    asked: list[int] = []

    def once_asked(ctx: Context) -> bool:
        asked.append(ctx.time_ns)
        return True

    assert len(quick(pending_until(once_asked, repeat(A, 5)))) == 5
    assert len(asked) == 1


def test_what_waits_hears_of_events() -> None:
    ctx = context(1)
    waiting = pending_until(lambda _: True, until_ok(repeat(A)))
    assert waiting.update(ctx, Op(f="a", process=0)) is waiting
    heard = pending_until(lambda _: False, after_event(lambda event: event.f == "x", A))
    assert heard.update(ctx, Op(f="x", process=0)) is not heard


def test_after_event_waits_for_it() -> None:
    waiting = after_event(lambda event: event.f == "a" and event.type is OpType.OK, B)
    ops = perfect(clients(any_of(waiting, limit(3, on_threads({0}, repeat(A))))))
    assert told(ops, "f", "time_ns") == [("a", 0), ("b", 10), ("a", 10), ("a", 20)] or told(ops, "f", "time_ns") == [
        ("a", 0),
        ("a", 10),
        ("b", 10),
        ("a", 20),
    ]


def test_after_event_passes_events_on_while_it_waits() -> None:
    ctx = context(1)
    nested = after_event(lambda event: event.f == "x", after_event(lambda event: event.f == "y", A))
    assert nested.update(ctx, Op(f="z", process=0)) is nested
    opened = nested.update(ctx, Op(f="y", process=0)).update(ctx, Op(f="x", process=0))
    assert told(quick(opened), "f") == ["a"]


def test_a_synchronized_part_of_a_staggered_run_does_not_overlap() -> None:
    # The answer that is remembered must not outlive the question: a thread is busy when its time comes.
    tree = any_of(clients(stagger(20 * NS, synchronize(limit(1, lambda: A)))), nemesis(repeat(B, 3)))
    for seed in range(30):
        ops = perfect(tree, seed=seed)
        assert sorted(told(ops, "f")) == ["a", "b", "b", "b"]
    ctx = context(1)
    assert synchronize(A).op(ctx.busy(NEMESIS_THREAD, 0)) is PENDING
