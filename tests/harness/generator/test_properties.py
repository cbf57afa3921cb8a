"""What holds for every tree of generators, whatever the world does: Hypothesis builds both."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.generator import (
    PENDING,
    Context,
    Generator,
    any_of,
    clients,
    concat,
    concurrency_limit,
    concurrent_keys,
    cycle,
    cycle_times,
    delay,
    each_process,
    each_thread,
    flip_flop,
    gen,
    limit,
    map_ops,
    mix,
    nemesis,
    phases,
    process_limit,
    repeat,
    reserve,
    sequential_keys,
    stagger,
    time_limit,
    until_ok,
)
from harness.op import Op, OpType
from tests.virtual_time import World, context, invocations, simulate, told

NS = 1e-9
RUNS = settings(max_examples=40, deadline=None)
OPS_MAX = 150  # lines: a tree may be endless


def leaves() -> st.SearchStrategy[Any]:
    plain = st.sampled_from("abc").map(lambda f: {"f": f})
    drawn = st.sampled_from("xyz").map(lambda f: lambda ctx: {"f": f, "value": ctx.rng.random()})
    return st.one_of(plain, plain.map(repeat), drawn, drawn.map(lambda function: limit(3, function)), st.none())


def wider(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    counts = st.integers(1, 4)
    short = st.integers(1, 60).map(lambda n: n * NS)
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda gens: concat(*gens)),
        several.map(lambda gens: phases(*gens)),
        several.map(lambda gens: any_of(*gens)),
        several.map(mix),
        several.map(lambda gens: flip_flop(*gens)),
        st.builds(limit, counts, inner),
        st.builds(repeat, inner, counts),
        st.builds(lambda g, n: cycle(limit(3, g), n), inner, counts),
        st.builds(stagger, short, inner),
        st.builds(delay, short, inner),
        st.builds(time_limit, short, inner),
        st.builds(lambda a, b: cycle_times((20 * NS, a), (30 * NS, b)), inner, inner),
        inner.map(until_ok),
        inner.map(each_thread),
        inner.map(each_process),
        st.builds(process_limit, counts, inner),
        st.builds(concurrency_limit, counts, inner),
        inner.map(lambda g: map_ops(lambda op: replace(op, extra={"seen": True}), g)),
        inner.map(lambda g: sequential_keys(range(3), lambda _: limit(2, g))),
    )


def trees_of_anyone() -> st.SearchStrategy[Any]:
    return st.recursive(leaves(), wider, max_leaves=6)


def trees() -> st.SearchStrategy[Any]:
    """Any tree. What needs certain threads stands at its root, since below a limit or ``each_thread`` there may be only one."""
    inner = trees_of_anyone()
    return st.one_of(
        inner,
        inner.map(clients),
        inner.map(nemesis),
        st.builds(lambda a, b: any_of(nemesis(a), clients(b)), inner, inner),
        st.builds(lambda a, b: clients(reserve((1, a), rest=b)), inner, inner),
        inner.map(lambda g: any_of(nemesis({"f": "n"}), concurrent_keys(2, range(3), lambda _: limit(3, g)))),
    )


def world_of(seed: int) -> World:
    """Ops end in any way after any time."""
    dice = random.Random(seed)

    def world(_: Context, op: Op) -> Op:
        kind = dice.choice([OpType.OK, OpType.FAIL, OpType.INFO])
        return replace(op, type=kind, time_ns=op.time_ns + dice.randrange(40))

    return world


@RUNS
@given(trees(), st.integers(0, 10**6), st.integers(3, 5))
def test_ops_are_of_free_processes_and_in_order_of_time(tree: Any, seed: int, concurrency: int) -> None:
    # That answers are well-formed and of free processes is checked by validate, in simulate; this counts again, by the lines alone.
    ops = simulate(tree, world_of(seed), concurrency=concurrency, ops_max=OPS_MAX)
    running: set[Any] = set()
    crashed: set[Any] = set()
    for op in ops:
        thread = op.process if op.is_nemesis else int(op.process) % concurrency
        if thread in running:
            running.remove(thread)
            if op.type is OpType.INFO and not op.is_nemesis:
                crashed.add(op.process)
        else:
            assert op.process not in crashed
            assert op.type is (OpType.INFO if op.is_nemesis else OpType.INVOKE)
            running.add(thread)
    assert told(ops, "time_ns") == sorted(told(ops, "time_ns"))


@RUNS
@given(trees(), st.integers(0, 10**6))
def test_the_same_seed_gives_the_same_ops(tree: Any, seed: int) -> None:
    first = simulate(tree, world_of(seed), concurrency=3, seed=seed, ops_max=OPS_MAX)
    assert simulate(tree, world_of(seed), concurrency=3, seed=seed, ops_max=OPS_MAX) == first


@RUNS
@given(trees(), st.integers(0, 10**6))
def test_asking_changes_nothing_but_the_dice(tree: Any, seed: int) -> None:
    generator = gen(tree)
    for dice in (random.Random(seed), random.Random(seed)):
        ctx = Context.start(3, dice)
        answer = generator.op(ctx)
        if dice.random() < 2 and answer is not None and answer is not PENDING:
            answer[1].op(ctx.busy(ctx.thread_of(answer[0].process), 5))
    answers = [generator.op(Context.start(3, random.Random(seed))) for _ in range(2)]
    shown = [answer[0] if isinstance(answer, tuple) else answer for answer in answers]
    assert shown[0] == shown[1]


@RUNS
@given(trees(), st.integers(0, 10**6))
def test_what_has_ended_has_ended_for_ever(tree: Any, seed: int) -> None:
    generator, ctx = gen(tree), context(3, seed)
    for _ in range(60):
        answer = generator.op(ctx)
        if answer is None:
            assert generator.op(ctx.at(ctx.time_ns + 10**9)) is None
            return
        if answer is PENDING:
            ctx = ctx.at(ctx.time_ns + 10)
            continue
        op, generator = answer
        thread = ctx.thread_of(op.process)
        ctx = ctx.busy(thread, op.time_ns)
        generator = generator.update(ctx, op)
        ctx = ctx.freed(thread, ctx.time_ns + 3)
        generator = generator.update(ctx, op.ok(None) if not op.is_nemesis else op)


def numbered(name: int, count: int) -> list[dict[str, Any]]:
    return [{"f": "write", "value": (name, place)} for place in range(count)]


PARTS = st.lists(st.integers(0, 6), min_size=1, max_size=4)


@RUNS
@given(PARTS, st.integers(0, 10**6), st.sampled_from(["any_of", "mix", "concat", "phases"]))
def test_no_op_is_lost_and_each_part_keeps_its_order(counts: list[int], seed: int, how: str) -> None:
    parts = [numbered(name, count) for name, count in enumerate(counts)]
    made: dict[str, Generator] = {
        "any_of": any_of(*parts),
        "mix": mix(parts),
        "concat": concat(*parts),
        "phases": phases(*parts),
    }
    values = told(invocations(simulate(made[how], world_of(seed), concurrency=3, seed=seed)), "value")
    assert Counter(values) == Counter((name, place) for name, count in enumerate(counts) for place in range(count))
    for name, count in enumerate(counts):
        assert [value for value in values if value[0] == name] == [(name, place) for place in range(count)]
    if how in ("concat", "phases"):
        assert values == sorted(values)


@RUNS
@given(PARTS, st.integers(0, 10**6), st.integers(1, 50), st.integers(1, 30))
def test_timed_ops_are_not_lost_either(counts: list[int], seed: int, apart: int, mean: int) -> None:
    parts = [delay(apart * NS, stagger(mean * NS, numbered(name, count))) for name, count in enumerate(counts)]
    ops = invocations(simulate(any_of(*parts), world_of(seed), concurrency=3, seed=seed))
    assert len(ops) == sum(counts)
    for name in range(len(counts)):
        times = [op.time_ns for op in ops if op.value[0] == name]
        assert all(later - earlier >= apart for earlier, later in itertools.pairwise(times))


@RUNS
@given(trees(), st.integers(1, 200), st.integers(0, 10**6))
def test_a_time_limit_is_kept(tree: Any, length: int, seed: int) -> None:
    ops = invocations(
        simulate(time_limit(length * NS, tree), world_of(seed), concurrency=3, seed=seed, ops_max=OPS_MAX)
    )
    assert all(op.time_ns < ops[0].time_ns + length for op in ops)


@RUNS
@given(trees(), st.integers(1, 10), st.integers(0, 10**6))
def test_a_limit_is_kept(tree: Any, count: int, seed: int) -> None:
    ops = simulate(limit(count, tree), world_of(seed), concurrency=3, seed=seed, ops_max=OPS_MAX)
    assert len(invocations(ops)) <= count


@RUNS
@given(trees_of_anyone(), st.integers(1, 4), st.integers(0, 10**6))
def test_a_process_limit_is_kept(tree: Any, count: int, seed: int) -> None:
    ops = simulate(process_limit(count, limit(40, mix([tree, repeat({"f": "r"})]))), world_of(seed), concurrency=5)
    assert len(set(told(ops, "process"))) <= count
