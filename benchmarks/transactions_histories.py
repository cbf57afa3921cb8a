"""Histories of transactions for ``transactions.py``: strictly serializable ones, of any length, as columns or as a file.

Twenty clients; one to four micro-operations each, half of them reads; at most 32 writes per key (Elle's usual test), 1 % of unknown outcome
and 2 % failed. A transaction takes effect at one moment between its lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from checkers.transactions.txns import Txns
from harness.columns import FAIL, INFO, INVOKE, OK
from harness.history import History

CLIENTS, ACTIVE, WRITES_MAX, MOPS_MAX = 20, 10, 32, 4
FAILED, UNKNOWN = 0.02, 0.01  # by default

Array = npt.NDArray[Any]


@njit(cache=False)  # type: ignore[untyped-decorator]
def spans(count: int, seed: int, unknown: float) -> tuple[Array, Array, Array, Array, Array]:
    """Process, outcome, and the moments of beginning, effect and end of each transaction."""
    np.random.seed(seed)
    free = np.random.random(CLIENTS)
    name = np.arange(CLIENTS)
    process, outcome = np.empty(count, np.int64), np.empty(count, np.int8)
    begin, effect, end = np.empty(count), np.empty(count), np.empty(count)
    for txn in range(count):
        client = np.argmin(free)
        process[txn], begin[txn] = name[client], free[client]
        effect[txn] = begin[txn] + np.random.exponential(1.0)
        end[txn] = effect[txn] + np.random.exponential(1.0)
        free[client] = end[txn] + np.random.exponential(0.2)
        throw = np.random.random()
        outcome[txn] = FAIL if throw < FAILED else INFO if throw < FAILED + unknown else OK
        if outcome[txn] == INFO:
            name[client] += CLIENTS
    return process, outcome, begin, effect, end


@njit(cache=False)  # type: ignore[untyped-decorator]
def micro_operations(order: Array, outcome: Array, starts: Array, seed: int) -> tuple[Array, Array, Array, Array]:
    """Write or read, key, value (of a read: how many versions there were) of each; and the versions of each key, in order."""
    np.random.seed(seed)
    size = starts[-1]
    write, key, value = np.zeros(size, np.int8), np.empty(size, np.int32), np.empty(size, np.int32)
    keys = ACTIVE + size // WRITES_MAX + 1
    versions, length, used = (
        np.zeros((keys, WRITES_MAX), np.int32),
        np.zeros(keys, np.int32),
        np.zeros(keys, np.int32),
    )
    active, fresh = np.arange(ACTIVE), ACTIVE
    for txn in order:
        happens = outcome[txn] == OK or (outcome[txn] == INFO and np.random.random() < 0.5)
        for mop in range(starts[txn], starts[txn + 1]):
            place = np.random.randint(0, ACTIVE)
            key[mop] = active[place]
            if np.random.random() < 0.5:
                value[mop] = length[key[mop]]
                continue
            write[mop] = 1
            used[key[mop]] += 1
            value[mop] = used[key[mop]]
            if happens:
                versions[key[mop], length[key[mop]]] = value[mop]
                length[key[mop]] += 1
            if used[key[mop]] == WRITES_MAX:
                active[place], fresh = fresh, fresh + 1
    return write, key, value, versions


@njit(cache=False)  # type: ignore[untyped-decorator]
def shown(write: Array, key: Array, value: Array, versions: Array, answered: Array) -> tuple[Array, Array]:
    """What reads of lists show: where each begins, and all elements."""
    first = np.zeros(len(write) + 1, np.int32)
    for mop in range(len(write)):
        first[mop + 1] = first[mop] + (value[mop] if write[mop] == 0 and answered[mop] else 0)
    element = np.empty(first[-1], np.int32)
    for mop in range(len(write)):
        for at in range(first[mop + 1] - first[mop]):
            element[first[mop] + at] = versions[key[mop], at]
    return first, element


def transactions(count: int, *, lists: bool, seed: int = 1, unknown: float = UNKNOWN) -> Txns:
    """``count`` transactions, as columns."""
    process, outcome, begin, effect, end = spans(count, seed, unknown)
    dice = np.random.default_rng(seed)
    starts = np.zeros(count + 1, np.int32)
    np.cumsum(dice.integers(1, MOPS_MAX + 1, count), out=starts[1:])
    write, key, value, versions = micro_operations(np.argsort(effect), outcome, starts, seed)
    answered = np.repeat(outcome == OK, np.diff(starts))
    if lists:
        first, element = shown(write, key, value, versions, answered)
        value = np.where(write == 1, value, -1).astype(np.int32)
    else:
        first, element = np.zeros(len(write) + 1, np.int32), np.zeros(0, np.int32)
        latest = np.where(value > 0, versions[key, np.maximum(value, 1) - 1], -1)
        value = np.where(write == 1, value, np.where(answered, latest, -1)).astype(np.int32)
    history = _lines(process, outcome, begin, end)
    calls = history.calls()
    used, number = np.unique(key, return_inverse=True)
    return Txns(
        calls=calls,
        session=np.unique(process, return_inverse=True)[1].astype(np.int32),
        starts=starts,
        write=write,
        key=number.astype(np.int32),
        value=value,
        first=first,
        element=element,
        keys=used.astype(np.int32),
        odd=(),
        written="append" if lists else "w",
    )


def _lines(process: Array, outcome: Array, begin: Array, end: Array) -> History:
    moments = np.concatenate([begin, end])
    order = np.argsort(moments, kind="stable")
    none = np.zeros(len(order), np.int32)
    return History.from_columns(
        type=np.concatenate([np.full(len(begin), INVOKE, np.int8), outcome])[order],
        process=np.concatenate([process, process])[order],
        f=none,
        fs=("txn",),
        value=none,
        values=(None,),
        time_ns=(moments[order] * 1e6).astype(np.int64),
        interned=True,
    )


def json_lines(txns: Txns) -> Iterator[bytes]:
    """The same history as the lines of a file."""
    calls, history = txns.calls, txns.calls.history
    number = {int(row): txn for txn, row in enumerate(calls.call.tolist())}
    done = {int(history.pair[row]): txn for row, txn in number.items()}
    names = ("invoke", "ok", "fail", "info")
    yield b'{"splitbrain":"history","version":1}\n'
    for line in range(len(history)):
        asked = line in number
        txn = number[line] if asked else done[line]
        mops = list(_mops(txns, txn, answered=not asked and int(history.type[line]) == OK))
        yield (
            json.dumps(
                {
                    "index": line,
                    "time": int(history.time_ns[line]),
                    "type": names[history.type[line]],
                    "process": int(history.process[line]),
                    "f": "txn",
                    "value": mops,
                },
                separators=(",", ":"),
            ).encode()
            + b"\n"
        )


def _mops(txns: Txns, txn: int, *, answered: bool) -> Iterator[list[Any]]:
    for mop in range(int(txns.starts[txn]), int(txns.starts[txn + 1])):
        key = txns.key_object(int(txns.key[mop]))
        if txns.write[mop]:
            yield [txns.written, key, int(txns.value[mop])]
        elif not answered:
            yield ["r", key, None]
        else:
            shown = txns.list_of(mop) if txns.written == "append" else txns.object(int(txns.value[mop]))
            yield ["r", key, cast("Any", shown)]
