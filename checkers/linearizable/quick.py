"""Registers to which every value is written once, read and written only: which keys are linearizable, in two passes.

The same theorem as in ``unique`` (read that first), for the usual case: no cas, and no value on two keys, so
that codes of values number the clusters. It reads the columns of ``Calls`` as they are, and keeps 16 bytes per
value and 4 per position: 10^7 operations take well under a second. Whatever is unusual is left to ``unique``. Of a key that is
wrong, ``first_orphan`` finds what mostly shows it as fast.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from checkers.kernels.engine import Column, Engine, Narrow, Tiny, engine
from checkers.linearizable.encode import CAS, READ, WRITE, null_of
from harness.history import FAIL, FOREVER, NO_KEY, OK, Calls, Codes, Ints

NONE, LATE = -1, (1 << 31) - 1
# Calls beyond this have positions that need more than 31 bits.
CALLS_MAX = 1 << 30
# What the sweep says: something is unusual, all keys are linearizable, some are not.
UNDECIDED, GOOD, WRONG = range(3)
_STEPS_PER_OP = 2
_SPARSE = 6


class Wide(NamedTuple):
    """The columns of ``Calls``."""

    f: Narrow
    key: Narrow
    argument: Narrow
    result: Narrow
    outcome: Tiny
    call: Column
    ret: Column


class Dense(NamedTuple):
    """The same with positions of 32 bits; ``ret`` is -1 where nobody knows."""

    f: Narrow
    key: Narrow
    argument: Narrow
    result: Narrow
    outcome: Tiny
    call: Narrow
    ret: Narrow


class Parts(NamedTuple):
    """Per code of a value, if there are cas: what a cas with that argument expects and writes (NONE: it is no pair). The code of null;
    codes are below ``size``.
    """

    first: Narrow
    second: Narrow
    null: int
    size: int


class Clusters(NamedTuple):
    """Per value: the call of its writer, the first response, the last invocation (NONE: it never happened), its key."""

    begun: Narrow
    first: Narrow
    last: Narrow
    key: Narrow


class Writes(NamedTuple):
    """Per value of one register: call and end of its writer (NONE: nobody wrote it; LATE: nobody knows)."""

    begun: Narrow
    ended: Narrow


class Sweep(NamedTuple):
    """Per key until where the interval of a block reaches, and 1 if it is wrong; per position the value whose block begins there."""

    until: Narrow
    wrong: Narrow
    starts: Narrow


def sweep_wide(raw: Wide, kinds: Column, null: int, clusters: Clusters, sweep: Sweep) -> int:
    """Kernel: UNDECIDED, GOOD, or WRONG: then ``sweep.wrong`` tells the keys."""
    return sweep_registers(raw, kinds, null, clusters, sweep)


def sweep_dense(raw: Dense, kinds: Column, null: int, clusters: Clusters, sweep: Sweep) -> int:
    """Kernel: the same for positions of 32 bits."""
    return sweep_registers(raw, kinds, null, clusters, sweep)


def sweep_registers(raw: Wide | Dense, kinds: Column, null: int, clusters: Clusters, sweep: Sweep) -> int:
    """Kernel: both passes."""
    if gather_clusters(raw, kinds, null, clusters, sweep.until) == UNDECIDED:
        return UNDECIDED
    begun, first, last, wrong = clusters.begun, clusters.first, clusters.last, sweep.wrong
    answer = GOOD
    for value in range(len(begun)):
        if last[value] == NONE:
            continue
        if begun[value] == NONE or first[value] < begun[value]:
            wrong[clusters.key[value]], answer = 1, WRONG  # nobody wrote it, or only afterwards
        else:
            sweep.starts[min(first[value], last[value])] = value
    for position in range(len(sweep.starts)):
        value = sweep.starts[position]
        if value != NONE:
            key = clusters.key[value]
            if first[value] < sweep.until[key]:
                wrong[key], answer = 1, WRONG
            if first[value] < last[value]:
                sweep.until[key] = max(sweep.until[key], last[value])
    return answer


def gather_clusters(  # noqa: C901, PLR0912 - one loop: a call per operation would double its time
    raw: Wide | Dense, kinds: Column, null: int, clusters: Clusters, until: Narrow
) -> int:
    """Kernel: the bounds of every cluster; UNDECIDED if a value is written twice, or by a cas, or on two keys."""
    begun, first, last = clusters.begun, clusters.first, clusters.last
    for i in range(len(raw.f)):
        outcome = raw.outcome[i]
        if outcome == FAIL:
            continue
        kind, call, ret, key = kinds[raw.f[i]], raw.call[i], raw.ret[i], raw.key[i] + 1
        if outcome != OK or ret < 0 or ret == FOREVER:
            ret = LATE
        if kind == WRITE:
            value = raw.argument[i]
            if value == null or begun[value] != NONE:
                return UNDECIDED
            begun[value] = call
            if outcome != OK:
                # As long as nobody sees it, it need not have happened. Its own call is no later than a response that shows it.
                if clusters.key[value] == NONE:
                    clusters.key[value] = key
                elif clusters.key[value] != key:
                    return UNDECIDED
                if last[value] != NONE:
                    last[value] = max(last[value], call)
                continue
        elif kind == READ:
            if outcome != OK:
                continue
            value = raw.result[i]
            if value == null:
                until[key] = max(until[key], call)
                continue
        else:
            return UNDECIDED
        if clusters.key[value] == NONE:
            clusters.key[value] = key
        elif clusters.key[value] != key:
            return UNDECIDED
        first[value] = min(first[value], ret)
        last[value] = max(last[value], call, begun[value])
    return GOOD


def find_orphan(raw: Wide, kinds: Column, parts: Parts, writes: Writes, replaced: Narrow) -> int:
    """Kernel: of the reads and cas that saw what cannot have been there, the one that ended first; NONE if there is none.

    The calls are of one register. ``replaced`` (all NONE) has an entry per position: when the last write that had completed by then
    began. A read is an orphan iff nobody wrote its value, or only afterwards, or the write ended before that (see ``sources``).
    """
    for i in range(len(raw.f)):
        kind = kinds[raw.f[i]]
        if raw.outcome[i] != FAIL and kind != READ:
            made = raw.argument[i] if kind == WRITE else parts.second[raw.argument[i]]
            if kind == CAS and made == parts.first[raw.argument[i]]:
                continue  # it is a read
            writes.begun[made] = raw.call[i]
            if raw.outcome[i] == OK and raw.ret[i] != FOREVER:
                writes.ended[made] = raw.ret[i]
                replaced[raw.ret[i]] = raw.call[i]
    latest = NONE
    for position in range(len(replaced)):
        latest = max(latest, replaced[position])
        replaced[position] = latest
    found = NONE
    for i in range(len(raw.f)):
        kind = kinds[raw.f[i]]
        if raw.outcome[i] != OK or kind == WRITE or raw.ret[i] == FOREVER:
            continue
        value = raw.result[i] if kind == READ else parts.first[raw.argument[i]]
        since = replaced[raw.call[i]]
        if value == parts.null:
            there = since == NONE
        else:
            began = writes.begun[value]
            there = began != NONE and began < raw.ret[i] and writes.ended[value] > since
        if not there and (found == NONE or raw.ret[i] < raw.ret[found]):
            found = i
    return found


def wrong_keys(calls: Calls, kinds: Ints) -> Ints | None:
    """The codes of the keys of ``calls`` that are not linearizable; None if something is unusual. ``kinds``: code of f → kind."""
    history = calls.history
    if len(history) >= CALLS_MAX or len(history.values) > _SPARSE * len(calls) + 64:
        return None
    run = engine(_STEPS_PER_OP * len(calls))
    clusters, sweep = _tables(run, len(history.values), len(history), len(history.keys))
    answer = run.kernel(sweep_wide)(wide(run, calls), run.column(kinds), null_of(history), clusters, sweep)
    if answer == UNDECIDED:
        return None
    return np.flatnonzero(np.asarray(sweep.wrong)) + NO_KEY if answer == WRONG else np.zeros(0, dtype=np.int64)


def first_orphan(calls: Calls, kinds: Ints) -> tuple[int, Ints] | None:
    """Of one register, whose values are written once: the row of the read or cas that saw what cannot have been there and ended first;
    with it, ascending, those of the write of what it saw, and of the write that had replaced that. None if there is none.
    """
    run = engine(_STEPS_PER_OP * len(calls))
    parts = parts_of(run, calls, kinds)
    writes = Writes(begun=run.narrow(parts.size, NONE), ended=run.narrow(parts.size, LATE))
    replaced = run.narrow(len(calls.history), NONE)
    orphan = run.kernel(find_orphan)(wide(run, calls), run.column(kinds), parts, writes, replaced)
    if orphan == NONE:
        return None
    is_cas = kinds[calls.f[orphan]] == CAS
    seen = int(parts.first[int(calls.argument[orphan])] if is_cas else calls.result[orphan])
    others = [begun for begun in (writes.begun[seen], replaced[int(calls.call[orphan])]) if begun != NONE]
    return orphan, np.unique([orphan, *np.searchsorted(calls.call, others)])  # calls are in invocation order


def has_cas(calls: Calls, kinds: Ints) -> bool:
    """Whether some call is one; ``kinds``: code of f → kind."""
    return bool((kinds[np.flatnonzero(np.bincount(calls.f))] == CAS).any())


def wide(run: Engine, calls: Calls) -> Wide:
    """The columns of ``calls``."""
    return Wide(*(run.view(getattr(calls, name)) for name in Wide._fields))


def parts_of(run: Engine, calls: Calls, kinds: Ints) -> Parts:
    """What the cas among ``calls`` expect and write, if there are any."""
    history, nothing = calls.history, run.narrow(0, NONE)
    if not has_cas(calls, kinds):
        return Parts(first=nothing, second=nothing, null=null_of(history), size=len(history.values))
    pairs = history.pairs()
    return Parts(first=run.view(pairs.first), second=run.view(pairs.second), null=pairs.null, size=pairs.size)


def dense_linearizable(
    *,
    f: Codes,
    key: Codes,
    argument: Codes,
    result: Codes,
    outcome: npt.NDArray[np.int8],
    call: npt.NDArray[np.int32],
    ret: npt.NDArray[np.int32],
    values: int,
    keys: int,
    null: int,
) -> bool:
    """The same for columns that were never a history, one entry per call in invocation order.

    ``f`` is READ or WRITE; codes of values are below ``values``, of keys below ``keys`` (NO_KEY: none);
    positions are below twice the number of calls, ``ret`` is -1 where a call never returned.
    """
    run = engine(1 << 40 if len(f) > CALLS_MAX >> 20 else 0)
    clusters, sweep = _tables(run, values, 2 * len(f), keys)
    columns = (run.view(column) for column in (f, key, argument, result, outcome, call, ret))
    kinds = run.column([READ, WRITE])
    return run.kernel(sweep_dense)(Dense(*columns), kinds, null, clusters, sweep) == GOOD


def _tables(run: Engine, values: int, positions: int, keys: int) -> tuple[Clusters, Sweep]:
    clusters = Clusters(
        begun=run.narrow(values, NONE),
        first=run.narrow(values, LATE),
        last=run.narrow(values, NONE),
        key=run.narrow(values, NONE),
    )
    until, wrong = (run.narrow(keys - NO_KEY, value) for value in (NONE, 0))
    return clusters, Sweep(until=until, wrong=wrong, starts=run.narrow(positions + 1, NONE))
