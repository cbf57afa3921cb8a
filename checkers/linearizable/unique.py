"""Linearizability of registers to which every value is written once: exact, in linear time whatever the concurrency.

Source: Gibbons and Korach, "Testing Shared Memories" (SIAM J. Comput. 1997), extended here to cas and to calls of unknown outcome.

If each value has one writer, the operations on a value (its writer and all that saw it) form a *cluster*, and the clusters of a register
follow one another without mixing. A successful cas(a → b) ties the cluster of b behind that of a; clusters tied in this way are a *block* of
fixed inner order. Let f be the first response in a block and s the last invocation. Block A must precede block B iff f(A) < s(B): something of A
ended before something of B began. So the register is linearizable iff

1. every value seen was written by someone, and not only after it was seen;
2. within a block no later cluster has a response before an invocation of an earlier one;
3. no two blocks must each precede the other. (Longer cycles contain such a pair: the block M with the greatest s on a cycle is preceded by
   every block of the cycle, because each ends something before the next one's s, which is at most s(M); and M precedes its successor.)

Blocks with f < s occupy the interval (f, s) and must be disjoint; a block with s < f must not lie inside such an interval; any two of the
latter kind get along. One sweep over the positions of the history decides that, for all registers at once.

A write or cas that never completed happened iff something that happened saw its value: then it has no response, else it is as if it had never
been (an unseen effect can be taken out of any legal order). A register to which one value is written twice, or the initial value, is
left to the search: ``NOT_UNIQUE``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from checkers.linearizable.encode import NOTHING, RegisterOps
from checkers.linearizable.jit import Column, Engine, engine
from harness.history import FOREVER, Ints

# What became of a register. OPEN stands for linearizable once all kernels have run.
OPEN, NOT_UNIQUE, PHANTOM, FUTURE, TWO_CAS, DISORDER, CYCLE, CONFLICT = range(8)
NONE = -1
FIRST = -1  # the position of the initial write: before everything

# Plain steps per operation, about: it decides whether compiling pays for itself.
_STEPS_PER_OP = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """What the kernels found, per register (``status``, and the two operations or blocks that show it) and per cluster.

    The cluster of a register's initial value has the register's number. ``first`` and ``last`` are the operations of a cluster with the first
    response and the last invocation; of a block's first cluster, those of the whole block. ``consumer`` is the cas that replaced its value.
    PHANTOM: ``a`` saw a value that nobody wrote. FUTURE: ``a`` saw the value of ``b``, which was invoked later. TWO_CAS: ``a`` and ``b``
    replaced the same value. DISORDER: ``a`` belongs behind ``b`` but ended before it began. CYCLE: ``a`` depends on itself.
    CONFLICT: blocks ``a`` and ``b``, named by their first clusters.
    """

    status: Column
    a: Column
    b: Column
    writer: Column
    consumer: Column
    first: Column
    last: Column
    happened: Column
    seen: Column
    made: Column


def examine(ops: RegisterOps) -> Clusters:
    """All registers of ``ops`` at once; their number is ``ops.keys``."""
    clusters, seen, made = _number(ops)
    run = engine(_STEPS_PER_OP * len(ops))
    return _run(run, ops, clusters, seen, made)


def _run(run: Engine, ops: RegisterOps, clusters: int, seen_: Ints, made_: Ints) -> Clusters:
    seen, made, call, ret, key = (run.column(c) for c in (seen_, made_, ops.call, ops.ret, ops.key))
    status, a, b = run.full(ops.keys, OPEN), run.full(ops.keys, NONE), run.full(ops.keys, NONE)
    writer, consumer, first, last = (run.full(clusters, NONE) for _ in range(4))
    happened = run.full(len(ops), 0)
    run.kernel(find_writers)(made, key, status, writer)
    run.kernel(follow_sources)(seen, made, call, ret, key, writer, consumer, happened, status, a, b)
    run.kernel(bound_clusters)(seen, made, call, ret, happened, first, last)
    done = run.full(clusters, 0)
    run.kernel(tie_blocks)(seen, made, call, ret, key, writer, consumer, first, last, done, status, a, b)
    finite = ops.ret[ops.ret != FOREVER]
    positions = 1 + max(int(ops.call.max(initial=FIRST)), int(finite.max(initial=FIRST)))
    starts, until, holder = run.full(positions, NONE), run.full(ops.keys, NONE), run.full(ops.keys, NONE)
    run.kernel(sweep_blocks)(call, ret, key, writer, first, last, done, starts, until, holder, status, a, b)
    return Clusters(
        status=status,
        a=a,
        b=b,
        writer=writer,
        consumer=consumer,
        first=first,
        last=last,
        happened=happened,
        seen=seen,
        made=made,
    )


def _number(ops: RegisterOps) -> tuple[int, Ints, Ints]:
    """How many clusters there are, and the cluster that each operation saw and made."""
    seen, made = (
        np.where(codes == NOTHING, NOTHING, ops.key * ops.codes + codes) for codes in (ops.seen, ops.made)
    )
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


def find_writers(made: Column, key: Column, status: Column, writer: Column) -> None:
    """Kernel: the writer of every cluster; a register with two for one value, or one for the initial value, is not for us."""
    registers = len(status)
    for i in range(len(made)):
        cluster = made[i]
        if cluster >= 0:
            if cluster < registers or writer[cluster] >= 0:
                status[key[i]] = NOT_UNIQUE
            else:
                writer[cluster] = i


def follow_sources(
    seen: Column,
    made: Column,
    call: Column,
    ret: Column,
    key: Column,
    writer: Column,
    consumer: Column,
    happened: Column,
    status: Column,
    a: Column,
    b: Column,
) -> None:
    """Kernel: what happened. From every completed operation back to the writer of what it saw, and on from there."""
    registers = len(status)
    for i in range(len(seen)):
        k = key[i]
        if ret[i] == FOREVER or status[k] == NOT_UNIQUE:
            continue
        op = i
        while happened[op] == 0:
            happened[op] = 1
            cluster = seen[op]
            if cluster < 0:
                break  # a plain write has seen nothing
            wrong, other = OPEN, NONE
            source = writer[cluster]
            if made[op] >= 0 and consumer[cluster] >= 0:
                wrong, other = TWO_CAS, consumer[cluster]
            elif cluster >= registers and source < 0:
                wrong = PHANTOM
            elif source >= 0 and ret[op] < call[source]:
                wrong, other = FUTURE, source
            if made[op] >= 0 and consumer[cluster] < 0:
                consumer[cluster] = op
            if wrong != OPEN:
                if status[k] == OPEN:
                    status[k], a[k], b[k] = wrong, op, other
                break
            if source < 0:
                break  # the initial value
            op = source


def bound_clusters(
    seen: Column, made: Column, call: Column, ret: Column, happened: Column, first: Column, last: Column
) -> None:
    """Kernel: of every cluster the operations with the first response and with the last invocation."""
    for i in range(len(seen)):
        if happened[i] == 1:
            cluster = made[i] if made[i] >= 0 else seen[i]
            if first[cluster] < 0 or ret[i] < ret[first[cluster]]:
                first[cluster] = i
            if last[cluster] < 0 or call[i] > call[last[cluster]]:
                last[cluster] = i


def tie_blocks(
    seen: Column,
    made: Column,
    call: Column,
    ret: Column,
    key: Column,
    writer: Column,
    consumer: Column,
    first: Column,
    last: Column,
    done: Column,
    status: Column,
    a: Column,
    b: Column,
) -> None:
    """Kernel: tie clusters that a cas connects, check their inner order, give their bounds to the first cluster (``done`` 1, the others 2)."""
    registers = len(status)
    for head in range(len(first)):
        if head >= registers and (first[head] < 0 or writer[head] < 0 or seen[writer[head]] >= 0):
            continue
        k = head if head < registers else key[writer[head]]
        if status[k] != OPEN:
            continue
        done[head] = 1
        tie = consumer[head]
        while tie >= 0:
            cluster = made[tie]
            done[cluster] = 2
            if last[head] >= 0 and ret[first[cluster]] < call[last[head]]:
                status[k], a[k], b[k] = DISORDER, first[cluster], last[head]
                break
            if first[head] < 0 or ret[first[cluster]] < ret[first[head]]:
                first[head] = first[cluster]
            if last[head] < 0 or call[last[cluster]] > call[last[head]]:
                last[head] = last[cluster]
            tie = consumer[cluster]
    for cluster in range(registers, len(first)):
        if first[cluster] >= 0 and done[cluster] == 0:
            k = key[first[cluster]]
            if status[k] == OPEN:  # no way leads here from a plain write or the initial value
                status[k], a[k] = CYCLE, writer[cluster]


def sweep_blocks(
    call: Column,
    ret: Column,
    key: Column,
    writer: Column,
    first: Column,
    last: Column,
    done: Column,
    starts: Column,
    until: Column,
    holder: Column,
    status: Column,
    a: Column,
    b: Column,
) -> None:
    """Kernel: put every block at the position where it begins, sweep, and find two that must each precede the other."""
    registers = len(status)
    for block in range(len(first)):
        if done[block] != 1 or last[block] < 0:
            continue
        if block < registers:  # the initial value was there before everything
            until[block], holder[block] = call[last[block]], block
        elif ret[first[block]] < call[last[block]]:
            starts[ret[first[block]]] = block
        else:
            starts[call[last[block]]] = block
    for position in range(len(starts)):
        block = starts[position]
        if block < 0:
            continue
        k = key[writer[block]]
        if status[k] != OPEN:
            continue
        response, invocation = ret[first[block]], call[last[block]]
        if response < invocation:
            if position < until[k]:
                status[k], a[k], b[k] = CONFLICT, holder[k], block
            elif invocation > until[k]:
                until[k], holder[k] = invocation, block
        elif response < until[k]:
            status[k], a[k], b[k] = CONFLICT, holder[k], block
