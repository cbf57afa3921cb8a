"""Linearizability of registers to which every value is written once: exact, in linear time whatever the
concurrency.

Source: Gibbons and Korach, "Testing Shared Memories" (SIAM J. Comput. 1997), extended here to cas and to
calls of unknown outcome.

If each value has one writer, the operations on a value (its writer and all that saw it) form a *cluster*,
and the clusters of a register follow one another without mixing. A successful cas(a → b) ties the cluster of
b behind that of a; clusters tied in this way are a *block* of fixed inner order. Let f be the first response
in a block and s the last invocation. Block A must precede block B iff f(A) < s(B): something of A ended
before something of B began. So the register is linearizable iff

1. every value seen was written by someone, and not only after it was seen;
2. within a block no later cluster has a response before an invocation of an earlier one;
3. no two blocks must each precede the other. (Longer cycles contain such a pair: the block M with the
   greatest s on a cycle is preceded by every block of the cycle, because each ends something before the next
   one's s, which is at most s(M); and M precedes its successor.)

Blocks with f < s occupy the interval (f, s) and must be disjoint; a block with s < f must not lie inside
such an interval; any two of the latter kind get along. One sweep over the positions of the history decides
that, for all registers at once.

A write or cas that never completed happened iff something that happened saw its value: then it has no
response, else it is as if it had never been (an unseen effect can be taken out of any legal order). A
register to which one value is written twice, or the initial value, is left to the search: ``NOT_UNIQUE``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from checkers.kernels.engine import Column, engine
from checkers.linearizable.encode import NOTHING, RegisterOps
from harness.history import FOREVER, Ints

# What became of a register. OPEN stands for linearizable once all kernels have run.
OPEN, NOT_UNIQUE, PHANTOM, FUTURE, TWO_CAS, DISORDER, CYCLE, CONFLICT = range(8)
# The role of a cluster in its block.
HEAD, FOLLOWER = 1, 2
NONE = -1

# Plain steps per operation, about: it decides whether compiling pays for itself.
_STEPS_PER_OP = 2
# Positions are taken as they are if they are not many more than the operations.
_SPARSE = 6


class Ops(NamedTuple):
    """One entry per operation: the clusters that it saw and made (NONE: no), its positions, its register."""

    seen: Column
    made: Column
    call: Column
    ret: Column
    key: Column


class Clusters(NamedTuple):
    """One entry per cluster; that of a register's initial value has the register's number.

    ``writer`` made its value, ``consumer`` is the cas that replaced it. ``first`` and ``last`` are the
    operations with the first response and the last invocation: of the cluster, or, for the first cluster of a
    block, of the whole block. ``role`` says which.
    """

    writer: Column
    consumer: Column
    first: Column
    last: Column
    role: Column


class Registers(NamedTuple):
    """One entry per register: what became of it, and the two operations or blocks that show it (or NONE).

    PHANTOM: ``a`` saw a value that nobody wrote. FUTURE: ``a`` saw the value of ``b``, which was invoked
    later. TWO_CAS: ``a`` and ``b`` replaced the same value. DISORDER: ``a`` belongs behind ``b`` but ended
    before it began. CYCLE: ``a`` depends on itself. CONFLICT: blocks ``a`` and ``b``, named by their first
    clusters.
    """

    status: Column
    a: Column
    b: Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What the kernels found."""

    ops: Ops
    clusters: Clusters
    registers: Registers


