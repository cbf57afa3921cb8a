"""The dependencies of transactions on lists, from the order of their versions: kernels.

* ww: the writer of a version before the writer of the next one;
* wr: the writer of the last element that a transaction read before that transaction;
* rw: a transaction before the writer of the element after the last one that it read.

What happened and stands in no read came after every version that was read: it is in the list, and a read that lacks it is of an
earlier version. (Not so under models that allow lost updates; see ``graph.Kind``.)
"""

from __future__ import annotations

from typing import NamedTuple

from checkers.kernels.engine import Narrow
from checkers.transactions.graph import Edges, add_edge, join_all
from checkers.transactions.lists import Orders
from checkers.transactions.txns import Mops, Spans
from checkers.transactions.writes import NONE, Writes
from harness.columns import FAIL, OK

WW, WR, RW, UNSEEN_WW = 0, 1, 2, 7


class Ends(NamedTuple):
    """Of every key where its readers of the last version begin in ``whole``, and where the writers of what nobody saw in ``unseen``.

    ``one``, ``other`` and ``place`` are scratch.
    """

    whole_start: Narrow
    whole: Narrow
    unseen_start: Narrow
    unseen: Narrow
    one: Narrow
    other: Narrow
    place: Narrow


def depend_lists(spans: Spans, mops: Mops, writes: Writes, orders: Orders, edges: Edges) -> int:  # noqa: C901 - one loop: a call per step would cost more than the step
    """Kernel: all dependencies on versions that somebody saw."""
    for key in range(len(orders.bad)):
        if orders.bad[key] != 0:
            continue
        before = NONE
        for at in range(orders.start[key], orders.start[key + 1]):
            writer = alive(spans, writes, orders.version[at])
            if writer != NONE:
                if before != NONE:
                    add_edge(edges, before, writer, WW)
                before = writer
    for txn in range(len(spans.outcome)):
        if spans.outcome[txn] != OK:
            continue
        for mop in range(mops.starts[txn], mops.starts[txn + 1]):
            key = mops.key[mop]
            if mops.write[mop] != 0 or writes.before[mop] != NONE or orders.bad[key] != 0:
                continue
            at = orders.start[key] + mops.first[mop + 1] - mops.first[mop]
            if at > orders.start[key]:
                writer = alive(spans, writes, orders.version[at - 1])
                if writer != NONE:
                    add_edge(edges, writer, txn, WR)
            while at < orders.start[key + 1]:
                writer = alive(spans, writes, orders.version[at])
                if writer != NONE:
                    add_edge(edges, txn, writer, RW)
                    break
                at += 1
    return edges.counts[0]


def alive(spans: Spans, writes: Writes, version: int) -> int:
    """Kernel: the writer of a version; NONE if there is none, or it failed: what failed comes before and after nothing."""
    if version == NONE or spans.outcome[writes.author[version]] == FAIL:
        return NONE
    return writes.author[version]


def find_ends(spans: Spans, mops: Mops, writes: Writes, orders: Orders, ends: Ends) -> int:
    """Kernel: fill ``ends`` (zeros before) in two rounds, of counting and of filling; how many edges these will take at most."""
    keys, most = len(orders.bad), 0
    for filling in range(2):
        for txn in range(len(spans.outcome)):
            if orders.happened[txn] == 0:
                continue
            for mop in range(mops.starts[txn], mops.starts[txn + 1]):
                key = mops.key[mop]
                if orders.bad[key] != 0:
                    continue
                if mops.write[mop] == 0:
                    length = mops.first[mop + 1] - mops.first[mop]
                    if spans.outcome[txn] == OK and writes.before[mop] == NONE and is_whole(orders, key, length):
                        note(ends.whole_start, ends.whole, key, txn, filling)
                elif orders.place[mop] == 0 and is_first_unseen(mops, writes, orders, mop):
                    note(ends.unseen_start, ends.unseen, key, txn, filling)
        if filling == 0:
            for key in range(keys):
                if ends.unseen_start[key] > 0:
                    most += 2 * ends.whole_start[key] + 5 * ends.unseen_start[key]
            cumulate(ends.whole_start)
            cumulate(ends.unseen_start)
    return most


def is_whole(orders: Orders, key: int, length: int) -> bool:
    """Kernel: whether a read of so many elements is one of the last version."""
    return length == orders.start[key + 1] - orders.start[key]


def is_first_unseen(mops: Mops, writes: Writes, orders: Orders, mop: int) -> bool:
    """Kernel: whether its transaction made no earlier append to the key that nobody saw."""
    earlier = writes.before[mop]
    while earlier != NONE:
        if mops.write[earlier] != 0 and orders.place[earlier] == 0:
            return False
        earlier = writes.before[earlier]
    return True


def note(starts: Narrow, rows: Narrow, key: int, txn: int, filling: int) -> None:
    """Kernel: count a transaction for a key; or, filling, put it into that key's row, from its end."""
    if filling == 0:
        starts[key] += 1
    else:
        starts[key] -= 1
        rows[starts[key]] = txn


def cumulate(starts: Narrow) -> None:
    """Kernel: counts to the ends of rows."""
    for key in range(len(starts) - 1):
        starts[key + 1] += starts[key]


def depend_unseen(spans: Spans, writes: Writes, orders: Orders, ends: Ends, edges: Edges) -> int:
    """Kernel: what stands in no read came after all that does, and nobody who read it all saw it."""
    for key in range(len(orders.bad)):
        size = ends.unseen_start[key + 1] - ends.unseen_start[key]
        if size == 0:
            continue
        count = ends.whole_start[key + 1] - ends.whole_start[key]
        for at in range(size):
            ends.other[at] = ends.unseen[ends.unseen_start[key] + at]
        for at in range(count):
            ends.one[at] = ends.whole[ends.whole_start[key] + at]
        join_all(edges, ends.one, count, ends.other, size, ends.place, RW)
        at, writer = orders.start[key + 1], NONE
        while at > orders.start[key] and writer == NONE:
            at -= 1
            writer = alive(spans, writes, orders.version[at])
        if writer != NONE:
            for other in range(size):
                add_edge(edges, writer, ends.other[other], UNSEEN_WW)
    return edges.counts[0]
