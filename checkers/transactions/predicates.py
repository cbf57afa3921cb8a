"""Transactions that read by predicates, over a universe of keys that is known. What is read and written; nothing is judged here.

* ``init`` comes first: its value is a map of keys to whole numbers, what there is in the beginning. It is trusted.
* ``txn``: a list of micro-operations ["insert", key, value], ["w", key, value], ["delete", key], ["r", key, value or null] and
  ["rp", predicate, {key: value, ...}], which found these of all keys. A predicate is "true", ["=", value] or ["mod", divisor, rest].

Maps may also be lists of pairs. Keys are compared by their names, since JSON's maps have no others. Each key is changed at most once,
besides by ``init``: so each has at most two versions, and of two it is known which one is the first. Source: elle.closed-predicate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkers.transactions.txns import TXN, Unjudgeable
from checkers.wording import name, text
from harness.history import FAIL, OK, Calls

INIT = "init"
INSERT, WRITE, DELETE, READ, FIND = "insert", "w", "delete", "r", "rp"
SIZES = {INSERT: 3, WRITE: 3, DELETE: 2, READ: 3, FIND: 3}
Predicate = Callable[[int], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mop:
    """A micro-operation. ``value`` is None where there is nothing: of a read, and of what ``delete`` leaves. Of ``rp``: ``matches``, its
    ``words``, and what it ``found``.
    """

    f: str
    key: str = ""
    value: int | None = None
    matches: Predicate | None = None
    words: str = ""
    found: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a key is, from a ``writer`` on (a row among the calls; None: nobody made it, since it was never there)."""

    value: int | None
    writer: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """``txns``: of each call its micro-operations. ``keys``: one or two versions of each, in order. ``failed``: who failed to write a value
    of a key.
    """

    txns: Sequence[Sequence[Mop]]
    keys: Mapping[str, tuple[Version, ...]]
    failed: Mapping[tuple[str, int | None], int]


def world_of(calls: Calls) -> World:
    """What the calls ``init`` and ``txn`` say. Raises Unjudgeable."""
    history = calls.history
    names = [history.fs[code] for code in calls.f.tolist()]
    txns, failed = list[Sequence[Mop]](), dict[tuple[str, int | None], int]()
    keys: dict[str, tuple[Version, ...]] = {}
    for row, f in enumerate(names):
        outcome = int(calls.outcome[row])
        value = history.values[int((calls.result if outcome == OK else calls.argument)[row])]
        where = f"the {f} of index {history.index[calls.call[row]]}"
        if f == INIT:
            # What came before it could be seen, and nobody would know what that was.
            if row or outcome != OK or (len(calls) > 1 and calls.ret[row] > calls.call[1]):
                raise Unjudgeable(f"{where} must come first, once, and succeed, so that it is known what there was")
            keys = {key: (Version(value=number, writer=row),) for key, number in _pairs(value, where).items()}
            txns.append(())
            continue
        mops = [_mop(item, where) for item in _list(value, where)] if f == TXN else []
        txns.append(mops)
        for mop in mops:
            if mop.f not in (INSERT, WRITE, DELETE):
                continue
            if outcome == FAIL:
                failed.setdefault((mop.key, mop.value), row)
                continue
            before = keys.get(mop.key, (Version(value=None, writer=None),))
            if len(before) > 1 or (before[0].value == mop.value and before[0].writer is not None):
                raise Unjudgeable(
                    f"key {name(mop.key)} is changed more than once, so nobody knows in which order ({where})"
                )
            keys[mop.key] = (*before, Version(value=mop.value, writer=row))
    return World(txns=txns, keys=keys, failed=failed)


def _list(value: Any, where: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise Unjudgeable(f"{where} is {text(value)}, which is no list of micro-operations")
    return value


def _mop(item: Any, where: str) -> Mop:
    f = str(item[0]).removeprefix(":") if isinstance(item, list | tuple) and item else ""
    if f not in SIZES or not SIZES[f] <= len(item) <= 3:
        raise Unjudgeable(
            f"{where} has {text(item)}, which is no micro-operation; this checker knows {', '.join(SIZES)}"
        )
    if f == FIND:
        return Mop(f=f, matches=_predicate(item[1], where), words=text(item[1]), found=_pairs(item[2] or {}, where))
    value = None if f == DELETE else item[2]
    if value is not None or f in (INSERT, WRITE):
        _number(value, where)
    return Mop(f=f, key=_key(item[1]), value=value)


def _predicate(given: Any, where: str) -> Predicate:
    words = [str(given)] if not isinstance(given, list | tuple) else [str(part) for part in given]
    match [word.removeprefix(":") for word in words[:1]], [*given[1:]] if isinstance(given, list | tuple) else []:
        case ["true" | "True"], []:
            return lambda _: True
        case ["="], [goal]:
            _number(goal, where)
            return lambda value: bool(value == goal)
        case ["mod"], [divisor, rest] if divisor:
            _number(divisor, where)
            _number(rest, where)
            return lambda value: bool(value % divisor == rest)
    raise Unjudgeable(
        f'{where} has the predicate {text(given)}; there are "true", ["=", value] and ["mod", divisor, rest]'
    )


def _pairs(value: Any, where: str) -> dict[str, int]:
    if isinstance(value, Mapping):
        value = list(value.items())
    if not isinstance(value, list | tuple) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in value
    ):
        raise Unjudgeable(f"{where} has {text(value)}, which is no map of keys to numbers")
    return {_key(key): _number(number, where) for key, number in value}


def _key(key: Any) -> str:
    return str(key).removeprefix(":") if isinstance(key, str) else text(key)


def _number(value: Any, where: str) -> int:
    if type(value) is not int:
        raise Unjudgeable(f"{where} has the value {text(value)}, which is no whole number")
    return value
