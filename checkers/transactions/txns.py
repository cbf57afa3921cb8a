"""The transactions of a history, as a checker sees them, and what is wrong with one alone. Pure.

A transaction is a call ``txn`` whose value is a list of micro-operations [f, key, value]. One that succeeded is judged by its completion,
in which reads have their results; of one that failed or has an unknown outcome only the writes count, as they were asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from checkers.wording import text
from harness.history import FAIL, OK, Calls, History
from harness.interning import identity

TXN = "txn"
READ = "r"


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The history holds what is no transaction of this kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mop:
    """One micro-operation. ``key`` and ``value`` are as recorded; ``name`` is the key's identity. ``values`` are what it wrote, or what
    versions its read shows, oldest first; ``ids`` are their identities.
    """

    f: str
    key: Any
    value: Any
    name: Hashable
    values: Sequence[Any]
    ids: tuple[Hashable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Txn:
    """One transaction; ``row`` is its row among the calls. ``call`` and ``ret`` are lines (FOREVER: it never returned)."""

    number: int
    row: int
    process: int
    call: int
    ret: int
    ok: bool
    failed: bool
    mops: tuple[Mop, ...]


# The versions that a read of (key, value) shows, oldest first. Raises Unjudgeable.
Versions = Callable[[Any, Any], Sequence[Any]]


def txns_of(history: History, writes: str, versions: Versions) -> tuple[Calls, list[Txn]]:
    """All transactions in the order of their invocations; ``writes`` is the micro-operation that writes.

    Raises Unjudgeable for what is no such transaction.
    """
    calls = history.calls()
    calls = calls.where(np.array([name == TXN for name in history.fs], dtype=np.bool_)[calls.f])
    parsed: dict[int, tuple[Mop, ...]] = {}
    found = []
    columns = (
        column.tolist()
        for column in (calls.call, calls.ret, calls.outcome, calls.process, calls.argument, calls.result)
    )
    for row, (call, ret, outcome, process, argument, result) in enumerate(zip(*columns, strict=True)):
        code = result if outcome == OK else argument
        if code not in parsed:
            parsed[code] = tuple(_mops(history, call, history.values[code], writes, versions))
        txn = Txn(
            number=row,
            row=row,
            process=process,
            call=call,
            ret=ret,
            ok=outcome == OK,
            failed=outcome == FAIL,
            mops=parsed[code],
        )
        found.append(txn)
    return calls, found


def _mops(history: History, call: int, value: Any, writes: str, versions: Versions) -> Iterator[Mop]:
    where = f"the transaction of index {history.index[call]}"
    if not isinstance(value, list | tuple):
        raise Unjudgeable(f"{where} is {text(value)}, which is no list of micro-operations")
    for mop in value:
        if not isinstance(mop, list | tuple) or len(mop) != 3:
            raise Unjudgeable(f"{where} has {text(mop)}, which is no micro-operation [f, key, value]")
        f = str(mop[0]).removeprefix(":")
        if f not in (READ, writes):
            raise Unjudgeable(f"{where} has the micro-operation {text(f)}; this checker knows {READ} and {writes}")
        values = versions(mop[1], mop[2]) if f == READ else (mop[2],)
        yield Mop(f=f, key=mop[1], value=mop[2], name=identity(mop[1]), values=values, ids=_identities(values))


def _identities(values: Sequence[Any]) -> tuple[Hashable, ...]:
    plain = set(map(type, values)) <= {int, str}  # then ``identity`` changes nothing
    return tuple(values) if plain else tuple(map(identity, values))


def spans(txns: Sequence[Txn]) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.int64]]]:
    """The lines at which transactions began and returned."""
    return np.array([txn.call for txn in txns], dtype=np.int64), np.array([txn.ret for txn in txns], dtype=np.int64)