def examine(ops: RegisterOps) -> Examined:
    """All registers of ``ops`` at once; their number is ``ops.keys``."""
    if len(ops) and int(ops.call[-1]) > _SPARSE * len(ops):
        ops = _tight(ops)
    size, seen, made = _number(ops)
    run = engine(_STEPS_PER_OP * len(ops))
    columns = Ops(*(run.column(column) for column in (seen, made, ops.call, ops.ret, ops.key)))
    clusters = Clusters(*(run.full(size, NONE) for _ in range(5)))
    registers = Registers(run.full(ops.keys, OPEN), run.full(ops.keys, NONE), run.full(ops.keys, NONE))
    happened = run.full(len(ops), 0)
    run.kernel(find_writers)(columns, clusters, registers)
    run.kernel(follow_sources)(columns, clusters, registers, happened)
    run.kernel(bound_clusters)(columns, clusters, happened)
    run.kernel(tie_blocks)(columns, clusters, registers)
    ends = ops.ret[ops.certain]
    positions = 1 + max(int(ops.call.max(initial=0)), int(ends.max(initial=0)))
    starts, until, holder = (run.full(rows, NONE) for rows in (positions, ops.keys, ops.keys))
    run.kernel(sweep_blocks)(columns, clusters, registers, starts, (until, holder))
    return Examined(ops=columns, clusters=clusters, registers=registers)


def _tight(ops: RegisterOps) -> RegisterOps:
    """The same with dense positions."""
    positions = np.sort(np.concatenate([ops.call, ops.ret[ops.certain]]))
    ret = np.where(ops.certain, np.searchsorted(positions, ops.ret), FOREVER)
    return replace(ops, call=np.searchsorted(positions, ops.call), ret=ret)


def _number(ops: RegisterOps) -> tuple[int, Ints, Ints]:
    """How many clusters there are, and the cluster that each operation saw and made."""
    seen, made = (np.where(codes == NOTHING, NOTHING, ops.key * ops.codes + codes) for codes in (ops.seen, ops.made))
    sizes = ops.keys * ops.codes
    if sizes > 8 * len(ops) + 64:  # few of the pairs (key, value) occur: number those that do
        used, where = np.unique(np.concatenate([seen, made]), return_inverse=True)
        shift = int(len(used) > 0 and used[0] == NOTHING)
        where = where.reshape(-1) - shift
        initial = np.searchsorted(used, np.arange(ops.keys) * ops.codes + ops.initial)
        occurs = (initial < len(used)) & (used[np.minimum(initial, len(used) - 1)] % ops.codes == ops.initial)
        occurs &= used[np.minimum(initial, len(used) - 1)] // ops.codes == np.arange(ops.keys)
        renumber = np.arange(len(used)) + ops.keys
        renumber[initial[occurs]] = np.flatnonzero(occurs)
        seen, made = np.where(where < 0, NOTHING, renumber[where + shift]).reshape(2, -1)
        return ops.keys + len(used), seen, made
    is_initial = [codes == ops.initial for codes in (ops.seen, ops.made)]
    seen, made = (
        np.where(first, ops.key, np.where(codes == NOTHING, NOTHING, codes + ops.keys))
        for first, codes in zip(is_initial, (seen, made), strict=True)
    )
    return ops.keys + sizes, seen, made


def find_writers(ops: Ops, clusters: Clusters, registers: Registers) -> None:
    """Kernel: the writer of every cluster; a register with two for one value, or one for the initial value,
    is not for us.
    """
    made, key, writer, status = ops.made, ops.key, clusters.writer, registers.status
    for i in range(len(made)):
        cluster = made[i]
        if cluster != NONE:
            if cluster < len(status) or writer[cluster] != NONE:
                status[key[i]] = NOT_UNIQUE
            else:
                writer[cluster] = i


def follow_sources(ops: Ops, clusters: Clusters, registers: Registers, happened: Column) -> None:
    """Kernel: what happened. From every completed operation back to the writer of what it saw, and on from
    there.
    """
    status = registers.status
    for i in range(len(ops.seen)):
        k = ops.key[i]
        if ops.ret[i] == FOREVER or status[k] == NOT_UNIQUE:
            continue
        op = i
        while op != NONE and happened[op] == 0:
            happened[op] = 1
            cluster = ops.seen[op]
            if cluster == NONE:
                break  # a plain write has seen nothing
            source = clusters.writer[cluster]
            wrong, other = OPEN, NONE
            if cluster >= len(status) and source == NONE:
                wrong = PHANTOM
            elif source != NONE and ops.ret[op] < ops.call[source]:
                wrong, other = FUTURE, source
            if ops.made[op] != NONE:
                if clusters.consumer[cluster] != NONE:
                    wrong, other = TWO_CAS, clusters.consumer[cluster]
                else:
                    clusters.consumer[cluster] = op
            if wrong != OPEN and status[k] == OPEN:
                status[k], registers.a[k], registers.b[k] = wrong, op, other
            op = source  # NONE for the initial value


