"""Models: what they allow, what they do not, and that unknown results are legal."""

from __future__ import annotations

from typing import Any

import pytest

from checkers import MODELS
from checkers.linearizable.check import make
from checkers.linearizable.models import COUNTER, UNKNOWN, Model, frozen, successors
from checkers.linearizable.steps import ADD, READ
from harness.history import History
from harness.op import Op
from harness.registry import Registry
from harness.verdict import Budget

Steps = list[tuple[str, Any, Any]]


def last_is_legal(model: str, steps: Steps) -> bool:
    """Whether the last step is; all before it must be."""
    found: Model = Registry("model", MODELS).get(model)
    state: Any = found.init
    for at, (f, argument, result) in enumerate(steps):
        legal, state = found.step(state, f, frozen(argument), result if result is UNKNOWN else frozen(result))
        assert legal or at == len(steps) - 1
        hash(state)
    return legal


@pytest.mark.parametrize(
    ("model", "steps", "wrong"),
    [
        ("register", [("read", None, None)], 0),
        ("register", [("write", 1, 1), ("write", 2, 2), ("read", None, 2)], 1),
        ("cas-register", [("write", 1, 1), ("cas", [1, 2], [1, 2]), ("read", None, 2)], 1),
        ("kv", [("write", [1, 2], None), ("read", None, [1, 2])], [2, 1]),
        ("fifo-queue", [("enqueue", 1, 1), ("enqueue", 2, 2), ("dequeue", None, 1)], 2),
        ("fifo-queue", [("enqueue", 1, 1), ("dequeue", None, 1), ("dequeue", None, None)], 1),
        ("stack", [("push", 1, 1), ("push", 2, 2), ("pop", None, 2)], 1),
        ("stack", [("pop", None, None)], 1),
        ("fifo-queue", [*(("enqueue", n, n) for n in (1, 2, 3)), ("dequeue", None, 1), ("dequeue", None, 2)], 3),
        ("stack", [*(("push", n, n) for n in (1, 2, 3)), ("pop", None, 3), ("pop", None, 2)], 1),
        ("set", [("add", 1, 1), ("add", 2, 2), ("read", None, [2, 1])], [1]),
        ("set", [("read", None, [])], [1]),
        ("set", [("add", 1, 1), ("add", 2, 2), ("remove", 1, 1), ("read", None, [2])], [1, 2]),
        ("set", [("add", 1, 1), ("contains", 1, True)], False),
        ("set", [("add", 1, 1), ("remove", 1, 1), ("contains", 1, False)], True),
        ("counter", [("add", 2, 2), ("add", -5, -5), ("read", None, -3)], 2),
    ],
)
def test_a_step_is_legal_with_one_result(model: str, steps: Steps, wrong: Any) -> None:
    f, argument, _ = steps[-1]
    assert last_is_legal(model, steps)
    assert not last_is_legal(model, [*steps[:-1], (f, argument, wrong)])
    assert last_is_legal(model, [*steps[:-1], (f, argument, UNKNOWN)])


@pytest.mark.parametrize(
    ("model", "steps"),
    [
        ("mutex", [("acquire", None, None), ("acquire", None, None)]),
        ("mutex", [("release", None, None)]),
        ("cas-register", [("write", 1, 1), ("cas", [2, 3], [2, 3])]),
    ],
)
def test_a_call_that_needs_another_state_is_illegal_unless_it_never_completed(model: str, steps: Steps) -> None:
    assert not last_is_legal(model, steps)
    f, argument, _ = steps[-1]
    assert last_is_legal(model, [*steps[:-1], (f, argument, UNKNOWN)])


@pytest.mark.parametrize("name", MODELS)
def test_reads_change_nothing(name: str) -> None:
    """What a model calls a read is placed without a second thought; a read that changes the state would be a wrong verdict."""
    model: Model = Registry("model", MODELS).get(name)
    for f in model.reads:
        _, state = model.step(model.init, f, None, UNKNOWN)
        assert state == model.init


@pytest.mark.parametrize("name", MODELS)
def test_a_register_form_names_what_the_model_knows(name: str) -> None:
    model: Model = Registry("model", MODELS).get(name)
    if model.register is not None:
        form = model.register
        assert model.fs == form.reads | form.writes | form.cas | set(form.swaps)
        assert (form.initial, form.reads) == (model.init, model.reads)


def test_frozen_values_are_equal_as_json_values_are() -> None:
    values = [None, 0, 1, True, False, 1.0, 0.0, "1", "", [], [1], [True], [[1]], {}, {"a": 1}, {"a": [1]}, {"a": True}]
    assert len({frozen(value) for value in values}) == len(values)
    assert frozen({"a": 1, "b": [2]}) == frozen({"b": [2], "a": 1})
    assert frozen([1, [2, 3]]) == (1, (2, 3))


@pytest.mark.parametrize(
    ("model", "state", "call", "after"),
    [
        ("unordered-queue", (1, 2), ("dequeue", None, UNKNOWN), [(1, 2), (2,), (1,)]),
        ("unordered-queue", (1, 2), ("dequeue", None, 2), [(1,)]),
        ("unordered-queue", (1, 2), ("dequeue", None, 3), []),
        ("unordered-queue", (1,), ("enqueue", 2, UNKNOWN), [(1, 2)]),
        ("register", 1, ("write", 2, UNKNOWN), [2]),
        ("register", 1, ("read", None, 2), []),
    ],
)
def test_only_a_lost_call_can_leave_one_of_several_states(
    model: str, state: Any, call: tuple[str, Any, Any], after: list[Any]
) -> None:
    found: Model = Registry("model", MODELS).get(model)
    assert list(successors(found, state, *call)) == after


def test_a_counter_in_numbers_is_one_of_whole_numbers() -> None:
    form = COUNTER.ints
    assert form is not None
    assert form.init == COUNTER.init
    calls = [("add", 5, UNKNOWN), ("add", 1.5, UNKNOWN), ("read", None, 7), ("read", None, 1.5), ("read", None, True)]
    coded = [form.code(f, argument, result, hash) for f, argument, result in calls]
    assert coded == [(ADD, 5, 0), None, (READ, 0, 7), None, None]


@pytest.mark.parametrize(
    ("model", "f", "value", "algorithm"),
    [
        ("cas-register", "write", 1, "unique"),
        ("mutex", "acquire", None, "unique"),
        ("fifo-queue", "enqueue", 1, "lives"),
        ("stack", "push", 1, "lives"),
        ("priority-queue", "insert", 1, "lives"),
        ("unordered-queue", "enqueue", 1, "lives"),
        ("set", "add", 1, "chain"),
        ("string-kv", "append", "a", "append-search"),
        ("reentrant-lock", "acquire", "a", "tabled"),
    ],
)
def test_every_model_has_the_algorithm_for_its_kind(model: str, f: str, value: Any, algorithm: str) -> None:
    call = Op(process=0, f=f, value=value)
    verdict = make(model=model).check(History.of([call, call.ok(value)]), Budget())
    assert verdict.stats["algorithms"] == {algorithm: 1}
