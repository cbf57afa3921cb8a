"""The calls of a register-like model as columns of small integers: what the fast algorithms work on.

Three kinds of operation are left: a read that saw a value, a write that made one, and a cas that did both.
What certainly did not happen (fail) is dropped, and so are reads whose result nobody knows: Jepsen's rules.
Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from checkers.linearizable.models import RegisterForm
from harness.history import FAIL, FOREVER, NO_KEY, OK, Calls, History, Ints
from harness.interning import Interner

READ, WRITE, CAS, APPEND = range(4)
# Calls of any other object, see ``tabled``: those that may change its state, and those that never do.
STEP, LOOK = 4, 5
NOTHING = -1  # what a read makes, and what a write sees


class Unjudgeable(Exception):  # noqa: N818 - what is the matter, not whose fault it is
    """The history holds something that the model cannot speak about; the message is the verdict's reason."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegisterOps:
    """Operations on registers, in invocation order. ``call`` and ``ret`` are positions; ``ret`` is FOREVER
    where nobody knows.

    ``seen`` is the code of the value that an op read or expected, ``made`` of the one that it wrote; ``row``
    is its row among the calls, ``key`` the number of its register, 0 to ``keys`` - 1. ``initial`` is the code
    of the registers' first value; codes are below ``codes``.
    """

    kind: Ints
    seen: Ints
    made: Ints
    call: Ints
    ret: Ints
    key: Ints
    row: Ints
    keys: int
    codes: int
    initial: int

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def certain(self) -> npt.NDArray[np.bool_]:
        """Which operations certainly happened."""
        known: npt.NDArray[np.bool_] = self.ret != FOREVER
        return known

    def take(self, which: npt.NDArray[Any] | Sequence[int]) -> RegisterOps:
        """These operations alone (a mask, or positions in ascending order)."""
        chosen = np.asarray(which, dtype=None if len(which) else np.int64)
        columns = {name: getattr(self, name)[chosen] for name in _COLUMNS}
        return RegisterOps(**columns, keys=self.keys, codes=self.codes, initial=self.initial)

    def register(self, which: npt.NDArray[Any]) -> RegisterOps:
        """These operations, all of one register, as a history with no other."""
        part = self.take(which)
        return replace(part, key=np.zeros(len(part), dtype=np.int64), keys=1)


_COLUMNS = ("kind", "seen", "made", "call", "ret", "key", "row")


def encode(calls: Calls, form: RegisterForm) -> RegisterOps:
    """``calls``, whose functions ``form`` knows, as operations on registers. Raises Unjudgeable for an
    argument that is none.
    """
    history = calls.history
    kind = kinds_of(history, form)[calls.f]
    seen = np.where(kind == READ, calls.result, NOTHING).astype(np.int64)
    made = np.where(kind == WRITE, calls.argument, NOTHING).astype(np.int64)
    is_cas = kind == CAS
    values: Sequence[Any] = history.values
    if form.swaps:
        interner = Interner((*dict.fromkeys(name for pair in form.swaps.values() for name in pair), form.initial))
        pairs = np.array([[interner.code(name) for name in form.swaps.get(f, (None, None))] for f in history.fs])
        seen[is_cas], made[is_cas] = pairs[calls.f[is_cas]].T
        values, initial = interner.table, interner.code(form.initial)
    else:
        if is_cas.any():
            values, seen[is_cas], made[is_cas] = _cas_values(calls, is_cas)
        initial = next((code for code, value in enumerate(values) if value is None), len(values))
    # A cas to the value that it expects is a read of it.
    idle = is_cas & (seen == made)
    kind, made = np.where(idle, READ, kind), np.where(idle, NOTHING, made)
    known = (calls.outcome == OK) | ((calls.outcome != FAIL) & (kind != READ))
    whole = RegisterOps(
        kind=kind,
        seen=seen,
        made=made,
        call=calls.call,
        ret=calls.ret,
        key=calls.key.astype(np.int64) - NO_KEY,
        row=np.arange(len(calls)),
        keys=len(history.keys) - NO_KEY,
        codes=len(values) + 1,
        initial=initial,
    )
    return whole if known.all() else whole.take(known)


def kinds_of(history: History, form: RegisterForm) -> Ints:
    """Code of a function → kind of operation."""
    kinds = dict.fromkeys(form.reads, READ) | dict.fromkeys(form.writes, WRITE)
    kinds |= dict.fromkeys((*form.cas, *form.swaps), CAS)
    return np.array([kinds.get(f, NOTHING) for f in history.fs], dtype=np.int64)


def _cas_values(calls: Calls, is_cas: npt.NDArray[np.bool_]) -> tuple[Sequence[Any], Ints, Ints]:
    """The table of values, and for every cas the codes of what it expected and what it wrote."""
    history = calls.history
    interner = Interner(history.values)
    arguments, where = np.unique(calls.argument[is_cas], return_inverse=True)
    pairs = np.zeros((len(arguments), 2), dtype=np.int64)
    for at, code in enumerate(arguments.tolist()):
        value = history.values[code]
        if not (isinstance(value, list | tuple) and len(value) == 2):
            first = int(calls.call[np.flatnonzero(is_cas & (calls.argument == code))[0]])
            raise Unjudgeable(
                f"the cas of index {int(history.index[first])} has the argument {value!r}; a cas takes [expected, new]"
            )
        pairs[at] = interner.code(value[0]), interner.code(value[1])
    return interner.table, pairs[where, 0], pairs[where, 1]
