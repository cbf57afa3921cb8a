"""More objects that a history can be judged against; ``models`` says what a model is, and has the common ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from checkers.linearizable.models import UNKNOWN, ContainerForm, Model, State


def _least_first(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, State]:
    """The content in ascending order."""
    if f == "insert":
        return True, tuple(sorted((*state, argument), key=_number))
    if not state:
        return result is None or result is UNKNOWN, state
    legal = result is UNKNOWN or (result is not None and _number(result) == _number(state[0]))
    return legal, state[1:]


def _number(value: Any) -> Any:
    """A priority: a number, however it is written (``frozen`` keeps 1 and 1.0 apart)."""
    return value[1] if isinstance(value, tuple) and len(value) == 2 and value[0] is float else value


def _bag(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, State]:
    """The content, sorted by its text, since the order does not matter."""
    if f == "enqueue":
        return True, tuple(sorted((*state, argument), key=repr))
    if result is None:
        return not state, state
    if result not in state:
        return False, state
    return True, _without(state, state.index(result))


def _lost_from_bag(state: Any, f: str, argument: Any) -> Sequence[Any]:
    """A removal of which nobody knows the result took any value, or none."""
    if f == "enqueue":
        return (_bag(state, f, argument, None)[1],)
    return (state, *(_without(state, at) for at in range(len(state))))


def _without(state: Any, at: int) -> Any:
    return state[:at] + state[at + 1 :]


PRIORITY_QUEUE = Model(
    name="priority-queue",
    summary="numbers, the smallest first: insert, delete-min (null: it was empty)",
    init=(),
    step=_least_first,
    fs=frozenset({"insert", "delete-min"}),
    container=ContainerForm(insert="insert", remove="delete-min", order="least"),
)
UNORDERED_QUEUE = Model(
    name="unordered-queue",
    summary="values that come out in any order: enqueue, dequeue (null: it was empty)",
    init=(),
    step=_bag,
    fs=frozenset({"enqueue", "dequeue"}),
    container=ContainerForm(insert="enqueue", remove="dequeue", order="any"),
    lost=_lost_from_bag,
)
