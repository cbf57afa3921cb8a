"""Linearizability of one register by search, exact, for any values: the kernel for what ``unique`` cannot take.

The search is that of ``wgl`` (which to read first), with configurations whose size depends on the concurrency and not on the length of the
history: (completions passed, bits of the open operations that are placed, state). What is special about registers cuts it further.
Each rule turns one legal order into another, so no answer is lost:

* *Reads first.* A read that is legal now is placed now, without an alternative.
* *Twins.* Of open writes (or cas) with equal values only the one with the earliest completion is tried: two such exchange places freely.
* *No empty effects.* A write that never completed is not placed where it changes nothing.
* *Absorption.* A write that nobody sees is placed right before another write, which hides it. So it needs no branch: when its completion is
  reached it is *absorbed* if some write was placed while it was open. For a write w2 placed when the first missing completion is at position
  D, every operation invoked before D may stand right before w2; ``COVER`` holds D of the last write placed.
* *Seen writes only.* A write that is not absorbed is placed to be seen. So after it no other write is placed until something has seen it
  (``HELD``), for it could be absorbed later instead; except when its own completion forced it, and is passed.

Crashed writes of values that nobody saw are not needed at all: ``prepare`` takes them out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from checkers.linearizable.encode import NOTHING, READ, WRITE, RegisterOps
from checkers.linearizable.jit import Column, Engine, engine
from checkers.linearizable.limits import Found, Limits
from harness.history import FOREVER, Ints
from harness.verdict import Validity

Columns = tuple[Column, ...]

# The mutable scalars of the search, as one column. BEST: the most completions ever passed.
STATE, PASSED, COVER, HELD, DEPTH, STEPS, CONFIGS, BEST = range(8)
# How an operation came to its place: there were alternatives; there were none; it was hidden by the write before.
CHOSEN, FORCED, ABSORBED = range(3)
FREE = 0  # HELD: the next operation may be a write; else 1 + the rank of the write that waits to be seen
NOBODY = -1

# Bits per word of a mask, and a hash that stays below 2^62: no step overflows int64, so plain Python computes the same.
WORD = 62
HASH_PRIME = (1 << 31) - 19
HASH_FACTOR = 1664525  # Knuth and Lewis; see "Numerical Recipes", ch. 7.1
LOW_BITS = (1 << 31) - 1
HEAD = 4  # columns of a remembered configuration before its mask


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """One register's operations, ready to be searched; ``position`` says where each stood before."""

    ops: RegisterOps
    position: Ints
    order: Ints  # the completed ones, in the order of their completions


def prepare(ops: RegisterOps) -> Prepared:
    """The operations of one register without the writes of unknown outcome whose value nobody saw: no answer depends on them."""
    position = np.arange(len(ops))
    while True:
        keep = ops.certain | np.isin(ops.made, ops.seen[ops.seen != NOTHING])
        if keep.all():
            break
        ops, position = ops.take(keep), position[keep]
    certain = np.flatnonzero(ops.certain)
    return Prepared(ops=ops, position=position, order=certain[np.argsort(ops.ret[certain])])


def search(prepared: Prepared, limits: Limits) -> Found:
    """Whether the register is linearizable."""
    n, completed = len(prepared.ops), len(prepared.order)
    configs = min(limits.configs, limits.steps)
    run = engine(min(limits.steps, max(configs, n) * _STEPS_PER_CONFIG))
    data, links, words = _columns(run, prepared)
    table = run.full(_capacity(configs) * (HEAD + words), 0)
    regs = run.full(8, 0)
    regs[STATE], regs[COVER] = prepared.ops.initial, NOBODY
    answer = run.kernel(explore)(
        data,
        links,
        (run.full(n, 0), run.full(words, 0)),
        tuple(run.full(n + 1, 0) for _ in range(6)),
        table,
        regs,
        min(limits.steps, FOREVER - 1),
        configs,
    )
    explained, steps = int(regs[BEST]), int(regs[STEPS])
    validity = Validity(int(answer))
    stuck = int(prepared.position[prepared.order[explained]]) if validity is Validity.INVALID else None
    return Found(validity=validity, steps=steps, explained=explained, completed=completed, stuck=stuck)


_STEPS_PER_CONFIG = 8  # about; it decides whether compiling pays for itself


