"""Phases, repetition, limits, alternation, until it worked, sleeping and logging."""

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
    Generator,
    clients,
    cycle,
    flip_flop,
    is_control,
    limit,
    log,
    nemesis,
    once,
    phases,
    repeat,
    sleep,
    synchronize,
    then,
    until_ok,
)
from harness.op import Op, OpType
from tests.virtual_time import (
    LATENCY_NS,
    Simulation,
    after,
    context,
    imperfect,
    perfect,
    perfect_info,
    perfect_ops,
    quick,
    simulate,
    told,
)

A, B, C = {"f": "a"}, {"f": "b"}, {"f": "c"}


@pytest.mark.parametrize("make", [synchronize, phases, once, repeat, cycle, flip_flop, until_ok, lambda g: limit(3, g)])
def test_what_is_made_of_nothing_has_nothing(make: Callable[[Any], Generator]) -> None:
    assert perfect(make(None)) == []


def test_phases_do_not_overlap() -> None:
    ops = perfect(clients(phases(repeat(A, 2), repeat(B, 1), repeat(C, 3))))
    assert told(ops, "f", "time_ns") == [("a", 0), ("a", 0), ("b", 10), ("c", 20), ("c", 20), ("c", 30)]


def test_a_phase_waits_for_the_threads_that_it_can_have() -> None:
    # The nemesis is busy for 100 ns, which is nothing to phases of clients.
    def world(_: object, op: Op) -> Op:
        return Op(f=op.f, process=op.process, type=OpType.OK, time_ns=op.time_ns + (100 if op.is_nemesis else 10))

    ops = simulate([nemesis(A), clients(phases(B, C))], world)
    assert [(op.f, op.time_ns) for op in ops if op.type is OpType.INVOKE] == [("b", 0), ("c", 10)]


def test_then_waits_before_the_second_alone() -> None:
    assert told(perfect(clients(then(repeat(A, 2), B))), "f", "time_ns") == [("a", 0), ("a", 0), ("b", 10)]


def test_synchronize_is_pending_while_somebody_is_busy() -> None:
    waiting = synchronize(A)
    assert waiting.op(context(2).busy(1, 0)) is PENDING
    answer = waiting.op(context(2))
    assert isinstance(answer, tuple)
    assert answer[0].f == "a"


def test_limit() -> None:
    assert told(quick(limit(2, repeat(A))), "f") == ["a", "a"]
    assert told(quick(limit(5, [A, B])), "f") == ["a", "b"]
    assert limit(0, A) is limit(-1, A) is EMPTY


def test_a_limit_that_is_reached_is_known_at_once() -> None:
    answer = once(repeat(A)).op(context())
    assert isinstance(answer, tuple)
    assert answer[1] is EMPTY


def test_repeat_gives_the_first_op_again_and_again() -> None:
    numbers = ({"f": "write", "value": value} for value in itertools.count())
    assert told(perfect(repeat(numbers, 3)), "value") == [0, 0, 0]
    assert told(perfect(limit(4, repeat([A, B]))), "f") == ["a"] * 4
    assert repeat(A, 0) is EMPTY


def test_repeat_throws_its_dice_anew() -> None:
    ops = perfect(repeat(lambda ctx: {"f": "write", "value": ctx.rng.random()}, 5))
    assert len(set(told(ops, "value"))) == 5


def test_repeat_hears_of_events() -> None:
    ops = perfect(clients(repeat(until_ok(A), 5)), concurrency=1)
    assert told(ops, "f") == ["a"] * 5  # until_ok counts what it gave itself, and repeat never lets it advance


def test_cycle_begins_anew() -> None:
    assert told(perfect(limit(5, cycle([A, B]))), "f") == ["a", "b", "a", "b", "a"]
    assert told(perfect(cycle([A, B], 2)), "f") == ["a", "b", "a", "b"]
    assert cycle(A, 0) is EMPTY


def test_cycle_keeps_the_state_of_its_round() -> None:
    ops = imperfect(clients(cycle([until_ok(repeat(A)), B], 2)), concurrency=1)
    starts = [op for op in ops if op.type is OpType.INVOKE]
    assert told(starts, "f") == ["a", "a", "a", "b", "a", "a", "b"]  # fail, info, ok | fail | info, ok | fail


def test_an_empty_round_ends_a_cycle() -> None:
    assert perfect(cycle(limit(1, lambda: None))) == []


def test_a_cycle_goes_on_at_once() -> None:
    answer = cycle(A, 2).op(context())
    assert isinstance(answer, tuple)
    last = answer[1].op(context())
    assert isinstance(last, tuple)
    assert last[1] is EMPTY


