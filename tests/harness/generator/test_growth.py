"""Generators of long runs: neither the stack nor memory grows with the number of ops."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from harness.generator import (
    Generator,
    OnUpdate,
    any_of,
    cache,
    clients,
    concat,
    concurrent_keys,
    cycle,
    cycle_times,
    each_process,
    each_thread,
    filter_ops,
    flip_flop,
    gen,
    limit,
    map_ops,
    mix,
    on_update,
    phases,
    process_limit,
    repeat,
    reserve,
    sequential_keys,
    stagger,
    time_limit,
    trace,
    until_ok,
    validate,
)
from harness.op import Op
from tests.virtual_time import context

LONG = 100_000
A, B = {"f": "a"}, {"f": "b"}


def live(generator: Generator, ops: int, crash_every: int = 0) -> tuple[int, Generator]:
    """The life of at most ``ops`` ops, one at a time: how many there were, and what is left."""
    ctx = context(4)
    done: dict[tuple[str, Any], Op] = {}
    for count in range(ops):
        answer = generator.op(ctx)
        if answer is None:
            return count, generator
        assert isinstance(answer, tuple), f"pending after {count} ops"
        op, generator = answer
        thread = ctx.thread_of(op.process)
        ctx = ctx.busy(thread, op.time_ns)
        generator = generator.update(ctx, op)
        crashed = crash_every and count % crash_every == 0
        ctx = ctx.crashed(thread, ctx.time_ns + 1) if crashed else ctx.freed(thread, ctx.time_ns + 1)
        if (op.f, op.process) not in done:
            done[op.f, op.process] = op.ok(None)
        generator = generator.update(ctx, op if crashed else done[op.f, op.process])
    return ops, generator


def size(root: Any) -> int:
    """How many generators (and their parts) are reachable from ``root``, itself included."""
    seen, rest = {id(root)}, [root]
    while rest:
        for found in gc.get_referents(rest.pop()):
            ours = type(found).__module__.startswith("harness.generator") or isinstance(found, tuple | list | dict)
            if ours and not isinstance(found, type) and id(found) not in seen:
                seen.add(id(found))
                rest.append(found)
    return len(seen)


def confirming(this: OnUpdate, _: Any, event: Any) -> Generator:
    return concat(B, this) if event.f == "a" and event.type == "ok" else this


ENDLESS: dict[str, Callable[[], Generator]] = {
    "function": lambda: gen(lambda: [A, [B, A], until_ok(repeat(B))]),
    "cycle": lambda: cycle([A, concat(B, A), until_ok(repeat(B))]),
    "stream": lambda: gen([A, B] for _ in itertools.count()),
    "on_update": lambda: clients(on_update(confirming, repeat(A))),
    "keys": lambda: sequential_keys(itertools.count(), lambda _: [A, B]),
    "groups": lambda: concurrent_keys(2, itertools.count(), lambda _: process_limit(5, limit(9, mix([A, repeat(B)])))),
    "threads": lambda: clients(each_thread(cycle([A, B]))),
    "processes": lambda: clients(each_process([A, B, A, B, A, B, A, B, A, B, cycle(A)])),
    "reserve": lambda: clients(reserve((1, cycle([A, B])), rest=flip_flop(repeat(A), cycle(B)))),
    "timing": lambda: time_limit(3600, stagger(1e-8, cycle_times((1e-6, cycle([A, B])), (1e-6, repeat(B))))),
    "choice": lambda: any_of(cycle([A, B]), mix([cycle(A), repeat(B)]), phases(A, cycle(B))),
    "wrapped": lambda: validate(
        trace(lambda *_: None, cache(1, map_ops(lambda op: op, filter_ops(bool, cycle([A, B])))))
    ),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_memory_does_not_grow(name: str) -> None:
    _, early = live(ENDLESS[name](), 500, crash_every=7)
    count, late = live(early, 3000, crash_every=7)
    assert count == 3000
    assert size(late) <= size(early) + 20  # what is the present round's


def test_a_hundred_thousand_parts() -> None:
    generator = concat(*[gen(A)] * LONG)
    count, rest = live(generator, 2 * LONG)
    assert count == LONG
    assert size(rest) < 5


def test_a_hundred_thousand_ops_of_a_function() -> None:
    rounds, pair = itertools.count(), gen([A, B])
    generator = gen(lambda: pair if next(rounds) < LONG // 2 else None)
    count, rest = live(generator, 2 * LONG)
    assert count == LONG
    assert size(rest) < 10


def test_a_hundred_thousand_elements_that_are_passed_over() -> None:
    assert live(gen(None if place < LONG else A for place in range(LONG + 1)), 5)[0] == 1
    assert live(concat(*[limit(1, lambda: None)] * LONG, A), 5)[0] == 1


def test_deep_trees_are_as_deep_as_they_were_made() -> None:
    generator: Any = repeat(A)
    for _ in range(100):
        generator = concat(limit(2, generator), B)
    assert live(generator, 1000)[0] == 3  # two of what is below, which stand for all of it, and one more
