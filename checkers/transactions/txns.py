"""The transactions of a history as columns. Nothing is judged here.

A transaction is a call ``txn`` whose value is a list of micro-operations [f, key, value]. One that succeeded is judged by its completion,
in which reads have their results; of one that failed or has an unknown outcome only the writes count, as they were asked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np
import numpy.typing as npt

from checkers.kernels.engine import Column, Engine, Narrow, Tiny, engine
from checkers.transactions.parse import (
    CROWDED,
    FIRST_ODD,
    NOTHING,
    NUMBER_MAX,
    PARSED,
    Odds,
    Parsed,
    Texts,
    parse_texts,
)
from checkers.wording import name, text
from harness.formats.json_columns import JsonTable
from harness.history import FAIL, OK, Calls, Codes, History, Ints
from harness.interning import identity

TXN = "txn"
READ = "r"
_ODDS = 1 << 12  # of these many odd values the first attempt makes room for half


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The history holds what is no transaction of this kind."""


class Mops(NamedTuple):
    """Micro-operations: those of transaction i are ``starts[i]`` up to ``starts[i + 1]``.

    ``key`` is the number of its key. ``value`` is the code of what was written, or of what a register showed (see ``parse``). What a list
    showed are the codes ``element[first[m]:first[m + 1]]``.
    """

    starts: Narrow
    write: Tiny
    key: Narrow
    value: Narrow
    first: Narrow
    element: Narrow


class Spans(NamedTuple):
    """Transactions: outcome (OK, FAIL, INFO), dense number of the process, rows of the lines at which they began and returned."""

    outcome: Tiny
    session: Narrow
    call: Column
    ret: Column


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Txns:
    """All transactions in the order of their invocations; the columns of ``Mops`` and ``Spans`` as arrays.

    ``keys`` are the codes of the keys by number, ``odd`` the values behind negative codes.
    """

    calls: Calls
    session: Codes
    starts: Codes
    write: npt.NDArray[np.int8]
    key: Codes
    value: Codes
    first: Codes
    element: Codes
    keys: Codes
    odd: Sequence[Any]
    written: str  # the word for a write

    def __len__(self) -> int:
        return len(self.calls)

    @property
    def size(self) -> int:
        """A measure of the work that they make."""
        return len(self.calls) + len(self.key) + len(self.element)

    def spans(self, run: Engine) -> Spans:
        calls = self.calls
        return Spans(run.view(calls.outcome), run.view(self.session), run.view(calls.call), run.view(calls.ret))

    def mops(self, run: Engine) -> Mops:
        return Mops(*(run.view(getattr(self, column)) for column in Mops._fields))

    def object(self, code: int) -> Any:
        """The value behind a code."""
        return code if code >= 0 else None if code == NOTHING else self.odd[FIRST_ODD - code]

    def key_object(self, number: int) -> Any:
        return self.object(int(self.keys[number]))

    def list_of(self, mop: int) -> list[Any]:
        """What a read of a list showed."""
        return [self.object(code) for code in self.element[self.first[mop] : self.first[mop + 1]].tolist()]

    def txn_of(self, mop: int) -> int:
        """The transaction of a micro-operation."""
        return int(np.searchsorted(self.starts, mop, side="right")) - 1


def txns_of(history: History, written: str, *, lists: bool) -> Txns:
    """The transactions of ``history`` that write by ``written`` and read lists, or else single values.

    Raises Unjudgeable for what is no such transaction.
    """
    calls = history.calls()
    txn = np.array([name == TXN for name in history.fs], dtype=np.bool_)
    if not txn.all():
        calls = calls.where(txn[calls.f])
    codes = np.where(calls.outcome == OK, calls.result, calls.argument)
    parsed = _from_texts(history.values, codes, written, lists=lists)
    if parsed is None:
        parsed = _from_objects(history, calls, codes, written, lists=lists)
    raw, odd = parsed
    if len(raw["element"]) > NUMBER_MAX or len(raw["key"]) > NUMBER_MAX:
        raise Unjudgeable("the history has more than 2^31 micro-operations or elements")
    keys, key = _numbered(raw.pop("key"))
    return Txns(
        calls=calls,
        session=sessions_of(calls.process),
        key=key,
        keys=keys,
        odd=odd,
        written=written,
        **cast("Any", raw),
    )


def sessions_of(process: Ints | Codes) -> Codes:
    """Processes by dense numbers, in the order of their first transactions where that is quick to know."""
    if len(process) and int(process.max()) < 4 * len(process) + 1024:
        used = np.zeros(int(process.max()) + 1, dtype=np.int32)
        used[process] = 1
        return (np.cumsum(used, dtype=np.int32) - 1)[process]
    return np.unique(process, return_inverse=True)[1].reshape(-1).astype(np.int32)


