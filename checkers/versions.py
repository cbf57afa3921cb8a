"""Which write made each value that was read from a register: what the checkers of weak registers share.

A *version* is one value of one key. Reads and cas give *sights* of versions. Jepsen's rules: what failed never happened, what
ended ``info`` may have happened at any time after its invocation, and a read that did not return ``ok`` says nothing. A sight
that no write can explain (``odd``) is an anomaly whatever a store promises, see ``odd_sights``. Nothing else is judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from checkers.linearizable.encode import Unjudgeable
from checkers.wording import Narrator, text
from harness.history import FAIL, FOREVER, OK, Calls, History, Ints
from harness.interning import Interner, identity
from harness.verdict import Anomaly

NONE = -1
BEFORE_ALL = -1  # the row by which the initial value was there
READ, WRITE, CAS = "read", "write", "cas"
ODD_SIGHTS = {
    "phantom-read": "a value was read that nobody ever wrote",
    "aborted-read": "a value was read whose only writes had failed",
    "future-read": "a value was read before its write began",
}

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Versions:
    """The versions of all keys of a history.

    ``calls`` are the reads that returned, and the writes and cas that happened or may have. Per call: ``key``, the number of its
    register (0 to ``keys`` - 1), and ``made``, the version that it wrote (NONE for a read). Sights, those that a write explains:
    ``sight_call`` saw ``sight``. ``odd_call`` and ``odd`` are the others.

    Per version: its ``register``, the ``code`` of its value in ``values`` (beyond its end: null), ``writers``, how many calls may
    have written it, ``writer``, the first of these, and ``initial``: whether it is the null that every register begins with.
    ``since`` is the row by which it had certainly taken effect: when its write completed or the first sight of it did, whichever
    came first. Where several writes may have made it, that is when the last of them completed. FOREVER if nobody knows.
    """

    calls: Calls
    values: Sequence[Any]
    keys: int
    key: Ints
    made: Ints
    sight_call: Ints
    sight: Ints
    odd_call: Ints
    odd: Ints
    register: Ints
    code: Ints
    writers: Ints
    writer: Ints
    initial: Bools
    since: Ints

    @property
    def certain(self) -> Bools:
        """Which calls certainly happened."""
        known: Bools = self.calls.ret != FOREVER
        return known

    def value(self, version: int) -> Any:
        """The value of that version."""
        code = int(self.code[version])
        return self.values[code] if code < len(self.values) else None


def versions_of(history: History, *, siblings: bool = False) -> Versions:
    """The versions of ``history``; other functions than read, write and cas are passed over.

    With ``siblings`` a read returns the list of all values that stand side by side, each of them a version. Raises Unjudgeable
    for what is no cas, no list of siblings, or a cas beside siblings.
    """
    calls = _alive(history)
    f = calls.f
    names = {name: code for code, name in enumerate(history.fs)}
    is_read, is_write, is_cas = (f == names.get(name, NONE) for name in (READ, WRITE, CAS))
    made = np.where(is_write, calls.argument, NONE).astype(np.int64)
    values: Sequence[Any] = history.values
    who, seen = np.flatnonzero(is_read), calls.result[is_read].astype(np.int64)
    if siblings:
        if is_cas.any():
            raise Unjudgeable("a register with siblings knows no cas, but the history has some")
        values, who, seen = _siblings(calls, who)
    elif is_cas.any():
        values, expected, made[is_cas] = _cas_values(calls, is_cas)
        # A cas to the value that it expects is a read of it.
        made = np.where(is_cas & (made == _spread(expected, is_cas)), NONE, made)
        sure = calls.outcome[is_cas] == OK
        who, seen = np.append(who, np.flatnonzero(is_cas)[sure]), np.append(seen, expected[sure])
    return _number(calls, values, made, who.astype(np.int64), seen)


def _alive(history: History) -> Calls:
    """The reads that returned, and the writes and cas that did not fail."""
    calls = history.calls()
    reads = np.array([name == READ for name in history.fs], dtype=np.bool_)[calls.f]
    changes = np.array([name in {WRITE, CAS} for name in history.fs], dtype=np.bool_)[calls.f]
    return calls.where((reads & (calls.outcome == OK)) | (changes & (calls.outcome != FAIL)))


def _spread(part: Ints, mask: Bools) -> Ints:
    """A column with ``part`` where ``mask`` holds."""
    whole = np.full(len(mask), NONE, dtype=np.int64)
    whole[mask] = part
    return whole


def _siblings(calls: Calls, reads: npt.NDArray[np.intp]) -> tuple[Sequence[Any], npt.NDArray[np.intp], Ints]:
    """The table of values, and for every sibling the read that returned it and its code; no siblings are one null."""
    history = calls.history
    interner = Interner(history.values)
    members: dict[int, list[int]] = {}
    for row, code in zip(reads.tolist(), calls.result[reads].tolist(), strict=True):
        if code in members:
            continue
        found = history.values[code]
        if found is not None and not isinstance(found, list | tuple | set | frozenset):
            line = int(history.index[calls.ret[row]])
            raise Unjudgeable(f"the read of index {line} returned {text(found)}, which is no list of siblings")
        members[code] = sorted({interner.code(value) for value in found or (None,)})
    pairs = [
        (row, code)
        for row, result in zip(reads.tolist(), calls.result[reads].tolist(), strict=True)
        for code in members[result]
    ]
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return interner.table, columns[:, 0], columns[:, 1]


def _cas_values(calls: Calls, is_cas: Bools) -> tuple[Sequence[Any], Ints, Ints]:
    """The table of values, and for every cas the codes of what it expected and of what it wrote."""
    history = calls.history
    interner = Interner(history.values)
    arguments, where = np.unique(calls.argument[is_cas], return_inverse=True)
    pairs = np.zeros((len(arguments), 2), dtype=np.int64)
    for at, code in enumerate(arguments.tolist()):
        value = history.values[code]
        if not (isinstance(value, list | tuple) and len(value) == 2):
            row = int(np.flatnonzero(is_cas & (calls.argument == code))[0])
            line = int(history.index[calls.call[row]])
            raise Unjudgeable(f"the cas of index {line} has the argument {text(value)}; a cas takes [expected, new]")
        pairs[at] = interner.code(value[0]), interner.code(value[1])
    return interner.table, pairs[where, 0], pairs[where, 1]


def _number(calls: Calls, values: Sequence[Any], made: Ints, who: Ints, seen: Ints) -> Versions:
    """Number the pairs (register, value), and find out who wrote them and since when they are there."""
    null = next((code for code, value in enumerate(values) if value is None), len(values))
    codes = len(values) + 1
    used_keys, key = np.unique(calls.key, return_inverse=True)
    key = key.reshape(-1).astype(np.int64)
    wrote = np.flatnonzero(made != NONE)
    initial_pairs = np.arange(len(used_keys)) * codes + null
    pairs, number = np.unique(
        np.concatenate([key[wrote] * codes + made[wrote], key[who] * codes + seen, initial_pairs]), return_inverse=True
    )
    number = number.reshape(-1).astype(np.int64)
    made_version, sight = number[: len(wrote)], number[len(wrote) : len(wrote) + len(who)]
    initial = np.zeros(len(pairs), dtype=np.bool_)
    initial[number[len(wrote) + len(who) :]] = True
    writers = np.bincount(made_version, minlength=len(pairs)).astype(np.int64)
    writer = np.full(len(pairs), NONE, dtype=np.int64)
    writer[made_version[::-1]] = wrote[::-1]
    # The first of several writes began first, since calls are in the order of their invocations.
    began = np.where(writer == NONE, FOREVER, calls.call[writer]) if len(calls) else np.zeros(0, dtype=np.int64)
    odd = ~initial[sight] & (began[sight] > calls.ret[who])
    since = np.where(initial, BEFORE_ALL, FOREVER).astype(np.int64)
    since[made_version] = BEFORE_ALL
    np.maximum.at(since, made_version, calls.ret[wrote])
    first_sight = np.full(len(pairs), FOREVER, dtype=np.int64)
    np.minimum.at(first_sight, sight[~odd], calls.ret[who[~odd]])
    since = np.where((writers == 1) & ~initial, np.minimum(since, first_sight), since)
    return Versions(
        calls=calls,
        values=values,
        keys=len(used_keys),
        key=key,
        made=_spread(made_version, made != NONE),
        sight_call=who[~odd],
        sight=sight[~odd],
        odd_call=who[odd],
        odd=sight[odd],
        register=pairs // codes,
        code=pairs % codes,
        writers=writers,
        writer=writer,
        initial=initial,
        since=since,
    )


def odd_sights(versions: Versions, checker: str) -> Iterator[Anomaly]:
    """An anomaly for every value that was seen though nobody can have written it by then; names as in ODD_SIGHTS."""
    calls = versions.calls
    say = Narrator(calls)
    for row, version in zip(versions.odd_call.tolist(), versions.odd.tolist(), strict=True):
        value = text(versions.value(version))
        history = calls.history
        subject = (
            f"{say.who(row)} read {value}{say.key(row, 'from')} {say.span(row)}"
            if history.fs[calls.f[row]] == READ
            else f"{say.who(row)} succeeded with its {say.what(row)}{say.key(row, 'on')} {say.span(row)}"
        )
        writer, lines = int(versions.writer[version]), say.lines([row])
        failed = None if writer != NONE else _failed_write(versions, version)
        if writer != NONE:
            name, lines = "future-read", say.lines([row, writer])
            why = f"the first write of {value} began only {say.began(writer)}: {say.whose(writer)}"
        elif failed is not None:
            told = Narrator(failed)
            name, lines = "aborted-read", tuple(sorted({*lines, *told.lines([0])}))
            why = f"the only write of {value} had failed: {told.whose(0)} {told.began(0)}"
        else:
            name, why = "phantom-read", f"nothing ever wrote {value}"
        yield Anomaly(checker=checker, name=name, ops=lines, reason=f"{subject}, but {why}", witness=lines)


def saw(versions: Versions, call: int) -> str:
    """What that call saw, as text: the result of a read, what a cas expected."""
    calls = versions.calls
    history = calls.history
    if history.fs[calls.f[call]] == READ:
        return text(history.values[calls.result[call]])
    return text(history.values[calls.argument[call]][0])


def _failed_write(versions: Versions, version: int) -> Calls | None:
    """The first failed call that would have written that version, as the only row of a view."""
    history = versions.calls.history
    wanted = identity(versions.value(version))
    some = int(np.flatnonzero(versions.key == versions.register[version])[0])
    failed = history.calls()
    failed = failed.where((failed.outcome == FAIL) & (failed.key == versions.calls.key[some]))
    for row, (f, code) in enumerate(zip(failed.f.tolist(), failed.argument.tolist(), strict=True)):
        argument = history.values[code]
        if history.fs[f] == CAS and isinstance(argument, list | tuple) and len(argument) == 2:
            argument = argument[1]
        elif history.fs[f] != WRITE:
            continue
        if identity(argument) == wanted:
            return failed.where(np.arange(len(failed)) == row)
    return None
