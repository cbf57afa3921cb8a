"""Registers: which version each read saw, who read each version, and what is wrong with reads. Kernels.

A version is the last write of a transaction to a key; what a transaction overwrites itself is none. Before all others of its key comes
the initial version, which is read as null.
"""

from __future__ import annotations

from typing import NamedTuple

from checkers.kernels.engine import Narrow, Tiny
from checkers.transactions.parse import NOTHING
from checkers.transactions.txns import Mops, Spans
from checkers.transactions.writes import (
    FUTURE,
    INTERMEDIATE,
    INTERNAL,
    LOST,
    NONE,
    Writes,
    judge_version,
    mark_seen,
    writer,
)
from harness.columns import FAIL, OK

# What a read saw, if it was no version: the initial one, or what it should not have seen. Also for what says nothing.
INITIAL, NOWHERE = -1, -2


class Reads(NamedTuple):
    """Of every read that says what was there before its transaction: what it saw (``source``), and the last write of its transaction to
    the key (``after``, NONE). ``first`` of a version, and behind them of a key: the first read of it that wrote, too, from 1.
    """

    source: Narrow
    after: Narrow
    first: Narrow
    happened: Tiny


class Versions(NamedTuple):
    """Of every key its versions in the order of invocations, and the reads of the initial one; of every version its reads."""

    key_start: Narrow
    version: Narrow
    initial_start: Narrow
    initial: Narrow
    reader_start: Narrow
    reader: Narrow


def judge_reads(spans: Spans, mops: Mops, writes: Writes, reads: Reads) -> int:  # noqa: C901 - one loop: a call per step would cost more than the step
    """Kernel: fill ``reads`` (``source``: NOWHERE before) and say what is to be said about every read."""
    for txn in range(len(spans.outcome)):
        if spans.outcome[txn] != OK:
            continue
        for mop in range(mops.starts[txn], mops.starts[txn + 1]):
            before = writes.before[mop]
            if mops.write[mop] != 0:
                if before != NONE:
                    judge_overwrite(mops, writes, reads, mop)
                continue
            version = NONE if mops.value[mop] == NOTHING else writer(mops, writes, mops.key[mop], mops.value[mop])
            if before != NONE:
                if mops.value[before] == mops.value[mop]:
                    continue
                own_future = version > mop and writes.author[version] == txn
                writes.flags[mop] |= FUTURE if own_future else INTERNAL
            if mops.value[mop] == NOTHING:
                if before == NONE:
                    reads.source[mop] = INITIAL
                continue
            said = judge_version(spans, writes, version, txn)
            if version != NONE:
                mark_seen(spans, writes, version, reads.happened)
                if writes.author[version] == txn:
                    said |= FUTURE if version > mop else 0
                elif writes.later[version] != 0 and spans.outcome[writes.author[version]] != FAIL:
                    said |= INTERMEDIATE
            writes.flags[mop] |= said
            if said == 0 and before == NONE:
                reads.source[mop] = version
    return 0


def judge_overwrite(mops: Mops, writes: Writes, reads: Reads, mop: int) -> None:
    """Kernel: a write behind another micro-operation on its key: what had its transaction read, and did another one do the same?"""
    read, directly = writes.before[mop], True
    while writes.before[read] != NONE:
        directly = directly and mops.write[read] == 0
        read = writes.before[read]
    if mops.write[read] != 0 or reads.source[read] == NOWHERE:
        return
    reads.after[read] = mop
    if not directly or mops.write[writes.before[mop]] != 0:
        return
    slot = reads.source[read] if reads.source[read] != INITIAL else len(mops.key) + mops.key[mop]
    if reads.first[slot] == 0:
        reads.first[slot] = read + 1
    else:
        writes.flags[read] |= LOST
        writes.partner[read] = reads.first[slot] - 1


def find_versions(spans: Spans, mops: Mops, writes: Writes, reads: Reads, versions: Versions) -> int:
    """Kernel: fill ``versions`` (zeros before), from the end of each row."""
    for filling in range(2):
        for txn in range(len(spans.outcome) - 1, -1, -1):
            if reads.happened[txn] == 0:
                continue
            for mop in range(mops.starts[txn + 1] - 1, mops.starts[txn] - 1, -1):
                if mops.write[mop] != 0:
                    if writes.later[mop] == 0:
                        note(versions.key_start, versions.version, mops.key[mop], mop, filling)
                elif reads.source[mop] == INITIAL:
                    note(versions.initial_start, versions.initial, mops.key[mop], mop, filling)
                elif reads.source[mop] >= 0:
                    note(versions.reader_start, versions.reader, reads.source[mop], mop, filling)
        if filling == 0:
            cumulate(versions.key_start)
            cumulate(versions.initial_start)
            cumulate(versions.reader_start)
    return versions.key_start[len(versions.key_start) - 1]


def note(starts: Narrow, rows: Narrow, row: int, what: int, filling: int) -> None:
    """Kernel: count an entry of a row; or, filling, put it there, from the row's end."""
    if filling == 0:
        starts[row] += 1
    else:
        starts[row] -= 1
        rows[starts[row]] = what


def cumulate(starts: Narrow) -> None:
    """Kernel: counts to the ends of rows."""
    for row in range(len(starts) - 1):
        starts[row + 1] += starts[row]