def bound_clusters(ops: Ops, clusters: Clusters, happened: Column) -> None:
    """Kernel: of every cluster the operations with the first response and with the last invocation."""
    first, last = clusters.first, clusters.last
    for i in range(len(happened)):
        if happened[i] == 1:
            cluster = ops.made[i] if ops.made[i] != NONE else ops.seen[i]
            if first[cluster] == NONE or ops.ret[i] < ops.ret[first[cluster]]:
                first[cluster] = i
            if last[cluster] == NONE or ops.call[i] > ops.call[last[cluster]]:
                last[cluster] = i


def tie_blocks(ops: Ops, clusters: Clusters, registers: Registers) -> None:
    """Kernel: tie the clusters that a cas connects, check their inner order, give their bounds to the first
    of them.
    """
    writer, first, role, status = clusters.writer, clusters.first, clusters.role, registers.status
    for head in range(len(writer)):
        if head < len(status):
            k = head
        elif first[head] == NONE or writer[head] == NONE or ops.seen[writer[head]] != NONE:
            continue  # nothing happened with this value, or it is not the first of its block
        else:
            k = ops.key[writer[head]]
        if status[k] == OPEN:
            role[head] = HEAD
            tie_chain(head, k, ops, clusters, registers)
    for cluster in range(len(status), len(writer)):
        if first[cluster] != NONE and role[cluster] == NONE:
            k = ops.key[first[cluster]]
            if status[k] == OPEN:  # no way leads here from a plain write or the initial value
                status[k], registers.a[k] = CYCLE, writer[cluster]


def tie_chain(head: int, k: int, ops: Ops, clusters: Clusters, registers: Registers) -> None:
    """Kernel: walk from cas to cas, from the first cluster of a block of register ``k`` to its last."""
    first, last = clusters.first, clusters.last
    tie = clusters.consumer[head]
    while tie != NONE:
        cluster = ops.made[tie]
        clusters.role[cluster] = FOLLOWER
        if last[head] != NONE and ops.ret[first[cluster]] < ops.call[last[head]]:
            registers.status[k], registers.a[k], registers.b[k] = DISORDER, first[cluster], last[head]
            return
        if first[head] == NONE or ops.ret[first[cluster]] < ops.ret[first[head]]:
            first[head] = first[cluster]
        if last[head] == NONE or ops.call[last[cluster]] > ops.call[last[head]]:
            last[head] = last[cluster]
        tie = clusters.consumer[cluster]


def sweep_blocks(
    ops: Ops, clusters: Clusters, registers: Registers, starts: Column, held: tuple[Column, Column]
) -> None:
    """Kernel: put every block at the position where it begins, sweep, and find two that must each precede the
    other.

    ``held`` is, per register, until where an interval (f, s) reaches that began already, and whose it is.
    """
    first, last, status = clusters.first, clusters.last, registers.status
    until, holder = held
    for block in range(len(first)):
        if clusters.role[block] != HEAD or last[block] == NONE:
            continue
        if block < len(status):  # the initial value was there before everything
            until[block], holder[block] = ops.call[last[block]], block
        else:
            starts[min(ops.ret[first[block]], ops.call[last[block]])] = block
    for position in range(len(starts)):
        block = starts[position]
        if block == NONE:
            continue
        k = ops.key[clusters.writer[block]]
        response, invocation = ops.ret[first[block]], ops.call[last[block]]
        if status[k] != OPEN:
            continue
        if response < until[k]:
            status[k], registers.a[k], registers.b[k] = CONFLICT, holder[k], block
        elif response < invocation:
            until[k], holder[k] = invocation, block
