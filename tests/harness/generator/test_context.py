"""Contexts: who is free, under which process, and what changes when ops begin, end and crash."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import PluginError
from harness.generator import NEMESIS_THREAD, Context
from harness.generator.context import lowest_bits, nth_bit
from harness.op import NEMESIS
from tests.virtual_time import context


def test_a_run_begins_with_everyone_free() -> None:
    ctx = context(3)
    assert ctx.time_ns == 0
    assert list(ctx.all_threads()) == list(ctx.free_threads()) == [0, 1, 2, NEMESIS_THREAD]
    assert ctx.all_processes() == ctx.free_processes() == [0, 1, 2, NEMESIS]
    assert ctx.concurrency == 3


def test_the_nemesis_has_the_bit_after_the_clients() -> None:
    ctx = context(3)
    assert ctx.threads == ctx.free == 0b1111
    assert [ctx.bit(t) for t in (0, 2, NEMESIS_THREAD)] == [0b0001, 0b0100, 0b1000]
    assert [ctx.bit_of(p) for p in (0, 5, NEMESIS)] == [0b0001, 0b0100, 0b1000]


def test_a_run_needs_a_client() -> None:
    with pytest.raises(PluginError, match="at least one client thread, not 0"):
        Context.start(0, random.Random(1))


def test_a_busy_thread_is_not_free_until_it_is_freed() -> None:
    ctx = context(2).busy(1, 7)
    assert (ctx.time_ns, ctx.free_processes(), ctx.is_free(1)) == (7, [0, NEMESIS], False)
    ctx = ctx.freed(1, 9)
    assert (ctx.time_ns, ctx.free_processes(), ctx.is_free(1)) == (9, [0, 1, NEMESIS], True)


def test_transitions_leave_the_old_context_as_it_was() -> None:
    ctx = context(2)
    ctx.busy(0, 5).crashed(0, 6)
    assert (ctx.time_ns, ctx.free_processes()) == (0, [0, 1, NEMESIS])


def test_time_does_not_go_back() -> None:
    assert context(2).at(50).busy(0, 20).time_ns == 50
    assert context(2).at(50).busy(0, 20).freed(0, 30).time_ns == 50


def test_a_crashed_client_goes_on_under_its_next_process() -> None:
    ctx = context(3).busy(1, 5).crashed(1, 6)
    assert ctx.all_processes() == [0, 4, 2, NEMESIS]
    assert ctx.free_processes() == [0, 4, 2, NEMESIS]
    ctx = ctx.busy(1, 7).crashed(1, 8)
    assert ctx.process_of(1) == 7
    assert [ctx.thread_of(p) for p in (1, 4, 7)] == [1, 1, 1]
    assert [ctx.is_current(p) for p in (1, 4, 7, 10)] == [False, False, True, False]
    assert not ctx.is_free(4)


def test_the_nemesis_does_not_change_when_it_crashes() -> None:
    ctx = context(2).busy(NEMESIS_THREAD, 1)
    assert not ctx.is_free(NEMESIS)
    ctx = ctx.crashed(NEMESIS_THREAD, 2)
    assert ctx.is_free(NEMESIS)
    assert ctx.thread_of(NEMESIS) == NEMESIS_THREAD


def test_what_is_no_process_is_refused() -> None:
    with pytest.raises(PluginError, match="'n1' is not a process"):
        context(2).thread_of("n1")


@pytest.mark.parametrize("step", [lambda c: c.busy(0, 1).busy(0, 2), lambda c: c.freed(0, 1)])
def test_a_runner_that_miscounts_is_stopped(step: object) -> None:
    assert callable(step)
    with pytest.raises(AssertionError, match="thread 0"):
        step(context(2))


def test_a_restricted_context_sees_no_others() -> None:
    ctx = context(3).busy(0, 1).restrict(0b0011)
    assert list(ctx.all_threads()) == [0, 1]
    assert ctx.free_processes() == [1]
    assert not ctx.is_free(2)
    assert not ctx.is_current(2)
    assert ctx.concurrency == 3


def test_a_restriction_that_leaves_out_nobody_costs_nothing() -> None:
    ctx = context(3)
    assert ctx.restrict(-1) is ctx
    assert ctx.at(0) is ctx


def test_some_free_process_is_fair() -> None:
    ctx = context(4).busy(2, 0)
    counts = dict.fromkeys(ctx.free_processes(), 0)
    for _ in range(8000):
        process = ctx.some_free_process()
        assert process is not None
        counts[process] += 1
    assert set(counts) == {0, 1, 3, NEMESIS}
    assert all(1800 < count < 2200 for count in counts.values())


def test_some_free_process_of_nobody() -> None:
    ctx = context(1).busy(0, 0)
    assert ctx.some_free_process() == NEMESIS
    assert ctx.busy(NEMESIS_THREAD, 0).some_free_process() is None


def test_what_a_context_looks_like() -> None:
    assert repr(context(2).busy(0, 5)) == "<Context at 5 ns, free threads {1, -1} of 3>"


def bits(mask: int) -> list[int]:
    return [place for place in range(mask.bit_length()) if mask >> place & 1]


@given(st.integers(1, 2**200), st.integers(0, 200))
def test_nth_bit_is_the_nth_of_all_bits(mask: int, n: int) -> None:
    expected = bits(mask)
    assert nth_bit(mask, n % len(expected)) == expected[n % len(expected)]


@given(st.integers(0, 2**80), st.integers(0, 90))
def test_lowest_bits_are_the_first_of_all_bits(mask: int, count: int) -> None:
    assert bits(lowest_bits(mask, count)) == bits(mask)[:count]


@given(st.integers(1, 6), st.lists(st.tuples(st.integers(-1, 5), st.booleans()), max_size=40))
def test_a_context_agrees_with_a_plain_table(concurrency: int, steps: list[tuple[int, bool]]) -> None:
    ctx = context(concurrency)
    table: dict[int, tuple[int | str, bool]] = {t: (t, True) for t in range(concurrency)}
    table[NEMESIS_THREAD] = (NEMESIS, True)
    for time_ns, (thread, crash) in enumerate(steps):
        if thread not in table:
            continue
        process, free = table[thread]
        if free:
            ctx, table[thread] = ctx.busy(thread, time_ns), (process, False)
        elif crash:
            later = process + concurrency if isinstance(process, int) else process
            ctx, table[thread] = ctx.crashed(thread, time_ns), (later, True)
        else:
            ctx, table[thread] = ctx.freed(thread, time_ns), (process, True)
        assert ctx.all_processes() == [process for process, _ in table.values()]
        assert ctx.free_processes() == [process for process, free in table.values() if free]
        assert all(ctx.is_free(process) == free for process, free in table.values())
        assert all(ctx.thread_of(process) == t for t, (process, _) in table.items())
