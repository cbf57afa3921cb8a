"""Who performs which ops: some threads, reserved threads, each thread, each process, and limits on how many."""

from __future__ import annotations

from collections import Counter
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
    concurrency_limit,
    delay,
    each_process,
    each_thread,
    limit,
    nemesis,
    on_threads,
    phases,
    process_limit,
    repeat,
    reserve,
    until_ok,
)
from harness.op import NEMESIS, Op, OpType
from tests.virtual_time import after, context, imperfect, perfect, perfect_info, perfect_ops, quick, simulate, told

A, B, C = {"f": "a"}, {"f": "b"}, {"f": "c"}


@pytest.mark.parametrize(
    "make",
    [
        clients,
        nemesis,
        each_thread,
        each_process,
        lambda g: on_threads({0}, g),
        lambda g: process_limit(2, g),
        lambda g: concurrency_limit(2, g),
    ],
)
def test_what_is_made_of_nothing_has_nothing(make: Callable[[Any], Generator]) -> None:
    assert make(None) is EMPTY


def test_clients_and_nemesis() -> None:
    assert set(told(perfect(clients(limit(5, repeat(A)))), "process")) == {0, 1}
    assert told(perfect(nemesis(limit(3, repeat(A)))), "process", "time_ns") == [
        (NEMESIS, 0),
        (NEMESIS, 10),
        (NEMESIS, 20),
    ]


@pytest.mark.parametrize("chosen", [[1, NEMESIS_THREAD], lambda thread: thread in (1, NEMESIS_THREAD)])
def test_on_threads_takes_a_collection_or_a_predicate(chosen: Any) -> None:
    ops = perfect(on_threads(chosen, repeat(A, 6)), concurrency=3)
    assert Counter(told(ops, "process")) == {1: 3, NEMESIS: 3}


def test_on_threads_hears_of_its_threads_alone() -> None:
    heard = until_ok(repeat(A))
    generator = on_threads({0}, heard)
    ctx = context(2)
    assert generator.update(ctx, Op(f="a", process=1, type=OpType.OK)) is generator
    answer = generator.op(ctx)
    assert isinstance(answer, tuple)
    rest = answer[1]
    assert rest.update(ctx, Op(f="a", process=1, type=OpType.OK)) is rest
    assert rest.update(ctx, Op(f="a", process=0, type=OpType.OK)) is EMPTY


@pytest.mark.parametrize("make", [lambda g: clients(nemesis(g)), lambda g: on_threads({7}, g)])
def test_what_nobody_can_perform_is_refused(make: Callable[[Any], Generator]) -> None:
    with pytest.raises(PluginError, match="nobody could ever perform its ops"):
        make(A).op(context(2))


def test_a_thread_keeps_its_part_under_later_processes() -> None:
    ops = perfect_info(on_threads({1}, limit(3, repeat(A))))
    assert told(ops, "process") == [1, 3, 5]


def test_reserve_gives_each_generator_its_threads() -> None:
    ops = quick(clients(limit(600, reserve((1, repeat(A)), (2, repeat(B)), rest=repeat(C)))), concurrency=6)
    by_thread = {(op.f, op.process) for op in ops}
    assert by_thread == {("a", 0), ("b", 1), ("b", 2), ("c", 3), ("c", 4), ("c", 5)}


def test_reserve_breaks_ties_by_the_number_of_threads() -> None:
    counts = Counter(told(quick(clients(limit(2000, reserve((1, repeat(A)), rest=repeat(B)))), concurrency=4), "f"))
    # While all threads are equally quick, each has an equal share.
    assert 400 < counts["a"] < 600


def test_reserve_counts_the_nemesis_last() -> None:
    ops = quick(limit(100, reserve((2, repeat(A)), rest=repeat(B))), concurrency=2)
    assert {(op.f, op.process) for op in ops} == {("a", 0), ("a", 1), ("b", NEMESIS)}


