"""The soonest of several, and random mixtures."""

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
    delay,
    gen,
    limit,
    mix,
    on_threads,
    pending_until,
    repeat,
    shortest_any,
    until_ok,
)
from harness.op import Op, OpType
from tests.virtual_time import context, perfect, perfect_ops, quick, told

A, B, C = {"f": "a"}, {"f": "b"}, {"f": "c"}
NEVER = pending_until(lambda _: False, A)


@pytest.mark.parametrize("make", [any_of, shortest_any, lambda *gens: mix(gens)])
def test_what_is_made_of_nothing_has_nothing(make: Callable[..., Generator]) -> None:
    assert make() is EMPTY
    assert make(None, []) is EMPTY


def test_any_of_takes_what_comes_soonest() -> None:
    slow_a = on_threads({0}, delay(20e-9, repeat(A)))
    slow_b = on_threads({1}, delay(20e-9, repeat(B)))
    ops = perfect(limit(4, any_of(slow_a, slow_b)))
    assert told(ops, "f", "process", "time_ns") == [("a", 0, 0), ("b", 1, 0), ("a", 0, 20), ("b", 1, 20)]


def test_any_of_prefers_an_op_to_waiting() -> None:
    assert told(quick(limit(3, any_of(NEVER, repeat(B)))), "f") == ["b"] * 3
    assert any_of(NEVER, NEVER).op(context()) is PENDING


def test_any_of_ends_when_all_have_ended() -> None:
    ops = perfect(any_of(limit(2, repeat(A)), [B, B, B], limit(1, lambda: None)))
    assert Counter(told(ops, "f")) == {"a": 2, "b": 3}


def test_any_of_what_is_left_is_just_that() -> None:
    endless = repeat(A)
    answer = any_of(endless, B, weights=[1, 10**9]).op(context())
    assert isinstance(answer, tuple)
    assert answer[0].f == "b"
    assert answer[1] is endless


def test_any_of_forgets_what_turned_out_to_be_exhausted() -> None:
    calls: list[int] = []
    ended = gen(lambda: calls.append(1))
    ops = perfect(limit(20, any_of(ended, repeat(A), repeat(B))))
    assert len(ops) == 20
    assert len(calls) == 1


def test_ties_are_broken_by_weight() -> None:
    ops = quick(limit(3000, any_of(repeat(A), repeat(B), repeat(C), weights=[1, 2, 3])))
    counts = Counter(told(ops, "f"))
    assert all(abs(counts[f] - 500 * weight) < 120 for f, weight in [("a", 1), ("b", 2), ("c", 3)])


@pytest.mark.parametrize("weights", [[1], [1, 0], [1, -2], []])
def test_weights_must_fit(weights: list[int]) -> None:
    with pytest.raises(PluginError, match="2 generators need as many positive weights"):
        any_of(A, B, weights=weights)


def test_all_of_any_of_hear_of_every_event() -> None:
    waiting = after_event(lambda event: event.f == "b" and event.type is OpType.OK, C)
    ops = perfect(clients(any_of(waiting, limit(2, repeat(B)))), concurrency=1)
    assert told(ops, "f") in (["b", "c", "b"], ["b", "b", "c"])


def test_an_event_may_end_one_of_several() -> None:
    ctx = context(1)
    choice = any_of(until_ok(repeat(A)), until_ok(repeat(B)), weights=[10**9, 1])
    answer = choice.op(ctx)
    assert isinstance(answer, tuple)
    op, rest = answer
    assert op.f == "a"
    rest = rest.update(ctx, Op(f="a", process=op.process, type=OpType.OK))
    assert {quick(limit(1, rest), seed=seed)[0].f for seed in range(20)} == {"b"}


def test_shortest_any_ends_with_the_first() -> None:
    short = limit(2, on_threads({0}, delay(20e-9, repeat(A))))
    ops = perfect(shortest_any(short, on_threads({1}, delay(20e-9, repeat(B)))))
    assert told(ops, "f", "process", "time_ns") == [("a", 0, 0), ("b", 1, 0), ("a", 0, 20)]


def test_shortest_any_ends_also_when_one_is_found_exhausted_or_told_so() -> None:
    assert quick(shortest_any(repeat(A), limit(1, lambda: None))) == []
    ops = perfect_ops(clients(shortest_any(until_ok(repeat(A)), NEVER)), concurrency=1)
    assert told(ops, "type") == ["invoke", "ok"]
    assert shortest_any(A, None) is EMPTY


def test_mix_is_a_random_mixture() -> None:
    fs = told(perfect(mix([repeat(A, 5), repeat(B, 10)])), "f")
    assert Counter(fs) == {"a": 5, "b": 10}
    assert fs not in (["a"] * 5 + ["b"] * 10, ["b"] * 10 + ["a"] * 5)


def test_mix_is_uniform() -> None:
    counts = Counter(told(quick(limit(3000, mix([repeat(A), repeat(B), repeat(C)]))), "f"))
    assert all(880 < counts[f] < 1120 for f in "abc")


def test_mix_is_not_blocked_by_what_is_pending() -> None:
    # The waiting generator needs an op of the other: Jepsen's mix can wait for ever here.
    waiting = after_event(lambda event: event.f == "b" and event.type is OpType.OK, C)
    for seed in range(20):
        ops = perfect(clients(mix([waiting, [B, B]])), concurrency=1, seed=seed)
        assert told(ops, "f", "time_ns") in ([("b", 0), ("c", 10), ("b", 20)], [("b", 0), ("b", 10), ("c", 20)])
    assert mix([NEVER, NEVER]).op(context()) is PENDING


def test_mix_passes_events_on() -> None:
    ops = perfect_ops(clients(mix([until_ok(repeat(A)), until_ok(repeat(B))])), concurrency=1)
    assert sorted(told(ops[::2], "f")) == ["a", "b"]


def test_mix_goes_on_with_those_that_are_left() -> None:
    for seed in range(20):
        ops = quick(mix([limit(1, lambda: None), A, repeat(B, 2), until_ok(limit(1, lambda: None))]), seed=seed)
        assert sorted(told(ops, "f")) == ["a", "b", "b"]
    assert mix([limit(1, lambda: None)]).op(context()) is None


def test_mix_keeps_its_choice_while_answers_are_thrown_away() -> None:
    ctx = context(8)
    answer = mix([repeat(A), repeat(B)]).op(ctx)
    assert isinstance(answer, tuple)
    rest = answer[1]
    again: list[Any] = [rest.op(ctx) for _ in range(30)]
    assert len({answer[0].f for answer in again}) == 1


def test_mix_asks_only_one_while_nobody_is_free() -> None:
    asked: list[str] = []

    def asking(name: str) -> Generator:
        def never(_: Context) -> bool:
            asked.append(name)
            return False

        return pending_until(never, A)

    ctx = context(1).busy(0, 0).busy(NEMESIS_THREAD, 0)
    assert mix([asking("x"), asking("y")]).op(ctx) is PENDING
    assert len(asked) == 1


def test_a_mixture_in_which_nobody_listens_is_not_told() -> None:
    deaf = mix([repeat(A), repeat(B)])
    assert deaf.update(context(), Op(f="a", process=0)) is deaf
    assert (getattr(deaf, "deaf", None), getattr(mix([until_ok(A), B]), "deaf", None)) == (True, False)
