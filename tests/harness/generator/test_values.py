"""Plain values as generators: ops, mappings, functions, sequences, streams."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from harness.errors import PluginError
from harness.generator import (
    EMPTY,
    NEMESIS_THREAD,
    PENDING,
    Context,
    Lazy,
    after_event,
    any_of,
    clients,
    concat,
    gen,
    limit,
    repeat,
    until_ok,
)
from harness.generator.values import Template
from harness.op import NEMESIS, Op, OpType
from tests.virtual_time import after, context, perfect, perfect_ops, quick, simulate, told


def test_none_and_no_elements_are_nothing() -> None:
    assert gen(None) is gen([]) is gen(()) is gen([None, []]) is EMPTY
    assert EMPTY.op(context()) is None
    assert perfect(None) == []


def test_a_generator_stays_what_it_is() -> None:
    generator = limit(3, {"f": "read"})
    assert gen(generator) is generator


def test_a_mapping_is_one_op() -> None:
    (op,) = perfect(clients({"f": "write", "key": 3, "value": 2}))
    assert (op.type, op.time_ns, op.f, op.key, op.value, op.node) == (OpType.INVOKE, 0, "write", 3, 2, None)
    assert op.process in (0, 1)


def test_an_op_is_one_op() -> None:
    (op,) = perfect(clients(Op(f="write", key=3, value=2, node="n1", extra={"final": True})))
    assert (op.type, op.time_ns, op.f, op.key, op.value, op.node) == (OpType.INVOKE, 0, "write", 3, 2, "n1")
    assert op.extra == {"final": True}
    assert op.process in (0, 1)


def test_a_nemesis_op_is_info() -> None:
    (op,) = quick({"f": "start-kill", "process": NEMESIS})
    assert (op.process, op.type) == (NEMESIS, OpType.INFO)


def test_unknown_names_of_a_mapping_are_extra() -> None:
    (op,) = perfect({"f": "read", "final": True, "extra": {"round": 2}})
    assert op.extra == {"round": 2, "final": True}


def test_ops_are_spread_over_free_processes() -> None:
    assert told(perfect([{"f": "write"}] * 6), "time_ns", "process") == [
        (0, NEMESIS),
        (0, 1),
        (0, 0),
        (10, NEMESIS),
        (10, 1),
        (10, 0),
    ]


def test_while_all_are_busy_an_op_is_pending() -> None:
    ctx = context(1).busy(0, 0).busy(NEMESIS_THREAD, 0)
    assert gen({"f": "read"}).op(ctx) is PENDING


def test_an_op_of_its_own_process_waits_for_it() -> None:
    op = gen({"f": "read", "process": 1})
    ctx = context(2)
    assert op.op(ctx.busy(1, 0)) is PENDING
    assert told(quick(op), "process") == [1]


@pytest.mark.parametrize("process", [2, 7])
def test_an_op_of_a_process_that_is_not_there_is_refused(process: int) -> None:
    with pytest.raises(PluginError, match=rf"'read' is for process {process}, but here are only \[0, 1, 'nemesis'\]"):
        gen({"f": "read", "process": process}).op(context(2))


def test_an_op_has_its_own_time_if_that_is_later() -> None:
    planned = gen({"f": "stop", "time_ns": 50})
    assert told(perfect(planned), "time_ns") == [50]
    answer = planned.op(context().at(80))
    assert isinstance(answer, tuple)
    assert answer[0].time_ns == 80


def test_a_planned_op_of_the_nemesis_is_not_made_twice() -> None:
    planned = gen(Op(f="heal", process=NEMESIS, time_ns=50))
    first, second = planned.op(context()), planned.op(context().at(20))
    assert isinstance(first, tuple)
    assert isinstance(second, tuple)
    assert first[0] is second[0]
    assert (first[0].time_ns, first[0].type) == (50, OpType.INFO)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (5, "5 is not a generator"),
        ("read", "'read' is not a generator"),
        ({"value": 3}, "has none: {'value': 3}"),
        ({"f": 3}, "must be a word, not 3"),
        ({"f": "read", "type": "ok"}, "type 'ok' of 'read' must be left out"),
        ({"f": "read", "index": 3}, "cannot give 'index'"),
        (lambda a, b: None, "must take 0 or 1 arguments"),
    ],
)
def test_what_cannot_be_a_generator_is_refused(value: object, problem: str) -> None:
    with pytest.raises(PluginError, match=problem):
        gen(value)


# Functions.


def test_a_function_is_called_anew_for_each_op() -> None:
    numbers = itertools.count()
    assert told(perfect(limit(4, lambda: {"f": "write", "value": next(numbers)})), "value") == [0, 1, 2, 3]


def test_a_function_may_want_the_context() -> None:
    def write_time(ctx: Context) -> dict[str, Any]:
        return {"f": "write", "value": ctx.time_ns}

    assert told(perfect(limit(4, write_time)), "value") == [0, 0, 0, 10]


def test_an_optional_argument_is_not_the_context() -> None:
    def write(value: int = 7) -> dict[str, Any]:
        return {"f": "write", "value": value}

    assert told(perfect(limit(1, write)), "value") == [7]


@pytest.mark.parametrize(
    "made",
    [
        {"f": "read"},
        {"f": "read", "key": 1, "value": None},
        {"f": "read", "final": True},
        Op(f="read", extra={"final": True}),
    ],
)
def test_a_function_may_make_any_op(made: Any) -> None:
    (op,) = quick(limit(1, lambda: made))
    expected = gen(made)
    assert isinstance(expected, Template)
    assert (op.f, op.key, op.value, op.extra) == ("read", expected.template.key, None, expected.template.extra)


def test_a_function_ends_with_none() -> None:
    def until_20_ns(ctx: Context) -> dict[str, Any] | None:
        return {"f": "read"} if ctx.time_ns < 20 else None

    assert told(perfect(clients(until_20_ns), concurrency=1), "time_ns") == [0, 10]


def test_what_a_function_returns_is_used_up_before_it_is_called_again() -> None:
    rounds = itertools.count()

    def pair() -> list[dict[str, Any]]:
        number = next(rounds)
        return [{"f": "write", "value": number}, {"f": "read", "value": number}]

    assert told(perfect(limit(5, pair)), "f", "value") == [
        ("write", 0),
        ("read", 0),
        ("write", 1),
        ("read", 1),
        ("write", 2),
    ]


def test_what_a_function_returned_hears_of_events() -> None:
    ops = simulate(clients(limit(6, lambda: [until_ok(repeat({"f": "try"})), {"f": "done"}])), after(10), concurrency=1)
    assert told(ops[::2], "f") == ["try", "done"] * 3


def test_a_function_is_not_called_while_nobody_is_free() -> None:
    calls: list[int] = []
    generator = gen(lambda: calls.append(1))
    assert generator.op(context(1).busy(0, 0).busy(NEMESIS_THREAD, 0)) is PENDING
    assert calls == []


def test_a_function_that_never_has_an_op_is_found_out() -> None:
    with pytest.raises(PluginError, match="empty generator 1000 times in a row"):
        gen(lambda: ()).op(context())


def test_a_function_that_makes_no_op_is_refused() -> None:
    with pytest.raises(PluginError, match="has none"):
        gen(lambda: {"value": 3}).op(context())
    with pytest.raises(PluginError, match="must be a word, not ''"):
        gen(lambda: {"f": ""}).op(context())


# Sequences and streams.


def test_a_sequence_is_its_elements_one_after_the_other() -> None:
    nested = [[{"f": "a"}, {"f": "b"}], [[{"f": "c"}], {"f": "d"}], {"f": "e"}]
    assert told(quick(nested), "f") == ["a", "b", "c", "d", "e"]


def test_updates_reach_the_part_whose_turn_it_is() -> None:
    kinds = iter([OpType.FAIL, OpType.FAIL, OpType.OK, OpType.OK])

    def world(_: Context, op: Op) -> Op:
        return Op(f=op.f, process=op.process, time_ns=op.time_ns + 10, type=next(kinds, OpType.INFO))

    ops = simulate(clients([until_ok(repeat({"f": "read"})), {"f": "done"}]), world)
    assert [(op.time_ns, op.f, op.type.value) for op in ops] == [
        (0, "read", "invoke"),
        (0, "read", "invoke"),
        (10, "read", "fail"),
        (10, "read", "invoke"),
        (10, "read", "fail"),
        (10, "read", "invoke"),
        (20, "read", "ok"),
        (20, "done", "invoke"),
        (20, "read", "ok"),
        (30, "done", "info"),
    ]


def test_a_part_hears_of_events_before_its_turn() -> None:
    # The write has completed before anybody asks for what waits for it.
    waiting = after_event(lambda event: event.f == "write" and event.type is OpType.OK, {"f": "confirm"})
    ops = perfect(clients([{"f": "write"}, limit(3, repeat({"f": "read"})), waiting]), concurrency=1)
    assert told(ops, "f", "time_ns") == [("write", 0), ("read", 10), ("read", 20), ("read", 30), ("confirm", 40)]


def test_plain_parts_are_not_told_of_events() -> None:
    sequence = concat(*[{"f": "a"}] * 100, repeat({"f": "b"}), lambda: {"f": "c"}, until_ok({"f": "d"}))
    assert getattr(sequence, "ears", None) == (102,)


def test_a_stream_is_drawn_lazily_and_may_be_endless() -> None:
    drawn: list[int] = []

    def writes() -> Iterator[dict[str, Any]]:
        for value in itertools.count():
            drawn.append(value)
            yield {"f": "write", "value": value}

    assert told(perfect(limit(3, writes())), "value") == [0, 1, 2]
    assert drawn == [0, 1, 2]


def test_a_stream_is_immutable_though_its_iterator_is_not() -> None:
    generator = gen({"f": "write", "value": value} for value in range(3))
    assert told(perfect(generator), "value") == told(perfect(generator), "value") == [0, 1, 2]


def test_elements_of_a_stream_hear_of_events_in_their_turn() -> None:
    ops = perfect(clients(until_ok(repeat({"f": f})) for f in "ab"), concurrency=1)
    assert told(ops, "f", "time_ns") == [("a", 0), ("b", 10)]


def test_a_stream_passes_over_empty_elements() -> None:
    assert told(perfect(iter([None, {"f": "a"}, [], {"f": "b"}])), "f") == ["a", "b"]


def test_an_iterator_that_raised_does_not_pass_for_one_that_ended() -> None:
    class Broken:
        def __iter__(self) -> Broken:
            return self

        def __next__(self) -> int:
            raise ValueError("broken")

    place = Lazy(Broken())
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            place.draw()


def test_a_sequence_of_one_is_that_one() -> None:
    inner = limit(2, {"f": "a"})
    assert concat(None, inner, []) is inner


def test_the_last_part_stands_alone() -> None:
    endless = repeat({"f": "b"})
    answer = concat({"f": "a"}, endless).op(context())
    assert isinstance(answer, tuple)
    assert answer[1] is endless


def test_a_sequence_loses_nothing_when_an_answer_is_thrown_away() -> None:
    sequence = any_of([{"f": "a", "time_ns": 5}, {"f": "b", "time_ns": 5}])
    sequence.op(context())
    sequence.op(context())
    assert told(perfect_ops(sequence)[:1], "f") == ["a"]
    assert told(perfect(sequence), "f") == ["a", "b"]