def test_reserve_lets_one_kind_go_on_while_the_other_hangs() -> None:
    def world(_: object, op: Op) -> Op:
        return Op(f=op.f, process=op.process, type=OpType.OK, time_ns=op.time_ns + (10 if op.f == "a" else 10**6))

    ops = simulate(clients(limit(20, reserve((1, repeat(A)), rest=repeat(B)))), world, concurrency=3)
    assert Counter(op.f for op in ops if op.type is OpType.INVOKE) == {"a": 18, "b": 2}


def test_reserve_passes_events_to_the_generator_of_the_thread() -> None:
    ops = perfect_ops(clients(reserve((1, until_ok(repeat(A))), rest=until_ok(repeat(B)))))
    assert sorted((op.f, op.process) for op in ops[:2]) == [("a", 0), ("b", 1)]
    assert len(ops) == 4


def test_reserve_ends_when_all_have_ended() -> None:
    assert sorted(told(perfect(clients(reserve((1, [A, A]), rest=None))), "f")) == ["a", "a"]


def test_reserve_needs_threads() -> None:
    with pytest.raises(PluginError, match="needs 3 threads, but here are 2: raise the concurrency"):
        perfect(clients(reserve((2, A), rest=B)))
    with pytest.raises(PluginError, match="at least one thread"):
        reserve((0, A), rest=B)


def test_each_thread_does_all_of_it() -> None:
    ops = perfect(each_thread([A, B]))
    assert sorted(map(str, told(ops[:3], "f", "process", "time_ns"))) == [
        "('a', 'nemesis', 0)",
        "('a', 0, 0)",
        "('a', 1, 0)",
    ]
    assert sorted(map(str, told(ops[3:], "f", "process", "time_ns"))) == [
        "('b', 'nemesis', 10)",
        "('b', 0, 10)",
        "('b', 1, 10)",
    ]


def test_each_thread_is_told_of_its_own_events() -> None:
    # Threads fail, crash and succeed in turn; each goes on until it has succeeded itself.
    ops = imperfect(clients(each_thread(until_ok(repeat(A)))))
    by_thread = {thread: [op.type.value for op in ops if op.process in (thread, thread + 2)] for thread in (0, 1)}
    assert by_thread == {thread: ["invoke", "fail", "invoke", "info", "invoke", "ok"] for thread in (0, 1)}


def test_each_thread_ends_at_once_if_there_is_nothing() -> None:
    assert each_thread(limit(1, lambda: None)).op(context()) is None


def test_each_thread_is_pending_while_one_that_may_go_on_is_busy() -> None:
    generator = clients(each_thread(repeat(A)))
    ctx = context(1)
    answer = generator.op(ctx)
    assert isinstance(answer, tuple)
    assert answer[1].op(ctx.busy(0, 0)) is PENDING


def test_each_thread_is_known_to_be_over_with_the_last_op() -> None:
    ops = perfect(clients([each_thread(A), B]), concurrency=2)
    # B is invoked while nobody waits for the second thread's A: the sequence knows that nothing is left.
    assert told(ops, "f", "time_ns") == [("a", 0), ("a", 0), ("b", 10)]
    generator: Generator = clients(each_thread(A))
    ctx = context(2)
    for _ in range(2):
        answer = generator.op(ctx)
        assert isinstance(answer, tuple)
        op, generator = answer
        ctx = ctx.busy(ctx.thread_of(op.process), 0)
    assert generator is EMPTY


def test_each_thread_takes_the_soonest() -> None:
    def generator(value: Any) -> Generator:
        return clients(each_thread(delay(30e-9, value)))

    ops = perfect(generator(repeat(A, 3)))
    assert told(ops, "time_ns") == [0, 0, 30, 30, 60, 60]


def test_each_thread_takes_the_soonest_whoever_is_asked_first() -> None:
    def later_for_the_first(ctx: Context) -> Op:
        return Op(f="a", time_ns=50 if ctx.is_free(0) else 20)

    for seed in range(10):
        (op,) = quick(clients(limit(1, each_thread(later_for_the_first))), seed=seed)
        assert (op.process, op.time_ns) == (1, 20)


