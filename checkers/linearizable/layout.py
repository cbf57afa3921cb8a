"""One register's operations laid out for the compiled searches: columns, and a bit for every open operation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from checkers.kernels.engine import Column, Engine
from checkers.linearizable.encode import NOTHING, RegisterOps
from checkers.linearizable.steps import TABLED
from harness.history import FOREVER, Ints

# Bits per word of a mask, and a hash that stays below 2^62: no step overflows int64, so plain Python computes
# the same.
WORD = 62
HASH_PRIME = (1 << 31) - 19
HASH_FACTOR = 1664525  # Knuth and Lewis; see "Numerical Recipes", ch. 7.1
LOW_BITS = (1 << 31) - 1
_NONE = np.zeros(0, dtype=np.int64)
NO_EDGES = (_NONE, _NONE, _NONE)
MOVE = 3  # columns of an entry of the table of moves: 1 + state, kind of call, state after
FACTS = 4  # numbers per call of a model whose state is an integer: f, argument, result, known


class Data(NamedTuple):
    """What the search reads: one entry per operation, in invocation order; ``order`` lists the completed ones
    by their completions.

    An append leads from the state s to the target of the entry from ``edges[s]`` to before ``edges[s + 1]`` whose
    token it made, if there is one, else to DEAD.

    ``slot`` is the bit of an operation in masks, ``rank`` its place in ``order`` (the length of ``order`` if
    it never completed). ``facts`` are what ``steps.step_of`` asks for.
    """

    kind: Column
    seen: Column
    made: Column
    call: Column
    ret: Column
    slot: Column
    rank: Column
    order: Column
    edges: Column
    tokens: Column
    targets: Column
    facts: Column


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """One register's operations, ready to be searched; ``position`` says where each stood before."""

    ops: RegisterOps
    position: Ints
    order: Ints  # the completed ones, in the order of their completions
    edges: tuple[Ints, Ints, Ints] = NO_EDGES
    form: int = TABLED  # of steps
    facts: Ints = field(default_factory=lambda: _NONE)


def prepare(ops: RegisterOps) -> Prepared:
    """The operations of one register without the writes of unknown outcome whose value nobody saw: no answer
    depends on them.
    """
    position = np.arange(len(ops))
    while True:
        keep = ops.certain | np.isin(ops.made, ops.seen[ops.seen != NOTHING])
        if keep.all():
            break
        ops, position = ops.take(keep), position[keep]
    certain = np.flatnonzero(ops.certain)
    return Prepared(ops=ops, position=position, order=certain[np.argsort(ops.ret[certain])])


def data_of(run: Engine, prepared: Prepared) -> tuple[Data, int, Ints]:
    """What a search reads, how many words a mask takes, and the mask of all that never completed."""
    ops, order, n = prepared.ops, prepared.order, len(prepared.ops)
    rank = np.full(n, len(order))
    rank[order] = np.arange(len(order))
    call, ret, in_order, slot = run.column(ops.call), run.column(ops.ret), run.column(order), run.full(n, 0)
    used = run.kernel(assign_slots)(call, ret, in_order, slot, run.full(n, 0))
    words = max(1, -(-int(used) // WORD))
    lasting = np.zeros(words, dtype=np.int64)
    for bit in np.asarray(slot, dtype=np.int64)[ops.ret == FOREVER].tolist():
        lasting[bit // WORD] |= 1 << (bit % WORD)
    edges, tokens, targets = prepared.edges
    data = Data(
        kind=run.column(ops.kind),
        seen=run.column(ops.seen),
        made=run.column(ops.made),
        call=call,
        ret=ret,
        slot=slot,
        rank=run.column(rank),
        order=in_order,
        edges=run.column(edges),
        tokens=run.column(tokens),
        targets=run.column(targets),
        facts=run.column(prepared.facts),
    )
    return data, words, lasting


def assign_slots(call: Column, ret: Column, order: Column, slot: Column, free: Column) -> int:
    """Kernel: give every operation a bit that no other has while it is open, and those that never completed one for
    themselves alone; returns how many bits that takes.
    """
    used, spare, passed = 0, 0, 0
    for i in range(len(call)):
        while passed < len(order) and ret[order[passed]] < call[i]:
            free[spare] = slot[order[passed]]
            spare += 1
            passed += 1
        if spare > 0 and ret[i] != FOREVER:
            spare -= 1
            slot[i] = free[spare]
        else:
            slot[i] = used
            used += 1
    return used


def mix(h: int, x: int) -> int:
    """A hash below 2^31 of two numbers."""
    return ((h ^ (x & LOW_BITS)) * HASH_FACTOR + 12345) % HASH_PRIME