def _from_texts(
    values: Sequence[Any], codes: Codes, written: str, *, lists: bool
) -> tuple[dict[str, npt.NDArray[Any]], Sequence[Any]] | None:
    """The columns, read from the JSON texts of the values; None where these are not all plain."""
    entries = values.texts(codes.tolist()) if isinstance(values, JsonTable) else None
    if entries is None:
        return None
    starts = np.zeros(len(entries) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, entries), dtype=np.int64, count=len(entries)), out=starts[1:])
    whole = np.frombuffer(b"".join([*entries, b"]]]]]]]]"]), dtype=np.int8)
    del entries
    mops = int(np.count_nonzero(whole == ord("[")))
    elements = int(np.count_nonzero(whole == ord(","))) + mops if lists else 0
    run = engine(len(whole))
    texts = Texts(run.view(whole), run.view(starts), run.view(np.frombuffer(written.encode(), dtype=np.int8)))
    room = _ODDS
    while True:
        out = Parsed(
            run.view(np.zeros(len(starts), np.int32)),
            run.view(np.zeros(mops, np.int8)),
            run.view(np.zeros(mops, np.int32)),
            run.view(np.zeros(mops, np.int32)),
            run.view(np.zeros(mops + 1, np.int32)),
            run.view(np.zeros(elements, np.int32)),
            run.full(3, 0),
        )
        odds = Odds(run.view(np.zeros(room, np.int32)), run.full(room, 0), run.full(room, 0))
        answer = run.kernel(parse_texts)(texts, odds, out, int(lists))
        if answer != CROWDED:
            break
        room *= 16
    if answer != PARSED:
        return None
    count, shown, odd = (int(out.counts[at]) for at in range(3))
    sizes = {"write": count, "key": count, "value": count, "first": count + 1, "element": shown}
    raw = {
        column: np.array(getattr(out, column)[: sizes.get(column, len(starts))], dtype=dtype)
        for column, dtype in _DTYPES.items()
    }
    table = [msgspec.json.decode(whole[odds.begin[n] : odds.end[n]].tobytes()) for n in range(odd)]
    return raw, table


_DTYPES = {
    "starts": np.int32,
    "write": np.int8,
    "key": np.int32,
    "value": np.int32,
    "first": np.int32,
    "element": np.int32,
}


class _Coder(dict[Hashable, int]):
    """Identities of values to codes."""

    def __init__(self) -> None:
        self.odd: list[Any] = []
        self._fresh: Any = None

    def code(self, value: Any) -> int:
        if type(value) is int and 0 <= value <= NUMBER_MAX:
            return value
        if value is None:
            return NOTHING
        who = identity(value)
        code = self.get(who)
        if code is None:
            code = self[who] = FIRST_ODD - len(self.odd)
            self.odd.append(value)
        return code


def _from_objects(
    history: History, calls: Calls, codes: Codes, written: str, *, lists: bool
) -> tuple[dict[str, npt.NDArray[Any]], Sequence[Any]]:
    """The columns, read from the values as they are. Raises Unjudgeable."""
    coder = _Coder()
    flat = {column: array("q") for column in _DTYPES}
    flat["starts"].append(0)
    flat["first"].append(0)
    for row, value_code in enumerate(codes.tolist()):
        where = f"the transaction of index {history.index[calls.call[row]]}"
        value = history.values[value_code]
        if not isinstance(value, list | tuple):
            raise Unjudgeable(f"{where} is {text(value)}, which is no list of micro-operations")
        for mop in value:
            if not isinstance(mop, list | tuple) or len(mop) != 3:
                raise Unjudgeable(f"{where} has {text(mop)}, which is no micro-operation [f, key, value]")
            f = str(mop[0]).removeprefix(":")
            if f not in (READ, written):
                raise Unjudgeable(f"{where} has the micro-operation {text(f)}; this checker knows {READ} and {written}")
            shown = f == READ and lists
            if shown and not (mop[2] is None or isinstance(mop[2], list | tuple)):
                raise Unjudgeable(f"a read of key {name(mop[1])} returned {text(mop[2])}, which is no list")
            flat["write"].append(int(f != READ))
            flat["key"].append(coder.code(mop[1]))
            flat["value"].append(NOTHING if shown else coder.code(mop[2]))
            if shown and mop[2]:
                flat["element"].extend(map(coder.code, mop[2]))
            flat["first"].append(len(flat["element"]))
        flat["starts"].append(len(flat["key"]))
    return {column: np.array(flat[column], dtype=dtype) for column, dtype in _DTYPES.items()}, coder.odd


def _numbered(raw: Codes) -> tuple[Codes, Codes]:
    """Codes of keys → (those that there are, their numbers), in the order of their first use."""
    run = engine(2 * len(raw))
    room = 16
    while room < 2 * len(raw):
        room *= 2
    table, number = run.view(np.zeros(room, np.int32)), run.view(np.zeros(len(raw), np.int32))
    keys = run.view(np.zeros(len(raw), np.int32))
    count = run.kernel(number_keys)(run.view(raw), table, keys, number)
    return np.array(keys[:count], dtype=np.int32), np.asarray(number, dtype=np.int32)


def number_keys(raw: Narrow, table: Narrow, keys: Narrow, number: Narrow) -> int:
    """Kernel: fill ``keys`` and ``number``; how many keys there are. ``table``: zeros, a power of two of them."""
    count, mask = 0, len(table) - 1
    for mop in range(len(raw)):
        slot = mixed(raw[mop]) & mask
        while table[slot] != 0 and keys[table[slot] - 1] != raw[mop]:
            slot = (slot + 1) & mask
        if table[slot] == 0:
            keys[count] = raw[mop]
            count += 1
            table[slot] = count
        number[mop] = table[slot] - 1
    return count


def mixed(code: int) -> int:
    """Kernel: a code, its bits mixed; not negative."""
    folded = (code & NUMBER_MAX) * 0x9E3779B1
    return (folded ^ (folded >> 17)) & NUMBER_MAX


def is_ok(txns: Txns) -> npt.NDArray[np.bool_]:
    """Which transactions succeeded."""
    ok: npt.NDArray[np.bool_] = txns.calls.outcome == OK
    return ok


def has_failed(txns: Txns, txn: int) -> bool:
    return bool(txns.calls.outcome[txn] == FAIL)
