"""Atomic and causal visibility: a transaction that sees one write of another must see them all. Kernels.

After Biswas and Enea, "On the Complexity of Checking Transactional Consistency" (OOPSLA 2019): a read q of a version of key x by t3, and
a transaction t2 that wrote x, too, and is *visible* to t3. Then t2's version is an earlier one than what q saw, or it is that. Which t2
are visible tells models apart:

* monotonic atomic view: those from which t3 had read before q;
* read atomic: those from which t3 read at all;
* causal consistency: all in the causal past of t3: what it read from, what the same process ran before, and their pasts.

Where the order of versions is known (lists) or q saw the initial version, that is decided at once; else it says in which order two
versions were, and orders that go round in a circle refute the model. Each is exact, and polynomial.
"""

from __future__ import annotations

from typing import NamedTuple

from checkers.kernels.engine import Column, Narrow, Tiny
from checkers.transactions.registers import INITIAL, NOWHERE, cumulate
from checkers.transactions.txns import Mops, Spans
from checkers.transactions.writes import NONE, Writes
from harness.columns import OK

# Sessions whose clocks are kept at a time, at most.
WIDTH = 32


class Shown(NamedTuple):
    """What reads that say what was there before their transaction saw: the last version (``source``, or INITIAL, NOWHERE).

    Lists: versions in order are ``version`` from ``start`` of their key on, ``place`` of a write is its place there from 1, 0: nobody saw
    it. Registers have no known order, and ``start`` is empty.
    """

    source: Narrow
    start: Narrow
    version: Narrow
    place: Narrow


class Seen(NamedTuple):
    """A read, a version of its key by a transaction that was visible to it, and the version that it saw instead (INITIAL: the first one).

    ``direct``: that version should have been seen, whatever the order of others. ``by``: the read that shows that it was visible (NONE: the
    past does). What there is no room for is counted, too.
    """

    read: Narrow
    visible: Narrow
    saw: Narrow
    by: Narrow
    direct: Tiny
    counts: Column


def compare(mops: Mops, shown: Shown, seen: Seen, read: int, version: int, by: int) -> None:  # noqa: PLR0917 - kernels take columns by position
    """Kernel: a read of a key of which ``version`` was visible, by what ``by`` read: was that all right? If not for sure, it is noted."""
    saw = shown.source[read]
    if saw == version:
        return
    direct = 1
    if len(shown.start) > 0:
        if 0 < shown.place[version] <= mops.first[read + 1] - mops.first[read]:
            return
    elif saw != INITIAL:
        direct = 0
    at = seen.counts[0]
    seen.counts[0] = at + 1
    if at < len(seen.read):
        seen.read[at], seen.visible[at], seen.saw[at], seen.direct[at], seen.by[at] = read, version, saw, direct, by


def see_all(  # noqa: PLR0917 - kernels take columns by position
    spans: Spans, mops: Mops, writes: Writes, shown: Shown, at_key: Narrow, seen: Seen
) -> int:
    """Kernel: from what each transaction read directly. ``at_key``: of every key its last read so far, from 1."""
    for txn in range(len(spans.outcome)):
        start, reads = mops.starts[txn], 0
        if spans.outcome[txn] != OK:
            continue
        for mop in range(start, mops.starts[txn + 1]):
            if mops.write[mop] == 0 and shown.source[mop] != NOWHERE:
                at_key[mops.key[mop]] = mop + 1
                reads += 1
        if reads < 2:
            continue
        for mop in range(start, mops.starts[txn + 1]):
            if mops.write[mop] != 0 or shown.source[mop] < 0:
                continue
            if len(shown.start) == 0:
                see_one(mops, writes, shown, at_key, seen, writes.author[shown.source[mop]], mop, txn)
                continue
            before, begin = NONE, shown.start[mops.key[mop]]
            for at in range(begin, begin + mops.first[mop + 1] - mops.first[mop]):
                version = shown.version[at]
                if version != NONE and writes.author[version] != before:
                    before = writes.author[version]
                    if before != txn:
                        see_one(mops, writes, shown, at_key, seen, before, mop, txn)
    return seen.counts[0]