def _capacity(configs: int) -> int:
    """Rows of the table: a power of two that stays a third empty."""
    return 1 << (configs + configs // 2 + 2).bit_length()


def _columns(run: Engine, prepared: Prepared) -> tuple[Columns, Columns, int]:
    """What the kernel reads, the list of unplaced operations (next, previous; its head is one past the last), and the words of a mask."""
    ops, order = prepared.ops, prepared.order
    n = len(ops)
    rank = np.full(n, len(order))
    rank[order] = np.arange(len(order))
    call, ret, in_order = run.column(ops.call), run.column(ops.ret), run.column(order)
    slot = run.full(n, 0)
    used = run.kernel(assign_slots)(call, ret, in_order, slot, run.full(n, 0))
    words = max(1, -(-int(used) // WORD))
    following = run.column(np.concatenate([np.arange(1, n + 1), [0]]) if n else np.zeros(1))
    previous = run.column(np.arange(-1, n) % (n + 1))
    data = (run.column(ops.kind), run.column(ops.seen), run.column(ops.made), call, ret, slot, run.column(rank), in_order)
    return data, (following, previous), words


def assign_slots(call: Column, ret: Column, order: Column, slot: Column, free: Column) -> int:
    """Kernel: give every operation a bit that no other has while it is open; returns how many bits that takes."""
    used, spare, passed = 0, 0, 0
    for i in range(len(call)):
        while passed < len(order) and ret[order[passed]] < call[i]:
            free[spare] = slot[order[passed]]
            spare += 1
            passed += 1
        if spare > 0:
            spare -= 1
            slot[i] = free[spare]
        else:
            slot[i] = used
            used += 1
    return used


def explore(
    data: Columns,
    links: Columns,
    marks: Columns,
    stack: Columns,
    table: Column,
    regs: Column,
    steps_max: int,
    configs_max: int,
) -> int:
    """Kernel: depth-first through the configurations. 0 valid, 1 out of budget, 2 invalid: the values of Validity."""
    kind, call, order = data[0], data[3], data[7]
    following = links[0]
    end = len(kind)
    while True:
        settle(data, links, marks, stack, regs)
        if regs[PASSED] == len(order):
            return 0
        if regs[STEPS] >= steps_max or regs[CONFIGS] >= configs_max:
            return 1
        chosen, how = NOBODY, CHOSEN
        if remember(data, links, marks, table, regs):
            due = order[regs[PASSED]]
            if kind[due] == WRITE and call[due] < regs[COVER]:
                chosen, how = due, ABSORBED
            else:
                chosen = choose(following[end], data, links, regs)
        while chosen == NOBODY:
            if regs[DEPTH] == 0:
                return 2
            undone = undo(data, links, marks, stack, regs)
            how = stack[1][regs[DEPTH]]
            if how == FORCED:
                continue
            chosen = choose(following[end] if how == ABSORBED else following[undone], data, links, regs)
            how = CHOSEN
        place(chosen, how, data, links, marks, stack, regs)


def settle(data: Columns, links: Columns, marks: Columns, stack: Columns, regs: Column) -> None:
    """Place every read that is legal now. One pass is enough: the state stays, and new operations stand behind."""
    kind, seen, call, ret, order = data[0], data[1], data[3], data[4], data[7]
    following = links[0]
    end = len(kind)
    i = following[end]
    while i != end and regs[PASSED] < len(order) and call[i] < ret[order[regs[PASSED]]]:
        regs[STEPS] += 1
        after = following[i]
        if kind[i] == READ and seen[i] == regs[STATE]:
            place(i, FORCED, data, links, marks, stack, regs)
        i = after


def choose(cursor: int, data: Columns, links: Columns, regs: Column) -> int:
    """The first open write or cas from ``cursor`` on that is worth a try; NOBODY if there is none."""
    kind, seen, made, call, ret, order = data[0], data[1], data[2], data[3], data[4], data[7]
    following = links[0]
    end = len(kind)
    deadline = ret[order[regs[PASSED]]]
    i = cursor
    while i != end and call[i] < deadline:
        regs[STEPS] += 1
        if kind[i] == WRITE:
            able = regs[HELD] == FREE and (ret[i] != FOREVER or made[i] != regs[STATE])
        else:
            able = kind[i] != READ and seen[i] == regs[STATE]
        if able and not has_earlier_twin(i, deadline, data, links, regs):
            return i
        i = following[i]
    return NOBODY


def has_earlier_twin(i: int, deadline: int, data: Columns, links: Columns, regs: Column) -> bool:
    """Whether an open operation of the same effect as ``i`` must complete before it (or stands before it, if neither ever completes)."""
    kind, seen, made, call, rank = data[0], data[1], data[2], data[3], data[6]
    following = links[0]
    end = len(kind)
    k = following[end]
    while k != end and call[k] < deadline:
        if made[k] == made[i] and kind[k] == kind[i] and seen[k] == seen[i]:
            if rank[k] < rank[i] or (rank[k] == rank[i] and k < i):
                regs[STEPS] += 1
                return True
        k = following[k]
    return False


def place(i: int, how: int, data: Columns, links: Columns, marks: Columns, stack: Columns, regs: Column) -> None:
    """Put operation ``i`` next in the order, pass the completions that are due, and remember how to undo it."""
    kind, made, ret, slot, rank, order = data[0], data[2], data[4], data[5], data[6], data[7]
    following, previous = links
    placed, mask = marks
    depth, passed = regs[DEPTH], regs[PASSED]
    stack[0][depth], stack[1][depth], stack[2][depth] = i, how, regs[STATE]
    stack[3][depth], stack[4][depth], stack[5][depth] = passed, regs[COVER], regs[HELD]
    regs[DEPTH] = depth + 1
    following[previous[i]], previous[following[i]] = following[i], previous[i]
    placed[i] = 1
    mask[slot[i] // WORD] |= 1 << (slot[i] % WORD)
    if how != ABSORBED:
        regs[HELD] = FREE
        if made[i] != NOTHING:
            regs[STATE] = made[i]
        if kind[i] == WRITE:
            regs[COVER], regs[HELD] = ret[order[passed]], rank[i] + 1
    while passed < len(order) and placed[order[passed]] == 1:
        done = slot[order[passed]]
        mask[done // WORD] &= ~(1 << (done % WORD))
        passed += 1
    regs[PASSED], regs[BEST] = passed, max(regs[BEST], passed)
    if regs[HELD] <= passed:  # its rank is below: its completion is passed
        regs[HELD] = FREE


def undo(data: Columns, links: Columns, marks: Columns, stack: Columns, regs: Column) -> int:
    """Take back the operation placed last, and return it."""
    slot, order = data[5], data[7]
    following, previous = links
    placed, mask = marks
    depth = regs[DEPTH] - 1
    i = stack[0][depth]
    for passed in range(stack[3][depth], regs[PASSED]):
        open_again = slot[order[passed]]
        mask[open_again // WORD] |= 1 << (open_again % WORD)
    mask[slot[i] // WORD] &= ~(1 << (slot[i] % WORD))
    placed[i] = 0
    following[previous[i]], previous[following[i]] = i, i
    regs[DEPTH], regs[STATE] = depth, stack[2][depth]
    regs[PASSED], regs[COVER], regs[HELD] = stack[3][depth], stack[4][depth], stack[5][depth]
    return i


def remember(data: Columns, links: Columns, marks: Columns, table: Column, regs: Column) -> bool:
    """Note the configuration; False if it was noted before. Two covers are the same if they allow the same open writes to be absorbed."""
    kind, call, ret, order = data[0], data[3], data[4], data[7]
    following, mask = links[0], marks[1]
    end, passed = len(kind), regs[PASSED]
    cover, i = 0, following[end]
    while i != end and call[i] < regs[COVER]:
        if kind[i] == WRITE and ret[i] != FOREVER:
            cover = call[i] + 1
        i = following[i]
    width = HEAD + len(mask)
    capacity = len(table) // width
    h = mix(mix(mix(mix(1, passed), regs[STATE]), cover), regs[HELD])
    for word in range(len(mask)):
        h = mix(mix(h, mask[word]), mask[word] >> 31)
    row = h % capacity
    while table[row * width] != 0:
        if same(table, row * width, passed, cover, mask, regs):
            return False
        row = (row + 1) % capacity
    at = row * width
    table[at], table[at + 1], table[at + 2], table[at + 3] = passed + 1, regs[STATE], cover, regs[HELD]
    for word in range(len(mask)):
        table[at + HEAD + word] = mask[word]
    regs[CONFIGS] += 1
    return True


def same(table: Column, at: int, passed: int, cover: int, mask: Column, regs: Column) -> bool:
    """Whether the configuration noted at ``at`` is the present one."""
    if table[at] != passed + 1 or table[at + 1] != regs[STATE] or table[at + 2] != cover or table[at + 3] != regs[HELD]:
        return False
    for word in range(len(mask)):
        if table[at + HEAD + word] != mask[word]:
            return False
    return True


def mix(h: int, x: int) -> int:
    """A hash below 2^31 of two numbers."""
    return ((h ^ (x & LOW_BITS)) * HASH_FACTOR + 12345) % HASH_PRIME
