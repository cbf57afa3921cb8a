"""More objects that a history can be judged against; ``models`` says what a model is, and has the common ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from checkers.linearizable import steps
from checkers.linearizable.models import UNKNOWN, Coded, ContainerForm, IntForm, Model, Number, State


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
    blind=frozenset({"insert"}),
    container=ContainerForm(insert="insert", remove="delete-min", order="least"),
)
UNORDERED_QUEUE = Model(
    name="unordered-queue",
    summary="values that come out in any order: enqueue, dequeue (null: it was empty)",
    init=(),
    step=_bag,
    fs=frozenset({"enqueue", "dequeue"}),
    blind=frozenset({"enqueue"}),
    container=ContainerForm(insert="enqueue", remove="dequeue", order="any"),
    lost=_lost_from_bag,
)


def _strings(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, State]:
    if f in ("read", "get"):
        return result is UNKNOWN or result == state, state
    if f == "append":
        return True, (state or "") + argument
    return True, None if f == "delete" else argument


def _fetch_and_add(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, State]:
    """The result of an addition is the number before it."""
    if f == "read":
        return result is UNKNOWN or result == state, state
    return result is UNKNOWN or result == state, state + argument


def _code_fetch_and_add(f: str, argument: Any, result: Any, _number: Number) -> Coded:
    delta, before = argument if f == "add" else 0, 0 if result is UNKNOWN else result
    whole = type(delta) is int and type(before) is int
    return (steps.ADD if f == "add" else steps.READ, delta, before) if whole else None


def _reentrant(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, State]:
    """Who holds the lock, and how often; the argument says who acts."""
    owner, depth = state
    if f == "acquire":
        if depth == 0 or owner == argument:
            return True, (argument, depth + 1)
    elif depth > 0 and owner == argument:
        return True, (argument if depth > 1 else None, depth - 1)
    return result is UNKNOWN, state


def _code_reentrant(f: str, argument: Any, _result: Any, number: Number) -> Coded:
    return steps.ACQUIRE if f == "acquire" else steps.RELEASE, number(argument), 0


def _registers(state: Any, _f: str, argument: Any, result: Any) -> tuple[bool, State]:
    """A transaction is a list of [f, key, value]; reads have null until they are answered. State: sorted pairs."""
    now = dict(state)
    steps = argument if result is UNKNOWN else result
    for name, key, value in steps or ():
        if _writes(name):
            now[key] = value
        elif result is not UNKNOWN and now.get(key) != value:
            return False, state
    return True, tuple(sorted(now.items(), key=repr))


def _writes(name: Any) -> bool:
    """Whether a step is called a write; a keyword of EDN comes with its kind (see ``frozen``)."""
    word = name[1] if isinstance(name, tuple) else name
    return isinstance(word, str) and word.removeprefix(":") in ("w", "write")


_STRING_FS = frozenset({"read", "get", "write", "put", "append", "delete"})
_STRING_READS = frozenset({"read", "get"})
STRING_KV = Model(
    name="string-kv",
    summary="strings that grow, first empty, per key: get (read), put (write), append, delete",
    init="",
    step=_strings,
    fs=_STRING_FS,
    reads=_STRING_READS,
    blind=_STRING_FS - _STRING_READS,
    appends=True,
)
FETCH_AND_ADD = Model(
    name="fetch-and-add",
    summary="a number, first 0: add (of a delta; returns the number before), read",
    init=0,
    step=_fetch_and_add,
    fs=frozenset({"add", "read"}),
    reads=frozenset({"read"}),
    ints=IntForm(init=0, code=_code_fetch_and_add, form=steps.FETCH_AND_ADD),
)
REENTRANT_LOCK = Model(
    name="reentrant-lock",
    summary="a lock that its holder may take again: acquire, release (the argument is who)",
    init=(None, 0),
    step=_reentrant,
    fs=frozenset({"acquire", "release"}),
    ints=IntForm(init=0, code=_code_reentrant, form=steps.REENTRANT),
)
MULTI_REGISTER = Model(
    name="multi-register",
    summary="registers, first null, read and written several at once: txn of [[f, key, value], ...]",
    init=(),
    step=_registers,
    fs=frozenset({"txn"}),
)