def test_flip_flop_alternates_until_one_has_none() -> None:
    ops = perfect(flip_flop(({"f": "write", "value": v} for v in itertools.count()), limit(2, repeat({"f": "read"}))))
    assert told(ops, "f", "value") == [("write", 0), ("read", None), ("write", 1), ("read", None), ("write", 2)]


def test_flip_flop_takes_any_number() -> None:
    assert told(perfect(limit(7, flip_flop(repeat(A), repeat(B), repeat(C)))), "f") == list("abcabca")


def test_flip_flop_passes_events_on() -> None:
    ops = imperfect(clients(flip_flop(until_ok(repeat(A)), until_ok(repeat(B)))), concurrency=1)
    # The first has ended with its ok, which shows when its turn comes again.
    assert told(ops[1::2], "f", "type") == [("a", "fail"), ("b", "info"), ("a", "ok"), ("b", "fail")]


def test_until_ok_ends_with_the_first_ok() -> None:
    ops = imperfect(clients(until_ok(repeat(A))), concurrency=1)
    assert told(ops, "type") == ["invoke", "fail", "invoke", "info", "invoke", "ok"]


def test_until_ok_counts_its_own_ops_alone() -> None:
    waiting = until_ok(repeat(A))
    ctx = context(2)
    other = Op(f="a", process=0, type=OpType.OK, time_ns=1)
    assert waiting.update(ctx, other) is waiting
    answer = waiting.op(ctx)
    assert isinstance(answer, tuple)
    op, rest = answer
    not_mine = Op(f="a", process=1 if op.process == 0 else 0, type=OpType.OK)
    assert rest.update(ctx, not_mine) is rest
    assert rest.update(ctx, Op(f="a", process=op.process, type=OpType.OK)) is EMPTY


def test_until_ok_forgets_a_process_that_failed() -> None:
    answer = until_ok(repeat(A)).op(context(1).restrict(1))
    assert isinstance(answer, tuple)
    op, rest = answer
    rest = rest.update(context(1), Op(f="a", process=op.process, type=OpType.FAIL))
    # Somebody else uses the process now.
    assert rest.update(context(1), Op(f="b", process=op.process, type=OpType.OK)) is rest


def test_until_ok_gives_up_with_what_it_repeats() -> None:
    assert len(perfect_info(clients(until_ok(limit(3, repeat(A)))), concurrency=1)) == 3


def test_sleep_keeps_its_process_busy_and_leaves_no_line() -> None:
    ops = perfect(clients(phases(A, sleep(100e-9), B)))
    assert told(ops, "f", "time_ns") == [("a", 0), ("b", 110)]


def test_the_nemesis_sleeps_between_its_ops() -> None:
    ops = perfect_ops(nemesis(cycle([A, sleep(50e-9), B, sleep(30e-9)], 2)))
    assert told(ops[::2], "f", "time_ns") == [("a", 0), ("b", 60), ("a", 100), ("b", 160)]


def test_a_sleeping_process_is_the_same_afterwards() -> None:
    ops = perfect(clients([A, sleep(1e-6), A]), concurrency=1)
    assert told(ops, "process", "time_ns") == [(0, 0), (0, 1000 + LATENCY_NS)]


def test_log_tells_once() -> None:
    run = Simulation(phases(log("first"), A, log("second"), B), after(LATENCY_NS), context())
    assert told(run.run()[::2], "f") == ["a", "b"]
    assert run.messages == ["first", "second"]


def test_control_ops_are_told_apart_from_ops_of_the_same_name() -> None:
    answers = [generator.op(context()) for generator in (log("x"), sleep(1), repeat({"f": "log"}))]
    ops = [answer[0] for answer in answers if isinstance(answer, tuple)]
    assert [is_control(op) for op in ops] == [True, True, False]


def test_until_ok_is_not_ended_by_control_ops() -> None:
    ops = perfect(clients(until_ok([sleep(5e-9), A, A])), concurrency=1)
    assert told(ops, "f", "time_ns") == [("a", 5)]
    answer = until_ok([sleep(5e-9), A]).op(context(1).restrict(1))
    assert isinstance(answer, tuple)
    assert answer[1].update(context(1), Op(f="a", process=0, type=OpType.OK)) is answer[1]


@pytest.mark.parametrize("seconds", [-1, float("nan")])
def test_sleep_needs_a_time(seconds: float) -> None:
    with pytest.raises(PluginError, match="not negative"):
        sleep(seconds)


def test_the_nemesis_can_be_synchronized_with() -> None:
    ctx = context(1).busy(NEMESIS_THREAD, 0)
    assert synchronize(A).op(ctx) is PENDING
    assert told(perfect(phases(nemesis(A), B, nemesis(C))), "f", "time_ns") == [("a", 0), ("b", 10), ("c", 20)]
