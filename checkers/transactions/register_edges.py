"""The dependencies of transactions on registers: kernels.

wr, a version's writer before its readers; rw, those who read the initial version before all writers; and from each pair of versions in
order ww, one writer before the other, and rw, the readers of the one before the writer of the other.
"""

from __future__ import annotations

from typing import NamedTuple

from checkers.kernels.engine import Narrow
from checkers.transactions.graph import Edges, add_edge, join_all
from checkers.transactions.register_orders import ATOMIC, CAUSAL, FOLLOW, LATE, SESSION, Follows
from checkers.transactions.registers import Versions
from checkers.transactions.txns import Spans
from checkers.transactions.writes import Writes

WW, WR, RW, LATE_RW, FOLLOW_WW, SESSION_RW, LATE_WW, SESSION_WW, ATOMIC_WW = 0, 1, 2, 6, 8, 9, 10, 11, 12


class Ends(NamedTuple):
    """Scratch, of one entry per transaction; ``place`` is zeros."""

    one: Narrow
    other: Narrow
    place: Narrow


def count_edges(versions: Versions, follows: Follows) -> int:
    """Kernel: how many edges there will be at most."""
    most = len(versions.reader) + 2 * len(versions.initial) + 4 * len(versions.version)
    start, pairs = 0, len(follows.before)
    while start < pairs:
        end = end_of_group(follows, start)
        version = follows.before[start]
        most += 2 * (versions.reader_start[version + 1] - versions.reader_start[version]) + 5 * (end - start)
        start = end
    return most


def end_of_group(follows: Follows, start: int) -> int:
    """Kernel: where the pairs of one first version and one kind end."""
    end = start + 1
    while (
        end < len(follows.before)
        and follows.before[end] == follows.before[start]
        and follows.kind[end] == follows.kind[start]
    ):
        end += 1
    return end


def depend_readers(writes: Writes, versions: Versions, ends: Ends, edges: Edges) -> int:
    """Kernel: what follows from the reads alone."""
    for at in range(len(versions.version)):
        version = versions.version[at]
        for row in range(versions.reader_start[version], versions.reader_start[version + 1]):
            add_edge(edges, writes.author[version], writes.author[versions.reader[row]], WR)
    for key in range(len(versions.key_start) - 1):
        count = versions.initial_start[key + 1] - versions.initial_start[key]
        size = versions.key_start[key + 1] - versions.key_start[key]
        if count > 0 and size > 0:
            for at in range(count):
                ends.one[at] = writes.author[versions.initial[versions.initial_start[key] + at]]
            for at in range(size):
                ends.other[at] = writes.author[versions.version[versions.key_start[key] + at]]
            join_all(edges, ends.one, count, ends.other, size, ends.place, RW)
    return edges.counts[0]


def ww_of(kind: int) -> int:
    """Kernel: the kind of edge between the writers of two versions in order."""
    if kind == FOLLOW:
        return FOLLOW_WW
    if kind == LATE:
        return LATE_WW
    if kind == ATOMIC:
        return ATOMIC_WW
    return SESSION_WW if kind in (SESSION, CAUSAL) else WW


def depend_followers(  # noqa: PLR0917 - kernels take columns by position
    spans: Spans, writes: Writes, versions: Versions, follows: Follows, ends: Ends, edges: Edges
) -> int:
    """Kernel: what follows from the order of versions."""
    start, pairs = 0, len(follows.before)
    while start < pairs:
        end = end_of_group(follows, start)
        version, kind = follows.before[start], follows.kind[start]
        ww, rw = ww_of(kind), LATE_RW if kind == LATE else SESSION_RW if kind in (SESSION, CAUSAL) else RW
        for at in range(start, end):
            writer, other = writes.author[version], writes.author[follows.after[at]]
            ends.other[at - start] = other
            # What real time itself orders needs no edge of its own.
            if kind != LATE or spans.ret[writer] > spans.call[other]:
                add_edge(edges, writer, other, ww)
        count = versions.reader_start[version + 1] - versions.reader_start[version]
        for at in range(count):
            ends.one[at] = writes.author[versions.reader[versions.reader_start[version] + at]]
        join_all(edges, ends.one, count, ends.other, end - start, ends.place, rw)
        start = end
    return edges.counts[0]
