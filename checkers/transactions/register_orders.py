"""In which order the versions of a register were written, as far as that is certain: kernels.

A register shows only its latest version, so their order must be inferred:

* FOLLOW: a transaction that reads a version and then writes the key writes a later one (if it were an earlier one, the transaction would
  have to come before the writer of what it read);
* SESSION: what a process read or wrote later is a later version;
* ATOMIC, CAUSAL: by what who read one version had seen of the writer of the other (see ``visibility``);
* LATE: of two versions that one is later a read or write of which began after a read or write of the other one had ended.

Each kind says on what it rests; see ``register_edges`` for what follows from it.
"""

from __future__ import annotations

from typing import NamedTuple

from checkers.kernels.engine import Column, Narrow
from checkers.transactions.registers import Reads, Versions, cumulate
from checkers.transactions.txns import Mops, Spans
from checkers.transactions.writes import NONE, Writes
from harness.columns import FOREVER, OK

FOLLOW, SESSION, LATE, SURE, ATOMIC, CAUSAL = range(6)


class Zones(NamedTuple):
    """Of every version the end of its first read or write, and the beginning of its last one; of every key its versions by the latter.

    ``line_start`` and ``by_line`` (versions by the line of their last beginning) and ``fill`` (where each key's row begins) are scratch.
    """

    ended: Column
    began: Column
    sorted: Narrow
    line_start: Narrow
    by_line: Narrow
    fill: Narrow


class Follows(NamedTuple):
    """Pairs of versions, the second later than the first, grouped by the first and by kind; how many there are."""

    before: Narrow
    after: Narrow
    kind: Narrow
    counts: Column


def add_pair(follows: Follows, before: int, after: int, kind: int) -> None:
    """Kernel: add a pair; what there is no room for is counted, too."""
    at = follows.counts[0]
    if at < len(follows.before):
        follows.before[at], follows.after[at], follows.kind[at] = before, after, kind
    follows.counts[0] = at + 1


def find_zones(spans: Spans, mops: Mops, writes: Writes, versions: Versions, zones: Zones) -> int:
    """Kernel: fill ``zones``; ``line_start`` has one entry more than the history has lines, all zeros."""
    for at in range(len(versions.version)):
        version = versions.version[at]
        writer = writes.author[version]
        ended, began = spans.ret[writer], spans.call[writer]
        for row in range(versions.reader_start[version], versions.reader_start[version + 1]):
            reader = writes.author[versions.reader[row]]
            ended, began = min(ended, spans.ret[reader]), max(began, spans.call[reader])
        zones.ended[version], zones.began[version] = ended, began
        zones.line_start[began] += 1
    cumulate(zones.line_start)
    for at in range(len(versions.version)):
        version = versions.version[at]
        line = zones.began[version]
        zones.line_start[line] -= 1
        zones.by_line[zones.line_start[line]] = version
    for at in range(len(zones.by_line)):
        version = zones.by_line[at]
        key = mops.key[version]
        zones.sorted[zones.fill[key]] = version
        zones.fill[key] += 1
    return 0


def follow_reads(writes: Writes, reads: Reads, versions: Versions, follows: Follows, kind: int) -> int:
    """Kernel: pairs by what transactions wrote after they had read."""
    for at in range(len(versions.version)):
        version = versions.version[at]
        for row in range(versions.reader_start[version], versions.reader_start[version + 1]):
            after = reads.after[versions.reader[row]]
            if after != NONE and writes.author[after] != writes.author[version]:
                add_pair(follows, version, after, kind)
    return follows.counts[0]


def follow_real_time(versions: Versions, zones: Zones, follows: Follows, kind: int) -> int:
    """Kernel: pairs by real time; of all later versions those from which the others follow."""
    for key in range(len(versions.key_start) - 1):
        start, end = versions.key_start[key], versions.key_start[key + 1]
        for at in range(start, end):
            version = zones.sorted[at]
            ended = zones.ended[version]
            low, high = start, end
            while low < high:
                middle = (low + high) // 2
                if zones.began[zones.sorted[middle]] > ended:
                    high = middle
                else:
                    low = middle + 1
            first = FOREVER
            while low < end and zones.began[zones.sorted[low]] <= first:
                other = zones.sorted[low]
                if other != version:
                    add_pair(follows, version, other, kind)
                    first = min(first, zones.ended[other])
                low += 1
    return follows.counts[0]


class Steps(NamedTuple):
    """Reads and last writes by key, in the order of invocations; of every process the last version it had to do with, and of which key."""

    key_start: Narrow
    mop: Narrow
    version: Narrow
    key: Narrow


def find_steps(spans: Spans, mops: Mops, writes: Writes, reads: Reads, steps: Steps) -> int:
    """Kernel: fill ``steps`` (zeros before)."""
    for filling in range(2):
        for txn in range(len(spans.outcome) - 1, -1, -1):
            if reads.happened[txn] == 0:
                continue
            for mop in range(mops.starts[txn + 1] - 1, mops.starts[txn] - 1, -1):
                if (mops.write[mop] != 0 and writes.later[mop] == 0) or (
                    mops.write[mop] == 0 and reads.source[mop] >= 0
                ):
                    key = mops.key[mop]
                    if filling == 0:
                        steps.key_start[key] += 1
                    else:
                        steps.key_start[key] -= 1
                        steps.mop[steps.key_start[key]] = mop
        if filling == 0:
            cumulate(steps.key_start)
    return steps.key_start[len(steps.key_start) - 1]


def follow_sessions(  # noqa: PLR0917 - kernels take columns by position
    spans: Spans, mops: Mops, writes: Writes, reads: Reads, steps: Steps, follows: Follows, kind: int
) -> int:
    """Kernel: pairs by the order of each process; at most one per step."""
    for key in range(len(steps.key_start) - 1):
        for at in range(steps.key_start[key], steps.key_start[key + 1]):
            mop = steps.mop[at]
            txn = writes.author[mop]
            version = mop if mops.write[mop] != 0 else reads.source[mop]
            session = spans.session[txn]
            if steps.key[session] == key + 1 and steps.version[session] != version:
                add_pair(follows, steps.version[session], version, kind)
            if spans.outcome[txn] == OK:
                steps.key[session], steps.version[session] = key + 1, version
    return follows.counts[0]


class Groups(NamedTuple):
    """Scratch for grouping pairs: where the row of each first version begins, the rows, and for which first version a second was met."""

    start: Narrow
    row: Narrow
    met: Narrow


def group_pairs(pairs: Follows, count: int, groups: Groups, follows: Follows) -> int:
    """Kernel: the first ``count`` pairs grouped by the first version, each once, into ``follows``."""
    for at in range(count):
        groups.start[pairs.before[at]] += 1
    cumulate(groups.start)
    for at in range(count):
        groups.start[pairs.before[at]] -= 1
        groups.row[groups.start[pairs.before[at]]] = at
    for before in range(len(groups.start) - 1):
        for place in range(groups.start[before], groups.start[before + 1]):
            at = groups.row[place]
            if groups.met[pairs.after[at]] != before + 1:
                groups.met[pairs.after[at]] = before + 1
                add_pair(follows, before, pairs.after[at], pairs.kind[at])
    return follows.counts[0]
