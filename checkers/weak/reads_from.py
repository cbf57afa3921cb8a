"""A history of registers as sessions of operations, each read with the write that it saw. Nothing is judged here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from checkers.linearizable.encode import CAS, READ, WRITE, RegisterOps, Unjudgeable, encode
from checkers.linearizable.models import CAS_REGISTER
from checkers.wording import text
from harness.history import FOREVER, Calls, Ints

NONE = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sessions:
    """Operations of registers, session by session.

    Operation i is the ``place[i]``-th of ``session[i]``, works on ``key[i]``, and is row ``row[i]`` of the calls (NONE:
    the write of an initial value, all of which make session 0). ``source[i]`` is the write that a read saw, NONE for
    writes. ``starts[s]`` is the first operation of session s; its operations follow one another.
    """

    session: Ints
    place: Ints
    key: Ints
    row: Ints
    source: Ints
    starts: Ints
    calls: Calls
    by_key: Sequence[Sequence[Ints]]  # of every session: per key its writes, ascending

    def __len__(self) -> int:
        return len(self.session)

    @property
    def sessions(self) -> int:
        return len(self.starts) - 1


class Unseen(Exception):  # noqa: N818 - what was found, not a failure
    """A read of a value that nobody wrote; ``row`` is its row among the calls."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


def sessions_of(calls: Calls) -> Sessions:
    """The operations of ``calls``. Raises Unjudgeable where they are more than reads and unique writes, Unseen for a
    value from nowhere.
    """
    form = CAS_REGISTER.register
    assert form is not None
    known = {*form.reads, *form.writes, *form.cas}
    odd = [calls.history.fs[code] for code in np.unique(calls.f) if calls.history.fs[code] not in known]
    if odd:
        raise Unjudgeable(f"this model is of registers, read and written, but the history also has {odd[0]!r}")
    ops = encode(calls, form)
    if (ops.kind == CAS).any():
        raise Unjudgeable("a cas both reads and writes; this model is judged for reads and writes alone")
    writer = _writers(ops, calls)
    source = np.full(len(ops), NONE, dtype=np.int64)
    for i in np.flatnonzero(ops.kind == READ).tolist():
        seen = int(ops.seen[i])
        if seen != ops.initial:
            source[i] = writer.get((int(ops.key[i]), seen), NONE)
            if source[i] == NONE:
                raise Unseen(int(ops.row[i]))
    # A write of unknown outcome that nobody saw need not have happened.
    keep = np.flatnonzero((ops.ret != FOREVER) | np.isin(np.arange(len(ops)), source))
    return _laid_out(ops, calls, keep, source)


def _writers(ops: RegisterOps, calls: Calls) -> dict[tuple[int, int], int]:
    writer: dict[tuple[int, int], int] = {}
    for i in np.flatnonzero(ops.kind == WRITE).tolist():
        made = (int(ops.key[i]), int(ops.made[i]))
        if made in writer or made[1] == ops.initial:
            value = text(calls.history.values[made[1]]) if made[1] < len(calls.history.values) else "null"
            raise Unjudgeable(f"the value {value} is written more than once to one key, or is the one it began with")
        writer[made] = i
    return writer


def _laid_out(ops: RegisterOps, calls: Calls, keep: Ints, source: Ints) -> Sessions:
    process = calls.process[ops.row[keep]]
    order = keep[np.argsort(process, kind="stable")]
    _, session = np.unique(calls.process[ops.row[order]], return_inverse=True)
    keys, key = np.unique(ops.key[order], return_inverse=True)
    n = len(keys)
    at = np.full(len(ops), NONE, dtype=np.int64)
    at[order] = np.arange(len(order)) + n
    session = np.concatenate([np.zeros(n, dtype=np.int64), session.reshape(-1) + 1])
    key = np.concatenate([np.arange(n), key.reshape(-1)])
    sizes = np.bincount(session, minlength=1)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    reads = ops.kind[order] == READ
    seen = np.where(source[order] == NONE, key[n:], at[np.maximum(source[order], 0)])
    whole_source = np.concatenate([np.full(n, NONE), np.where(reads, seen, NONE)])
    by_key: list[list[Ints]] = []
    for s in range(len(sizes)):
        mine = np.arange(starts[s], starts[s + 1])
        mine = mine[whole_source[mine] == NONE]
        by_key.append([mine[key[mine] == k] for k in range(n)] if n * len(sizes) <= 100_000 else _by_key(mine, key, n))
    return Sessions(
        session=session,
        place=np.arange(len(session)) - starts[session],
        key=key,
        row=np.concatenate([np.full(n, NONE), ops.row[order]]),
        source=whole_source,
        starts=starts,
        calls=calls,
        by_key=by_key,
    )


def _by_key(mine: Ints, key: Ints, keys: int) -> list[Ints]:
    groups: list[Ints] = [mine[:0]] * keys
    order = mine[np.argsort(key[mine], kind="stable")]
    for group in np.split(order, np.flatnonzero(np.diff(key[order])) + 1) if len(order) else []:
        groups[int(key[group[0]])] = group
    return groups