def test_each_thread_does_not_wait_for_one_that_is_through() -> None:
    # Thread 0 has one op, thread 1 none.
    generator: Generator = clients(each_thread(limit(1, lambda ctx: A if ctx.is_free(0) else None)))
    ctx = context(2)
    answer = generator.op(ctx)
    assert isinstance(answer, tuple)
    assert answer[0].process == 0
    assert answer[1].op(ctx.busy(0, 0)) is None


def test_each_thread_is_fair() -> None:
    counts = Counter(told(quick(clients(limit(2000, each_thread(repeat(A)))), concurrency=4), "process"))
    assert all(420 < counts[p] < 580 for p in range(4))


def test_each_process_begins_anew_after_a_crash() -> None:
    ops = perfect_info(clients(limit(6, each_process([A, B]))), concurrency=1)
    assert told(ops, "f", "process") == [("a", p) for p in range(6)]
    assert told(perfect(clients(each_process([A, B])), concurrency=1), "f", "process") == [("a", 0), ("b", 0)]


def test_each_process_waits_for_a_process_that_may_crash() -> None:
    ops = imperfect(clients(each_process([A, A])), concurrency=1)
    # fail, then a crash: the next process gets its own two, which are ok and fail.
    assert told(ops[1::2], "process", "type") == [(0, "fail"), (0, "info"), (1, "ok"), (1, "fail")]


def test_each_process_is_told_of_its_own_events() -> None:
    ops = imperfect(clients(each_process(until_ok(repeat(A)))), concurrency=1)
    assert told(ops[1::2], "process", "type") == [(0, "fail"), (0, "info"), (1, "ok")]


def test_a_new_process_does_not_hear_of_the_crash_of_the_old_one() -> None:
    generator = each_process(after_event(lambda event: event.type is OpType.INFO, A))
    ctx = context(1).busy(0, 0).crashed(0, 5)
    assert generator.update(ctx, Op(f="b", process=0, type=OpType.INFO)) is generator
    assert generator.update(ctx, Op(f="b", process=1, type=OpType.INFO)) is not generator


def test_process_limit_counts_crashed_processes() -> None:
    ops = perfect_info(clients(process_limit(5, repeat(A))))
    assert len(ops) == 5
    assert set(told(ops, "process")) <= set(range(6))


def test_process_limit_takes_the_first_threads_if_there_are_more() -> None:
    assert told(perfect_info(clients(process_limit(1, repeat(A))), concurrency=3), "process") == [0]
    assert set(told(perfect(clients(process_limit(2, repeat(A, 9))), concurrency=3), "process")) == {0, 1}


def test_process_limit_hears_of_its_threads_alone() -> None:
    generator = process_limit(1, until_ok(repeat(A)))
    ctx = context(2)
    answer = generator.op(ctx)
    assert isinstance(answer, tuple)
    assert answer[1].update(ctx, Op(f="a", process=1, type=OpType.OK)) is answer[1]
    assert answer[1].update(ctx, Op(f="a", process=0, type=OpType.OK)) is EMPTY
    assert process_limit(0, A) is EMPTY


def test_concurrency_limit() -> None:
    ops = perfect(clients(concurrency_limit(2, repeat(A, 6))), concurrency=5)
    assert told(ops, "time_ns") == [0, 0, 10, 10, 20, 20]
    assert concurrency_limit(0, A) is EMPTY


def test_concurrency_limit_ends_with_what_it_limits() -> None:
    ops = perfect_ops(clients(phases(concurrency_limit(1, until_ok(repeat(A))), B)), concurrency=3)
    assert told(ops[::2], "f", "time_ns") == [("a", 0), ("b", 10)]


def test_branches_for_clients_and_nemesis_go_on_side_by_side() -> None:
    ops = simulate(any_of(nemesis(delay(100e-9, [A, B])), clients(delay(50e-9, repeat(C, 4)))), after(10))
    starts = sorted((op.time_ns, op.f) for op in ops if op.type is OpType.INVOKE)
    assert starts == [(0, "c"), (50, "c"), (100, "c"), (150, "c")]
    assert sorted((op.time_ns, op.f) for op in ops if op.is_nemesis) == [(0, "a"), (10, "a"), (100, "b"), (110, "b")]
