"""Registers to which every value is written once, with cas: which keys are linearizable, in a few passes over narrow columns.

The theorem of ``unique`` (read that first) for what ``quick`` leaves: a successful cas(a → b) ties the cluster of b behind that of a. As in
``quick``, codes of values number the clusters, so no value may be on two keys, and the columns of ``Calls`` are read as they are; each
key's initial value has a cluster behind those of the values. 32 bytes per value and 4 per position. Whatever is unusual is left to
``unique``, and so is what a wrong key is told by.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from checkers.kernels.engine import Column, Engine, Narrow, engine
from checkers.linearizable.encode import CAS, READ, WRITE
from checkers.linearizable.quick import CALLS_MAX, GOOD, LATE, NONE, UNDECIDED, WRONG, Parts, Wide, parts_of, wide
from harness.history import FAIL, NO_KEY, OK, Calls, Ints

DONE = -2  # the source of a cluster whose block is known
_STEPS_PER_OP = 4
_SPARSE = 6


class Clusters(NamedTuple):
    """Per cluster: call and end of its writer (NONE: nobody wrote it; LATE: nobody knows), the cluster that its writer replaced, the one
    that replaced it, the first response and the last invocation (NONE: nothing of it is certain), and its key.
    """

    begun: Narrow
    ended: Narrow
    source: Narrow
    heir: Narrow
    first: Narrow
    last: Narrow
    key: Narrow


class Blocks(NamedTuple):
    """Per key until where the interval of a block reaches, and 1 if it is wrong; per position the head of the block that begins there."""

    until: Narrow
    wrong: Narrow
    starts: Narrow


def sweep_chains(raw: Wide, kinds: Column, parts: Parts, clusters: Clusters, blocks: Blocks) -> int:
    """Kernel: UNDECIDED, GOOD, or WRONG: then ``blocks.wrong`` tells the keys. The initial value of key k is cluster ``parts.size`` + k."""
    if gather_chains(raw, kinds, parts, clusters) == UNDECIDED:
        return UNDECIDED
    values = parts.size
    link_heirs(clusters, blocks)
    find_sourceless(values, clusters, blocks)
    tie_blocks(values, clusters, blocks)
    sweep_blocks(values, clusters, blocks)
    answer = GOOD
    for key in range(len(blocks.wrong)):
        if blocks.wrong[key] == 1:
            answer = WRONG
    return answer


def gather_chains(  # noqa: C901, PLR0912 - one loop: a call per operation would double its time
    raw: Wide, kinds: Column, parts: Parts, clusters: Clusters
) -> int:
    """Kernel: who wrote what, and the bounds of what is certain; UNDECIDED if a value is written twice or on two keys, or is null."""
    first, last, keys = clusters.first, clusters.last, clusters.key
    for i in range(len(raw.f)):
        outcome, kind, key = raw.outcome[i], kinds[raw.f[i]], raw.key[i] + 1
        if outcome == FAIL:
            continue
        seen, made = NONE, NONE
        if kind == READ:
            seen = raw.result[i] if outcome == OK else NONE
        elif kind == WRITE:
            made = raw.argument[i]
        elif kind == CAS:
            seen, made = parts.first[raw.argument[i]], parts.second[raw.argument[i]]
            if seen == NONE:
                return UNDECIDED  # its argument is no pair
            if seen == made:  # a read
                seen, made = seen if outcome == OK else NONE, NONE
        else:
            return UNDECIDED
        if seen != NONE and seen == parts.null:
            seen = parts.size + key
        if made != NONE:
            if made == parts.null or clusters.begun[made] != NONE:
                return UNDECIDED
            clusters.begun[made], clusters.source[made] = raw.call[i], seen
            clusters.ended[made] = raw.ret[i] if outcome == OK else LATE
            if keys[made] == NONE:
                keys[made] = key
            elif keys[made] != key:
                return UNDECIDED
        if seen != NONE:
            if keys[seen] == NONE:
                keys[seen] = key
            elif keys[seen] != key:
                return UNDECIDED
        cluster = made if made != NONE else seen
        if outcome == OK and cluster != NONE:
            first[cluster] = min(first[cluster], raw.ret[i])
            last[cluster] = max(last[cluster], raw.call[i])
    return GOOD


def link_heirs(clusters: Clusters, blocks: Blocks) -> None:
    """Kernel: from all that certainly happened back through every cas: it happened, too, and replaced what it saw."""
    source, heir, last = clusters.source, clusters.heir, clusters.last
    for value in range(len(source)):
        at = value if last[value] != NONE else NONE
        while at != NONE:
            last[at] = max(last[at], clusters.begun[at])  # its writer happened, even if nobody knows when it ended
            before = source[at]
            if before == NONE or heir[before] == at:
                break
            if heir[before] != NONE:  # two cas replaced the same value
                blocks.wrong[clusters.key[at]] = 1
                break
            heir[before] = at
            at = before


def find_sourceless(values: int, clusters: Clusters, blocks: Blocks) -> None:
    """Kernel: values that were seen and never written, or only afterwards."""
    for value in range(values):
        begun, heir = clusters.begun[value], clusters.heir[value]
        if clusters.last[value] == NONE and heir == NONE:
            continue
        if begun == NONE or clusters.first[value] < begun or (heir != NONE and clusters.ended[heir] < begun):
            blocks.wrong[clusters.key[value]] = 1


def tie_blocks(values: int, clusters: Clusters, blocks: Blocks) -> None:
    """Kernel: give the bounds of a whole block to its first cluster. A later cluster has the source DONE then; what has another one
    is on a circle.
    """
    source, heir, first, last = clusters.source, clusters.heir, clusters.first, clusters.last
    for head in range(len(source)):
        if source[head] != NONE:
            continue
        at = heir[head]
        while at != NONE:
            if first[at] < last[head]:  # it must come after all of them, and ended before one began
                blocks.wrong[clusters.key[at]] = 1
            first[head], last[head] = min(first[head], first[at]), max(last[head], last[at])
            source[at] = DONE
            at = heir[at]
    for value in range(values):
        if source[value] >= 0 and last[value] != NONE:
            blocks.wrong[clusters.key[value]] = 1


def sweep_blocks(values: int, clusters: Clusters, blocks: Blocks) -> None:
    """Kernel: put every block at the position where it begins, sweep, and find two that must each precede the other."""
    first, last, until, starts = clusters.first, clusters.last, blocks.until, blocks.starts
    for key in range(len(until)):  # the initial value was there before everything
        until[key] = last[values + key]
    for head in range(values):
        if clusters.source[head] == NONE and last[head] != NONE:
            starts[min(first[head], last[head])] = head
    for position in range(len(starts)):
        head = starts[position]
        if head != NONE:
            key = clusters.key[head]
            if first[head] < until[key]:
                blocks.wrong[key] = 1
            if first[head] < last[head]:
                until[key] = max(until[key], last[head])


def wrong_keys(calls: Calls, kinds: Ints) -> Ints | None:
    """The codes of the keys of ``calls`` that are not linearizable; None if something is unusual. ``kinds``: code of f → kind.

    Raises HistoryError for a pair that no history can hold.
    """
    history = calls.history
    if len(history) >= CALLS_MAX or len(history.values) > _SPARSE * len(calls) + 64:
        return None
    run = engine(_STEPS_PER_OP * len(calls))
    parts = parts_of(run, calls, kinds)
    clusters, blocks = _tables(run, parts.size, len(history), len(history.keys) - NO_KEY)
    answer = run.kernel(sweep_chains)(wide(run, calls), run.column(kinds), parts, clusters, blocks)
    if answer == UNDECIDED:
        return None
    return np.flatnonzero(np.asarray(blocks.wrong)) + NO_KEY


def _tables(run: Engine, values: int, positions: int, keys: int) -> tuple[Clusters, Blocks]:
    size = values + keys
    clusters = Clusters(*(run.narrow(size, LATE if name == "first" else NONE) for name in Clusters._fields))
    until, wrong = (run.narrow(keys, value) for value in (NONE, 0))
    return clusters, Blocks(until=until, wrong=wrong, starts=run.narrow(positions + 1, NONE))
