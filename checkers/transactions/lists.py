"""Lists: the order of their versions, read off the longest read of each, and what is wrong with the others. Kernels.

A read shows all earlier versions of its key. All reads of a key must be beginnings of the longest one; where one is not, or where an
element stands twice in it, no order is taken from that key.
"""

from __future__ import annotations

from typing import NamedTuple

from checkers.kernels.engine import Narrow, Tiny
from checkers.transactions.txns import Mops, Spans
from checkers.transactions.writes import (
    DIRTY,
    DISORDER,
    DOUBLED,
    FUTURE,
    INTERMEDIATE,
    INTERNAL,
    LOST,
    NONE,
    PHANTOM,
    Writes,
    judge_version,
    mark_seen,
    writer,
)
from harness.columns import FAIL, OK


class Orders(NamedTuple):
    """Of every key its longest read, where its order begins in ``version``, and whether something is wrong with it (``bad``).

    ``version`` are micro-operations (NONE: nobody wrote that), ``place`` of a write is its place in that order from 1, 0: nobody saw it.
    ``first`` of key and length (its order's beginning, plus the key, plus the length) is the first read of that version by a transaction
    that then wrote the key, from 1. ``shown_by`` is scratch. ``happened``: the transaction succeeded, or somebody saw a write of it.
    """

    longest: Narrow
    start: Narrow
    bad: Tiny
    version: Narrow
    place: Narrow
    first: Narrow
    shown_by: Narrow
    happened: Tiny


def find_longest(spans: Spans, mops: Mops, longest: Narrow, start: Narrow) -> int:
    """Kernel: the longest read of every key, and where its order will begin; how long all orders are together."""
    for txn in range(len(spans.outcome)):
        if spans.outcome[txn] != OK:
            continue
        for mop in range(mops.starts[txn], mops.starts[txn + 1]):
            if mops.write[mop] == 0:
                key = mops.key[mop]
                length = mops.first[mop + 1] - mops.first[mop]
                if longest[key] == NONE or length > start[key + 1]:
                    longest[key], start[key + 1] = mop, length
    for key in range(len(longest)):
        start[key + 1] += start[key]
    return start[len(longest)]


def order_versions(spans: Spans, mops: Mops, writes: Writes, orders: Orders) -> int:
    """Kernel: fill ``orders`` from the longest reads, and say of these what they show."""
    for key in range(len(orders.longest)):
        read = orders.longest[key]
        if read == NONE:
            continue
        begin, said = mops.first[read], 0
        reader, aborted = writes.author[read], 0
        for at in range(orders.start[key], orders.start[key + 1]):
            version = writer(mops, writes, key, mops.element[begin + at - orders.start[key]])
            orders.version[at] = version
            if version == NONE:
                said |= PHANTOM
                continue
            if orders.place[version] != 0:
                said |= DOUBLED
            orders.place[version] = at - orders.start[key] + 1
            mark_seen(spans, writes, version, orders.happened)
            said |= judge_version(spans, writes, version, reader)
            if spans.outcome[writes.author[version]] == FAIL:
                aborted = 1
            elif aborted == 1 and spans.outcome[writes.author[version]] == OK:
                writes.flags[version] |= DIRTY
                aborted = 2
        if said & DOUBLED != 0:
            orders.bad[key] = 1
        writes.flags[read] |= said
    return 0


def judge_reads(spans: Spans, mops: Mops, writes: Writes, orders: Orders) -> int:
    """Kernel: what is to be said of every read of a transaction that succeeded."""
    for txn in range(len(spans.outcome)):
        if spans.outcome[txn] != OK:
            continue
        for mop in range(mops.starts[txn], mops.starts[txn + 1]):
            key = mops.key[mop]
            if mops.write[mop] != 0:
                judge_append(mops, writes, orders, mop)
                continue
            if mop != orders.longest[key] and not is_beginning(mops, mop, orders.longest[key]):
                orders.bad[key] = 1
                judge_odd_read(spans, mops, writes, orders, mop)
            length = mops.first[mop + 1] - mops.first[mop]
            if length > 0:
                version = writer(mops, writes, key, mops.element[mops.first[mop + 1] - 1])
                if version != NONE and writes.author[version] != txn and spans.outcome[writes.author[version]] != FAIL:
                    writes.flags[mop] |= INTERMEDIATE * writes.later[version]
            if writes.before[mop] != NONE and not follows_own(mops, writes, mop):
                writes.flags[mop] |= INTERNAL
    return 0


def judge_append(mops: Mops, writes: Writes, orders: Orders, mop: int) -> None:
    """Kernel: an append behind a read of its own transaction: did that see it, and did another one read and write there, too?"""
    read = writes.before[mop]
    while read != NONE and mops.write[read] != 0:
        read = writes.before[read]
    if read == NONE:
        return
    begin, place = mops.first[read], orders.place[mop]
    length = mops.first[read + 1] - begin
    if 0 < place <= length and mops.element[begin + place - 1] == mops.value[mop]:
        writes.flags[read] |= FUTURE
    if writes.before[mop] != read:
        return
    while writes.before[read] != NONE:
        read = writes.before[read]
        if mops.write[read] != 0:
            return
    length, key = mops.first[read + 1] - mops.first[read], mops.key[mop]
    slot = orders.start[key] + key + length
    if orders.first[slot] == 0:
        orders.first[slot] = read + 1
    elif writes.flags[read] & LOST == 0:
        writes.flags[read] |= LOST
        writes.partner[read] = orders.first[slot] - 1


def is_beginning(mops: Mops, read: int, whole: int) -> bool:
    """Kernel: whether what one read showed is how the other, no shorter one, begins."""
    begin, other = mops.first[read], mops.first[whole]
    for at in range(mops.first[read + 1] - begin):  # noqa: SIM110 - kernels know no generators
        if mops.element[begin + at] != mops.element[other + at]:
            return False
    return True


def judge_odd_read(spans: Spans, mops: Mops, writes: Writes, orders: Orders, read: int) -> None:
    """Kernel: what is to be said of a read that is no beginning of the longest one, element by element."""
    said, reader = DISORDER, writes.author[read]
    for at in range(mops.first[read], mops.first[read + 1]):
        version = writer(mops, writes, mops.key[read], mops.element[at])
        said |= judge_version(spans, writes, version, reader)
        if version != NONE:
            mark_seen(spans, writes, version, orders.happened)
            if orders.shown_by[version] == read + 1:
                said |= DOUBLED
            orders.shown_by[version] = read + 1
            if writes.author[version] == reader and version > read:
                said |= FUTURE
    writes.flags[read] |= said


def follows_own(mops: Mops, writes: Writes, read: int) -> bool:
    """Kernel: whether a read ends with what its transaction appended since its last read of the key, and begins with what that showed."""
    end, begin = mops.first[read + 1], mops.first[read]
    mop = writes.before[read]
    while mop != NONE and mops.write[mop] != 0:
        end -= 1
        if end < begin or mops.element[end] != mops.value[mop]:
            return False
        mop = writes.before[mop]
    if mop == NONE:
        return True
    if mops.first[mop + 1] - mops.first[mop] != end - begin:
        return False
    return is_beginning(mops, mop, read)
