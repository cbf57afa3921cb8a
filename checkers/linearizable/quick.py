"""Registers to which every value is written once, read and written only: valid or not decided, in two passes.

The same theorem as in ``unique`` (read that first), for the usual case: no cas, and no value on two keys, so
that codes of values number the clusters. It reads the columns of ``Calls`` as they are, and keeps 16 bytes per
value and 4 per position: 10^7 operations take well under a second. Whatever is unusual, and whatever is wrong,
is left to ``unique``, which can say why.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from checkers.kernels.engine import Column, Engine, Narrow, Tiny, engine
from checkers.linearizable.encode import READ, WRITE
from harness.history import FAIL, FOREVER, NO_KEY, OK, Calls, Codes, Ints

NONE, LATE = -1, (1 << 31) - 1
# Calls beyond this have positions that need more than 31 bits.
CALLS_MAX = 1 << 30
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


class Clusters(NamedTuple):
    """Per value: the call of its writer, the first response, the last invocation (NONE: it never happened), its key."""

    begun: Narrow
    first: Narrow
    last: Narrow
    key: Narrow


class Sweep(NamedTuple):
    """Per key until where the interval of a block reaches; per position the value whose block begins there."""

    until: Narrow
    starts: Narrow


def sweep_wide(raw: Wide, kinds: Column, null: int, clusters: Clusters, sweep: Sweep) -> int:
    """Kernel: 1 if all keys are linearizable; 0 if that is not decided here."""
    return sweep_registers(raw, kinds, null, clusters, sweep)


def sweep_dense(raw: Dense, kinds: Column, null: int, clusters: Clusters, sweep: Sweep) -> int:
    """Kernel: the same for positions of 32 bits."""
    return sweep_registers(raw, kinds, null, clusters, sweep)


def sweep_registers(raw: Wide | Dense, kinds: Column, null: int, clusters: Clusters, sweep: Sweep) -> int:
    """Kernel: both passes."""
    if gather_clusters(raw, kinds, null, clusters, sweep.until) == 0:
        return 0
    begun, first, last = clusters.begun, clusters.first, clusters.last
    for value in range(len(begun)):
        if last[value] == NONE:
            continue
        if begun[value] == NONE or first[value] < begun[value]:
            return 0  # nobody wrote it, or only afterwards
        sweep.starts[min(first[value], last[value])] = value
    for position in range(len(sweep.starts)):
        value = sweep.starts[position]
        if value != NONE:
            key = clusters.key[value]
            if first[value] < sweep.until[key]:
                return 0
            if first[value] < last[value]:
                sweep.until[key] = last[value]
    return 1


def gather_clusters(  # noqa: C901, PLR0912 - one loop: a call per operation would double its time
    raw: Wide | Dense, kinds: Column, null: int, clusters: Clusters, until: Narrow
) -> int:
    """Kernel: the bounds of every cluster; 0 if a value is written twice, or by a cas, or on two keys."""
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
                return 0
            begun[value] = call
            if outcome != OK:
                # As long as nobody sees it, it need not have happened. Its own call is no later than a response that shows it.
                if clusters.key[value] == NONE:
                    clusters.key[value] = key
                elif clusters.key[value] != key:
                    return 0
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
            return 0
        if clusters.key[value] == NONE:
            clusters.key[value] = key
        elif clusters.key[value] != key:
            return 0
        first[value] = min(first[value], ret)
        last[value] = max(last[value], call, begun[value])
    return 1


def linearizable(calls: Calls, kinds: Ints) -> bool:
    """Whether all keys of ``calls`` are certainly linearizable; False says nothing. ``kinds``: code of f → kind."""
    history = calls.history
    if len(history) >= CALLS_MAX or len(history.values) > _SPARSE * len(calls) + 64:
        return False
    null = next((code for code, value in enumerate(history.values) if value is None), -2)
    run = engine(_STEPS_PER_OP * len(calls))
    columns = (run.view(getattr(calls, name)) for name in Wide._fields)
    clusters, sweep = _tables(run, len(history.values), len(history), len(history.keys))
    return bool(run.kernel(sweep_wide)(Wide(*columns), run.column(kinds), null, clusters, sweep))


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
    return bool(run.kernel(sweep_dense)(Dense(*columns), kinds, null, clusters, sweep))


def _tables(run: Engine, values: int, positions: int, keys: int) -> tuple[Clusters, Sweep]:
    clusters = Clusters(
        begun=run.narrow(values, NONE),
        first=run.narrow(values, LATE),
        last=run.narrow(values, NONE),
        key=run.narrow(values, NONE),
    )
    return clusters, Sweep(until=run.narrow(keys - NO_KEY, NONE), starts=run.narrow(positions + 1, NONE))
