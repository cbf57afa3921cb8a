"""Changed ops, reactions to events, and cached answers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.errors import PluginError
from harness.generator import (
    EMPTY,
    PENDING,
    Context,
    Generator,
    OnUpdate,
    any_of,
    cache,
    clients,
    concat,
    f_map,
    filter_ops,
    gen,
    ignore_updates,
    limit,
    map_ops,
    on_update,
    pending_until,
    repeat,
    until_ok,
)
from harness.op import Op, OpType
from tests.virtual_time import context, imperfect, perfect, perfect_ops, quick, told

A, B = {"f": "a"}, {"f": "b"}


def writes(count: int) -> Generator:
    return gen([{"f": "write", "value": value} for value in range(count)])


@pytest.mark.parametrize(
    "make",
    [
        lambda g: map_ops(lambda op: op, g),
        lambda g: f_map({}, g),
        lambda g: filter_ops(lambda _: True, g),
        lambda g: on_update(lambda this, _, __: this, g),
        ignore_updates,
        lambda g: cache(1, g),
    ],
)
def test_what_is_made_of_nothing_has_nothing(make: Callable[[Any], Generator]) -> None:
    assert make(None) is EMPTY


def test_map_ops_changes_ops() -> None:
    assert told(perfect(map_ops(lambda op: replace(op, value=op.value + 1), writes(3))), "value") == [1, 2, 3]


def test_map_ops_may_want_the_context() -> None:
    def stamped(op: Op, ctx: Context) -> Op:
        return replace(op, value=(op.value, ctx.time_ns))

    assert told(perfect(clients(map_ops(stamped, writes(3))), concurrency=1), "value") == [(0, 0), (1, 10), (2, 20)]


def test_map_ops_passes_on_what_is_pending_and_what_happened() -> None:
    assert map_ops(lambda op: op, pending_until(lambda _: False, A)).op(context()) is PENDING
    ops = imperfect(clients(map_ops(lambda op: replace(op, value=1), until_ok(repeat(A)))), concurrency=1)
    assert told(ops[1::2], "type") == ["fail", "info", "ok"]


def test_map_ops_needs_a_function_of_an_op() -> None:
    with pytest.raises(PluginError, match="the function of map_ops must take 1 or 2 arguments"):
        map_ops(lambda: 1, A)  # type: ignore[arg-type]  # what a user may do


@pytest.mark.parametrize("names", [{"a": "z"}, lambda f: {"a": "z"}.get(f, f)])
def test_f_map_renames(names: Any) -> None:
    assert told(perfect(f_map(names, [A, B])), "f") == ["z", "b"]


def test_filter_ops() -> None:
    assert told(perfect(filter_ops(lambda op: op.value % 2 == 0, writes(10))), "value") == [0, 2, 4, 6, 8]
    assert filter_ops(lambda _: True, pending_until(lambda _: False, A)).op(context()) is PENDING
    ops = perfect_ops(clients(filter_ops(lambda _: True, until_ok(repeat(A)))), concurrency=1)
    assert told(ops, "type") == ["invoke", "ok"]


def test_a_filter_that_refuses_all_is_found_out() -> None:
    with pytest.raises(PluginError, match="refused 20000 ops in a row"):
        filter_ops(lambda _: False, repeat(A)).op(context())


def test_on_update_decides_what_follows() -> None:
    def confirm(this: OnUpdate, _: Context, event: Op) -> Generator:
        confirmed = event.type is OpType.OK and event.f == "write"
        return concat({"f": "confirm", "value": event.value}, this) if confirmed else this

    ops = perfect(clients(limit(4, on_update(confirm, repeat({"f": "write", "value": 7})))), concurrency=1)
    assert told(ops, "f", "value") == [("write", 7), ("confirm", 7), ("write", 7), ("confirm", 7)]


def test_on_update_passes_events_on_if_it_wants_to() -> None:
    for react, types in [
        (lambda this, ctx, event: this.told(ctx, event), ["fail", "info", "ok"]),
        (lambda this, ctx, event: this, ["fail", "info", "ok", "fail", "info"]),
    ]:
        ops = imperfect(clients(limit(5, on_update(react, until_ok(repeat(A))))), concurrency=1)
        assert told(ops[1::2], "type") == types


def test_on_update_may_hold_another() -> None:
    ops = perfect(clients(on_update(lambda this, _, event: this.holding(B if event.f == "a" else None), repeat(A))))
    assert told(ops, "f")[:2] == ["a", "b"]


def test_ignore_updates() -> None:
    ops = perfect(clients(limit(4, ignore_updates(until_ok(repeat(A))))))
    assert len(ops) == 4
    deaf = ignore_updates([A, B])
    assert told(perfect(deaf), "f") == ["a", "b"]
    assert getattr(concat(A, deaf, B), "ears", None) == ()


# Cached answers.


def counted() -> tuple[list[float], Generator]:
    """Endless writes of 0, 1, 2, ..., and the times when they were made."""
    made: list[float] = []
    numbers = itertools.count()

    def write(ctx: Context) -> dict[str, Any]:
        made.append(ctx.time_ns)
        return {"f": "write", "value": next(numbers)}

    return made, gen(write)


def test_an_answer_is_asked_for_once_while_it_is_not_used() -> None:
    made, costly = counted()
    cached = cache(100e-9, costly)
    ctx = context()
    for time_ns in (0, 30, 60, 100, 101, 150):
        answer = cached.op(ctx.at(time_ns))
        assert isinstance(answer, tuple)
        assert answer[0].time_ns == time_ns
    assert made == [0, 101]


def test_a_cached_answer_that_is_used_is_followed_by_the_next() -> None:
    made, costly = counted()
    assert told(perfect(limit(5, cache(1, costly))), "value") == [0, 1, 2, 3, 4]
    assert len(made) == 5


def test_a_cached_answer_survives_events_and_keeps_its_rest() -> None:
    # Jepsen's cache forgets the rest on an update and ends early.
    ops = perfect(clients(any_of(cache(1, writes(5)), repeat(A, 20))))
    assert told([op for op in ops if op.f == "write"], "value") == [0, 1, 2, 3, 4]


def test_an_event_that_changes_what_is_cached_is_heard() -> None:
    ops = perfect_ops(clients(cache(1, until_ok(repeat(A)))), concurrency=1)
    assert told(ops, "type") == ["invoke", "ok"]


def test_a_cached_answer_is_not_for_a_busy_process() -> None:
    cached = cache(1, repeat(A))
    ctx = context(5)
    for _ in range(5):
        answer = cached.op(ctx)
        assert isinstance(answer, tuple)
        assert ctx.is_free(answer[0].process)
        ctx = ctx.busy(ctx.thread_of(answer[0].process), 0)


def test_a_pending_answer_is_cached_while_the_same_threads_are_free() -> None:
    asked: list[int] = []

    def never(ctx: Context) -> bool:
        asked.append(ctx.time_ns)
        return False

    cached = cache(1, pending_until(never, A))
    ctx = context(2)
    assert [cached.op(c) for c in (ctx, ctx.at(5), ctx.busy(0, 6), ctx.busy(0, 7))] == [PENDING] * 4
    assert asked == [0, 6]


def test_a_cached_end_is_an_end() -> None:
    cached = cache(1, limit(1, lambda: None))
    assert cached.op(context()) is None
    assert cached.op(context().at(5)) is None
    assert quick(cache(1, [A])) != []
