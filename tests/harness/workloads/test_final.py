"""The reads at the end: every key, by every thread, until they succeed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import PluginError
from harness.generator import Context, clients, concat, limit, phases, repeat
from harness.op import Op, OpType
from harness.workloads.final import PAUSE_S, TRIES, reads_of, reads_of_used_keys
from tests.virtual_time import after, context, invocations, perfect, simulate, told


@given(st.integers(0, 40), st.integers(1, 4))
def test_every_thread_reads_every_key(keys: int, concurrency: int) -> None:
    ops = perfect(clients(reads_of(range(keys))), concurrency=concurrency)
    assert sorted(told(ops, "process", "key")) == [(p, k) for p in range(concurrency) for k in range(keys)]
    assert all(op.f == "read" and op.value is None and op.extra == {"final": True} for op in ops)


def test_a_read_that_succeeds_is_not_repeated_and_costs_no_pause() -> None:
    ops = perfect(clients(reads_of("xyz")), concurrency=1)
    assert told(ops, "key", "time_ns") == [("x", 0), ("y", 10), ("z", 20)]


def test_a_read_is_tried_again_after_a_pause() -> None:
    kinds = iter([OpType.FAIL, OpType.INFO, OpType.OK])

    def world(_: Context, op: Op) -> Op:
        return replace(op, type=next(kinds, OpType.OK), time_ns=op.time_ns + 10)

    ops = simulate(clients(reads_of("xy")), world, concurrency=1)
    pause_ns = round(PAUSE_S * 1e9)
    assert told(invocations(ops), "process", "key", "time_ns") == [
        (0, "x", 0),
        (0, "x", pause_ns),
        (1, "x", 2 * pause_ns),
        (1, "y", 2 * pause_ns + 10),
    ]


def test_a_read_that_never_succeeds_is_given_up() -> None:
    ops = invocations(simulate(clients(reads_of("xy")), after(10, OpType.FAIL), concurrency=1))
    assert told(ops, "key") == ["x"] * TRIES + ["y"] * TRIES


def used(*main: Any) -> list[Op]:
    tree = phases(clients(concat(*main)), clients(reads_of_used_keys()))
    return [op for op in perfect(tree) if op.extra.get("final")]


def test_used_keys_are_learnt_from_events() -> None:
    ops = used(*({"f": "write", "key": key, "value": 1} for key in [7, "x", 3, 7, 9]))
    assert sorted(map(str, set(told(ops, "process", "key")))) == sorted(
        map(str, [(process, key) for process in (0, 1) for key in (7, "x", 3, 9)])
    )
    assert [op.key for op in ops if op.process == 0] == [7, "x", 3, 9]


def test_keys_that_python_takes_for_equal_are_different_keys() -> None:
    keys = {(type(op.key), op.key) for op in used(*({"f": "read", "key": key} for key in [1, True, 1.0, False, 0]))}
    assert keys == {(int, 1), (bool, True), (float, 1.0), (bool, False), (int, 0)}


def test_ops_without_a_key_and_of_the_nemesis_name_none() -> None:
    generator = reads_of_used_keys()
    ctx = context()
    generator = generator.update(ctx, Op(f="start-kill", process="nemesis", key="n1"))
    generator = generator.update(ctx, Op(f="enqueue", process=0))
    assert generator.op(ctx) is None


def test_final_reads_that_could_hear_nothing_say_so() -> None:
    with pytest.raises(PluginError, match=r"must follow the workload in one phases\(...\)"):
        perfect(clients(reads_of_used_keys()))


def test_states_that_share_their_keys_do_not_disturb_each_other() -> None:
    ctx = context(1)

    def heard(generator: Any, key: Any) -> Any:
        return generator.update(ctx, Op(f="read", process=0, key=key))

    def keys(generator: Any) -> list[Any]:
        return told(perfect(clients(generator), concurrency=1), "key")

    one = heard(reads_of_used_keys(), "a")
    left, right = heard(one, "b"), heard(one, "c")
    again = heard(heard(left, "c"), "b")
    assert (keys(one), keys(left), keys(right), keys(again)) == (["a"], ["a", "b"], ["a", "c"], ["a", "b", "c"])
    assert heard(left, "a") is left


@given(st.lists(st.integers(0, 12), min_size=1))
def test_used_keys_are_all_of_them_in_order(order: list[int]) -> None:
    ops = used(*({"f": "read", "key": key} for key in order))
    for process in (0, 1):
        assert [op.key for op in ops if op.process == process] == list(dict.fromkeys(order))


def test_final_reads_of_many_keys() -> None:
    # Also the last of a number that is no multiple of anything.
    main = clients(limit(1009, repeat(lambda ctx: {"f": "read", "key": ctx.time_ns})))
    ops = simulate(phases(main, clients(reads_of_used_keys())), after(1), concurrency=1)
    reads = [op for op in invocations(ops) if op.extra.get("final")]
    assert len({op.key for op in reads}) == 1009