def see_one(  # noqa: PLR0917 - kernels take columns by position
    mops: Mops,
    writes: Writes,
    shown: Shown,
    at_key: Narrow,
    seen: Seen,
    other: int,
    by: int,
    reader: int,
) -> None:
    """Kernel: another transaction is visible to ``reader``: compare its versions with what that read of their keys."""
    for mop in range(mops.starts[other], mops.starts[other + 1]):
        if mops.write[mop] != 0 and writes.later[mop] == 0:
            read = at_key[mops.key[mop]] - 1
            if read != NONE and writes.author[read] == reader:
                compare(mops, shown, seen, read, mop, by)


class Groups(NamedTuple):
    """Of every key the sessions that wrote it: ``start`` of its row, and of each the session and where its versions begin (``first``;
    with one more entry at the end), in the order of the session. ``author``: the transaction of each version.
    """

    start: Narrow
    session: Narrow
    first: Narrow
    version: Narrow
    author: Narrow


def group_versions(spans: Spans, mops: Mops, writes: Writes, sorted_: Narrow, groups: Groups) -> int:
    """Kernel: fill ``groups`` from the versions sorted by key, session and transaction; how many groups there are."""
    count, before_key, before_session = 0, NONE, NONE
    for at in range(len(sorted_)):
        version = sorted_[at]
        key, session = mops.key[version], spans.session[writes.author[version]]
        groups.version[at], groups.author[at] = version, writes.author[version]
        if key != before_key or session != before_session:
            groups.session[count], groups.first[count] = session, at
            groups.start[key] += 1
            count += 1
            before_key, before_session = key, session
    groups.first[count] = len(sorted_)
    cumulate(groups.start)
    for key in range(len(groups.start) - 1, 0, -1):
        groups.start[key] = groups.start[key - 1]
    groups.start[0] = 0
    return count


class Past(NamedTuple):
    """The causal order: who comes directly before whom, by rows (see ``graph``), and all nodes in such an order; a row of clocks each."""

    starts: Narrow
    targets: Narrow
    order: Narrow
    clock: Narrow


def tell_time(spans: Spans, past: Past, first: int, width: int) -> int:
    """Kernel: of every node, for each of ``width`` sessions from ``first`` on, the last transaction in its past, from 1."""
    txns = len(spans.outcome)
    for at in range(len(past.clock)):
        past.clock[at] = 0
    for place in range(len(past.order)):
        node = past.order[place]
        mine = NONE
        if node < txns and first <= spans.session[node] < first + width:
            mine = spans.session[node] - first
        for edge in range(past.starts[node], past.starts[node + 1]):
            base, from_ = past.targets[edge] * width, node * width
            for session in range(width):
                past.clock[base + session] = max(past.clock[base + session], past.clock[from_ + session])
            if mine != NONE:
                past.clock[base + mine] = max(past.clock[base + mine], node + 1)
    return 0


def see_past(  # noqa: PLR0917 - kernels take columns by position
    spans: Spans,
    mops: Mops,
    writes: Writes,
    shown: Shown,
    groups: Groups,
    past: Past,
    seen: Seen,
    first: int,
    width: int,
) -> int:
    """Kernel: from the last writer of a key in the past of its reader, of each session from ``first`` on.

    Without an order of versions, what is in the past of the writer of what was seen comes before that anyway, and is passed over.
    """
    for txn in range(len(spans.outcome)):
        if spans.outcome[txn] != OK:
            continue
        for read in range(mops.starts[txn], mops.starts[txn + 1]):
            saw = shown.source[read]
            if mops.write[read] != 0 or saw == NOWHERE:
                continue
            key, writer = mops.key[read], NONE
            if saw >= 0 and len(shown.start) == 0:
                writer = writes.author[saw]
            for group in range(groups.start[key], groups.start[key + 1]):
                session = groups.session[group] - first
                if session < 0 or session >= width:
                    continue
                latest, known = past.clock[txn * width + session], 0
                if writer != NONE:
                    known = past.clock[writer * width + session]
                if latest <= known:
                    continue
                at = last_before(groups, group, latest)
                if at != NONE and groups.author[at] >= known:
                    compare(mops, shown, seen, read, groups.version[at], NONE)
    return seen.counts[0]


def last_before(groups: Groups, group: int, limit: int) -> int:
    """Kernel: the place of the last version of a group whose writer comes before ``limit``, or NONE."""
    low, high = groups.first[group], groups.first[group + 1]
    begin = low
    while low < high:
        middle = (low + high) // 2
        if groups.author[middle] < limit:
            low = middle + 1
        else:
            high = middle
    return low - 1 if low > begin else NONE
