"""One generator per key, one after the other or several at once."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from typing import Any

import pytest

from harness.errors import PluginError
from harness.generator import (
    EMPTY,
    NEMESIS_THREAD,
    PENDING,
    Generator,
    any_of,
    clients,
    concurrent_keys,
    each_thread,
    keyed,
    limit,
    nemesis,
    phases,
    process_limit,
    repeat,
    sequential_keys,
    until_ok,
)
from harness.op import Op, OpType
from tests.virtual_time import context, imperfect, perfect, perfect_info, perfect_ops, quick, told

A, B = {"f": "a"}, {"f": "b"}


def two(_: Any) -> list[dict[str, Any]]:
    return [A, B]


def test_keyed_ops_carry_their_key() -> None:
    (op,) = perfect(clients(keyed("x", {"f": "write", "value": 3, "final": True})))
    assert (op.f, op.key, op.value, op.extra) == ("write", "x", 3, {"final": True})
    assert keyed("x", None) is EMPTY


def test_keyed_hears_of_its_key_alone() -> None:
    ctx = context(1)
    answer = clients(keyed("x", until_ok(repeat(A)))).op(ctx)
    assert isinstance(answer, tuple)
    op, rest = answer
    done = Op(f="a", process=op.process, type=OpType.OK)
    assert rest.update(ctx, done) is rest
    assert rest.update(ctx, Op(f="a", process=op.process, type=OpType.OK, key="x")) is EMPTY


def test_sequential_keys_follow_one_another() -> None:
    ops = perfect(sequential_keys("xyz", two))
    assert told(ops, "key", "f") == [(key, f) for key in "xyz" for f in "ab"]


def test_sequential_keys_may_be_endless_and_some_may_be_empty() -> None:
    ops = perfect(limit(4, sequential_keys(itertools.count(), lambda key: two(key) if key % 2 else None)))
    assert told(ops, "key", "f") == [(1, "a"), (1, "b"), (3, "a"), (3, "b")]


def test_sequential_keys_hear_of_events() -> None:
    ops = imperfect(clients(sequential_keys("xy", lambda _: until_ok(repeat(A)))), concurrency=1)
    assert told(ops[1::2], "key", "type") == [(key, kind) for key in "xy" for kind in ("fail", "info", "ok")]


def test_concurrent_keys_give_each_group_its_own_key() -> None:
    ops = quick(limit(400, concurrent_keys(2, itertools.count(), lambda _: repeat(A))), concurrency=6)
    threads = defaultdict(set)
    for op in ops:
        threads[op.key].add(op.process)
    assert sorted(map(sorted, threads.values())) == [[0, 1], [2, 3], [4, 5]]
    assert set(threads) == {0, 1, 2}


@pytest.mark.parametrize(
    ("concurrency", "threads_per_key", "sizes"),
    [(10, 10, [10]), (12, 10, [6, 6]), (7, 3, [2, 2, 3]), (3, 10, [3]), (4, 1, [1, 1, 1, 1]), (39, 20, [19, 20])],
)
def test_groups_are_of_nearly_the_same_size(concurrency: int, threads_per_key: int, sizes: list[int]) -> None:
    generator = concurrent_keys(threads_per_key, itertools.count(), lambda _: each_thread(A))
    ops = quick(limit(concurrency, generator), concurrency=concurrency)
    assert sorted(Counter(told(ops, "key")).values()) == sizes
    for key in set(told(ops, "key")):
        members = sorted(int(op.process) for op in ops if op.key == key)
        assert members == list(range(min(members), max(members) + 1))


def test_every_key_gets_all_its_ops_and_keys_are_taken_in_order() -> None:
    ops = perfect(concurrent_keys(2, range(7), lambda _: limit(5, repeat(A))), concurrency=4)
    assert Counter(told(ops, "key")) == dict.fromkeys(range(7), 5)
    firsts = list(dict.fromkeys(told(ops, "key")))
    assert firsts == list(range(7))


def test_concurrent_keys_pass_over_empty_keys() -> None:
    ops = perfect(concurrent_keys(1, range(6), lambda key: A if key % 2 else None), concurrency=2)
    assert sorted(told(ops, "key")) == [1, 3, 5]
    with pytest.raises(PluginError, match="gave no op for 1000 keys in a row"):
        concurrent_keys(1, itertools.count(), lambda _: None).op(context())


def test_the_generator_of_a_key_sees_its_group_alone() -> None:
    ops = perfect(concurrent_keys(2, "xy", lambda _: phases(each_thread(A), each_thread(B))), concurrency=4)
    for key in "xy":
        mine = [(op.f, op.time_ns) for op in ops if op.key == key]
        assert mine == [("a", 0), ("a", 0), ("b", 10), ("b", 10)]


def test_the_generator_of_a_key_hears_of_its_key() -> None:
    ops = imperfect(concurrent_keys(1, "xyz", lambda _: until_ok(repeat(A))), concurrency=2)
    types = {key: [op.type.value for op in ops if op.key == key and op.type is not OpType.INVOKE] for key in "xyz"}
    assert list(types.values()) == [["fail", "info", "ok"]] * 3


def test_a_late_completion_of_an_old_key_is_not_told_to_the_new_one() -> None:
    # Thread 0 is still busy with key 0 when its group has gone on to key 1.
    ctx = context(2)
    generator: Generator = concurrent_keys(
        2, range(3), lambda key: limit(1, repeat(A)) if key == 0 else until_ok(repeat(A))
    )
    answer = generator.op(ctx)
    assert isinstance(answer, tuple)
    first, generator = answer
    ctx = ctx.busy(ctx.thread_of(first.process), 0)
    answer = generator.op(ctx)
    assert isinstance(answer, tuple)
    second, generator = answer
    assert (first.key, second.key) == (0, 1)
    ctx = ctx.busy(ctx.thread_of(second.process), 0)
    ctx = ctx.freed(ctx.thread_of(first.process), 5)
    assert generator.update(ctx, first.ok(None)) is generator
    ctx = ctx.freed(ctx.thread_of(second.process), 6)
    changed = generator.update(ctx, second.ok(None))
    answer = changed.op(ctx)
    assert isinstance(answer, tuple)
    assert answer[0].key == 2


def test_a_key_ends_with_its_last_process() -> None:
    ops = perfect_info(
        limit(60, concurrent_keys(2, itertools.count(), lambda _: process_limit(6, repeat(A)))), concurrency=4
    )
    processes = defaultdict(set)
    for op in ops:
        processes[op.key].add(op.process)
    assert all(len(found) <= 6 for found in processes.values())
    assert len(processes) > 8


def test_concurrent_keys_leave_the_nemesis_alone() -> None:
    ops = perfect(any_of(nemesis(repeat(B, 3)), concurrent_keys(1, range(4), two)))
    assert all(op.is_nemesis == (op.f == "b" and op.key is None) for op in ops)
    generator = concurrent_keys(1, range(4), two)
    assert generator.update(context(), Op(f="b", process="nemesis")) is generator


def test_concurrent_keys_are_pending_while_a_group_may_go_on() -> None:
    generator: Generator = concurrent_keys(1, range(1), lambda _: until_ok(repeat(A)))
    ctx = context(1)
    answer = generator.op(ctx)
    assert isinstance(answer, tuple)
    op, generator = answer
    assert generator.op(ctx.busy(0, 0)) is PENDING
    assert generator.update(ctx, op.ok(None)).op(ctx) is None


def test_concurrent_keys_are_over_with_the_last_op_of_the_last_key() -> None:
    generator: Generator = concurrent_keys(1, range(1), lambda _: A)
    ctx = context(1)
    answer = generator.op(ctx)
    assert isinstance(answer, tuple)
    assert answer[1].op(ctx.busy(0, 0)) is None


def test_groups_have_an_equal_share() -> None:
    ops = quick(limit(1500, concurrent_keys(2, itertools.count(), lambda _: repeat(A))), concurrency=6)
    assert all(420 < count < 580 for count in Counter(told(ops, "key")).values())


def test_concurrent_keys_need_threads() -> None:
    with pytest.raises(PluginError, match="at least one thread per key, not 0"):
        concurrent_keys(0, "x", two)
    with pytest.raises(PluginError, match="here are none"):
        concurrent_keys(2, "x", two).op(context(1).restrict(context(1).bit(NEMESIS_THREAD)))


def test_an_interrupted_answer_takes_no_key() -> None:
    generator = clients(concurrent_keys(1, itertools.count(), two))
    ctx = context(2)
    for _ in range(5):
        generator.op(ctx)
    assert set(told(perfect_ops(limit(4, generator)), "key")) <= {0, 1, 2}
