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
from checkers.wording import text
from harness.history import FAIL, FOREVER, NO_KEY, OK, Calls, History, Ints
from harness.interning import Interner

READ, WRITE, CAS, APPEND = range(4)
# Calls of any other object, see ``tabled``: those that may change its state, and those that never do.
STEP, LOOK = 4, 5
NO_NULL = -2  # the code of null where it does not occur
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
    if form.swaps:
        interner = Interner((*dict.fromkeys(name for pair in form.swaps.values() for name in pair), form.initial))
        named = [[interner.code(name) for name in form.swaps.get(f, (None, None))] for f in history.fs]
        seen[is_cas], made[is_cas] = np.array(named, dtype=np.int64).reshape(-1, 2)[calls.f[is_cas]].T
        size, initial = len(interner.table), interner.code(form.initial)
    else:
        size, initial = len(history.values), null_of(history)
        if is_cas.any():
            seen[is_cas], made[is_cas] = _cas_values(calls, is_cas)
            size, initial = history.pairs().size, history.pairs().null
        if initial == NO_NULL:
            initial = size
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
        codes=size + 1,
        initial=initial,
    )
    return whole if known.all() else whole.take(known)


def kinds_of(history: History, form: RegisterForm) -> Ints:
    """Code of a function → kind of operation."""
    kinds = dict.fromkeys(form.reads, READ) | dict.fromkeys(form.writes, WRITE)
    kinds |= dict.fromkeys((*form.cas, *form.swaps), CAS)
    return np.array([kinds.get(f, NOTHING) for f in history.fs], dtype=np.int64)


def null_of(history: History) -> int:
    """The code of null, NO_NULL if that is no value of the history."""
    return next((code for code, value in enumerate(history.values) if value is None), NO_NULL)


def _cas_values(calls: Calls, is_cas: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """For every cas the codes of what it expected and what it wrote, as ``History.pairs`` numbers them."""
    history, arguments = calls.history, calls.argument[is_cas]
    pairs = history.pairs()
    seen, made = pairs.first[arguments], pairs.second[arguments]
    odd = np.flatnonzero(seen == NO_KEY)
    if len(odd):
        first, value = int(calls.call[is_cas][odd[0]]), history.values[int(arguments[odd[0]])]
        raise Unjudgeable(
            f"the cas of index {int(history.index[first])} has the argument {text(value)}; a cas takes [expected, new]"
        )
    return seen.astype(np.int64), made.astype(np.int64)
