"""Who wrote which value of which key, and how the micro-operations of one transaction hang together: kernels.

Every value of a key is written once, so a read says whose write it saw. A version is known by the micro-operation that wrote it.
"""

from __future__ import annotations

from typing import NamedTuple

from checkers.kernels.engine import Narrow, Tiny
from checkers.transactions.txns import Mops, Spans, mixed
from harness.columns import FAIL, INFO, OK

NONE = -1
# What is to be said about a micro-operation; bits of ``Writes.flags``.
PHANTOM, ABORTED, INTERMEDIATE = 1, 2, 4  # a read: of what nobody wrote; of a transaction that failed; of no last write
INTERNAL, FUTURE, LOST = 8, 16, 32  # a read: against its own transaction; of its future; and two that both wrote then
DISORDER, DOUBLED = 64, 128  # a read of a list: no beginning of the longest one; with an element twice
DIRTY = 256  # an append behind one that failed


class Writes(NamedTuple):
    """Of every key a hash table of its writes, from ``table_start`` on: the number of the micro-operation from 1.

    Of every micro-operation: its transaction; the one before it in its transaction and key (NONE); whether it is a write over which its
    transaction wrote again; what is to be said about it. Of a read with ``LOST`` in ``flags`` ``partner`` is the other one.
    """

    table_start: Narrow
    table: Narrow
    author: Narrow
    before: Narrow
    later: Tiny
    flags: Narrow
    partner: Narrow


class Keys(NamedTuple):
    """Of every key the last micro-operation and the last write on it so far. Scratch."""

    mop: Narrow
    write: Narrow


def lay_out_tables(mops: Mops, table_start: Narrow) -> int:
    """Kernel: where the table of each key begins; how large they are together."""
    keys = len(table_start) - 1
    for mop in range(len(mops.key)):
        table_start[mops.key[mop] + 1] += mops.write[mop]
    for key in range(keys):
        size = 1
        while size < 2 * table_start[key + 1]:
            size *= 2
        table_start[key + 1] = table_start[key] + size
    return table_start[keys]


def index_writes(mops: Mops, writes: Writes, last: Keys) -> int:
    """Kernel: fill ``writes`` but for the flags; the first write of a value that its key had been given before, or NONE."""
    for txn in range(len(mops.starts) - 1):
        start = mops.starts[txn]
        for mop in range(start, mops.starts[txn + 1]):
            key = mops.key[mop]
            writes.author[mop] = txn
            if last.mop[key] >= start:
                writes.before[mop] = last.mop[key]
            last.mop[key] = mop
            if mops.write[mop] == 0:
                continue
            if last.write[key] >= start:
                writes.later[last.write[key]] = 1
            last.write[key] = mop
            base = writes.table_start[key]
            mask = writes.table_start[key + 1] - base - 1
            slot = mixed(mops.value[mop]) & mask
            while writes.table[base + slot] != 0:
                if mops.value[writes.table[base + slot] - 1] == mops.value[mop]:
                    return mop
                slot = (slot + 1) & mask
            writes.table[base + slot] = mop + 1
    return NONE


def writer(mops: Mops, writes: Writes, key: int, value: int) -> int:
    """Kernel: the micro-operation that wrote ``value`` to ``key``, or NONE."""
    base = writes.table_start[key]
    mask = writes.table_start[key + 1] - base - 1
    slot = mixed(value) & mask
    for _ in range(mask + 1):
        found = writes.table[base + slot] - 1
        if found == NONE or mops.value[found] == value:
            return found
        slot = (slot + 1) & mask
    return NONE


def mark_happened(spans: Spans, happened: Tiny) -> int:
    """Kernel: 1 for the transactions that succeeded; their number."""
    count = 0
    for txn in range(len(spans.outcome)):
        if spans.outcome[txn] == OK:
            happened[txn] = 1
            count += 1
    return count


def mark_seen(spans: Spans, writes: Writes, version: int, happened: Tiny) -> None:
    """Kernel: somebody saw this version; so its transaction happened, if its outcome was not known."""
    txn = writes.author[version]
    if spans.outcome[txn] == INFO:
        happened[txn] = 1


def judge_version(spans: Spans, writes: Writes, version: int, reader: int) -> int:
    """Kernel: what is to be said of a read of a version by a transaction, whatever else the transactions did."""
    if version == NONE:
        return PHANTOM
    if spans.outcome[writes.author[version]] == FAIL and writes.author[version] != reader:
        return ABORTED
    return 0
