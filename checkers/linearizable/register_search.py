"""Linearizability of one register by search, exact, for any values: the kernel for what ``unique`` cannot
take.

The search is that of ``wgl`` (which to read first), with configurations whose size depends on the
concurrency and not on the length of the history: (completions passed, bits of the open operations that are
placed, state). What is special about registers cuts it further. Each rule turns one legal order into another,
so no answer is lost:

* *Reads first.* A read that is legal now is placed now, without an alternative.
* *Twins.* Of open writes (or cas) with equal values only the one with the earliest completion is tried: two
  such exchange places freely.
* *No empty effects.* A write that never completed is not placed where it changes nothing.
* *Absorption.* A write that nobody sees is placed right before another write, which hides it. So it needs no
  branch: when its completion is reached it is *absorbed* if some write was placed while it was open. For a
  write w2 placed when the first missing completion is at position D, every operation invoked before D may
  stand right before w2; ``COVER`` holds D of the last write placed.
* *Seen writes only.* A write that is not absorbed is placed to be seen. So after it no other write is placed
  until something has seen it (``HELD``), for it could be absorbed later instead; except when its own
  completion forced it, and is passed.
* *Appends* hide in a later write as writes do. A state that is no beginning of any value read is DEAD: no read is
  legal until the next write. What is appended between such a moment and that write may stand in any order, so an
  append that leads there is tried only when its completion is the first missing one; if the write comes earlier,
  the append is absorbed.

* *Fewer crashed ones.* A configuration is hopeless if another one, the same but for fewer of the operations that
  never completed, was seen before: what is left over need not happen. So completed operations are tried first.

Crashed writes of values that nobody saw are not needed at all: ``prepare`` takes them out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from checkers.kernels.engine import Column, Engine, engine
from checkers.linearizable.encode import APPEND, CAS, LOOK, NOTHING, READ, STEP, WRITE
from checkers.linearizable.layout import FACTS, MOVE, WORD, Data, Prepared, data_of, mix
from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.steps import ILLEGAL, TABLED, step_of
from harness.history import FOREVER
from harness.verdict import Validity

# The mutable scalars of the search, as one column. BEST: the most completions ever passed.
STATE, PASSED, COVER, HELD, DEPTH, STEPS, CONFIGS, BEST, FORM, UNTIL = range(10)
# Beside the values of Validity: a move is missing (see ``tabled``) for a call invoked before position UNTIL.
WANTING = 3
MISSING = ILLEGAL - 1
# How an operation came to its place: there were alternatives; there were none; it was hidden by the write
# before.
CHOSEN, FORCED, ABSORBED = range(3)
FREE = 0  # HELD: the next operation may be a write; else 1 + the rank of the write that waits to be seen
NOBODY = -1
# The state that no read sees, whatever is appended.
DEAD = -2

# Steps per operation of an easy history, about: it decides whether compiling pays for itself.
STEPS_PER_OP = 8
_BYTES_PER_WORD = 8
HEAD = 4  # columns of a remembered configuration before its mask


class Unplaced(NamedTuple):
    """The operations that are not placed yet, as a ring in invocation order; its head is the number of
    operations.
    """

    after: Column
    before: Column


class Stack(NamedTuple):
    """One entry per placed operation: which, how, and the scalars before it."""

    op: Column
    how: Column
    state: Column
    passed: Column
    cover: Column
    held: Column


class Search(NamedTuple):
    """A search in progress. ``mask`` has the bits of the open operations that are placed, ``lasting`` those of all
    that never completed; ``table`` the configurations seen.
    """

    data: Data
    unplaced: Unplaced
    placed: Column
    mask: Column
    lasting: Column
    moves: Column
    stack: Stack
    table: Column
    regs: Column


def search(prepared: Prepared, limits: Limits, run: Engine | None = None) -> Found:
    """Whether the register is linearizable; ``run`` is the engine to use, if not the one for its length."""
    run = run or engine(min(limits.steps, len(prepared.ops) * STEPS_PER_OP))
    world, configs = begin(run, prepared, limits)
    answer = run.kernel(explore)(world, min(limits.steps, FOREVER - 1), configs)
    return told(world, prepared, Validity(int(answer)))


def told(world: Search, prepared: Prepared, validity: Validity) -> Found:
    """What the search found, once it has ended."""
    completed = len(prepared.order)
    explained, steps = int(world.regs[BEST]), int(world.regs[STEPS])
    stuck = int(prepared.position[prepared.order[explained]]) if validity is Validity.INVALID else None
    return Found(validity=validity, steps=steps, explained=explained, completed=completed, stuck=stuck)


def begin(run: Engine, prepared: Prepared, limits: Limits) -> tuple[Search, int]:
    """A search that has placed nothing yet, and how many configurations it may remember."""
    n = len(prepared.ops)
    data, words, lasting = data_of(run, prepared)
    configs = min(limits.configs, limits.steps)
    while configs > 1 and _capacity(configs) * (HEAD + words) * _BYTES_PER_WORD > limits.bytes:
        configs //= 2
    regs = run.full(UNTIL + 1, 0)
    regs[STATE], regs[COVER], regs[FORM] = prepared.ops.initial, NOBODY, prepared.form
    world = Search(
        data=data,
        unplaced=Unplaced(run.column(np.arange(1, n + 2) % (n + 1)), run.column(np.arange(-1, n) % (n + 1))),
        placed=run.full(n, 0),
        mask=run.full(words, 0),
        lasting=run.column(lasting),
        moves=run.full(MOVE, 0),
        stack=Stack(*(run.full(n + 1, 0) for _ in range(6))),
        table=run.full(_capacity(configs) * (HEAD + words), 0),
        regs=regs,
    )
    return world, configs


def _capacity(configs: int) -> int:
    """Rows of the table: a power of two that stays a third empty."""
    return 1 << (configs + configs // 2 + 2).bit_length()


def explore(world: Search, steps_max: int, configs_max: int) -> int:
    """Kernel: depth-first through the configurations. 0 valid, 1 out of budget, 2 invalid: the values of
    Validity.
    """
    data, regs = world.data, world.regs
    end = len(data.kind)
    while True:
        if not settle(world):
            return WANTING
        if regs[PASSED] == len(data.order):
            return 0
        if regs[STEPS] >= steps_max or regs[CONFIGS] >= configs_max:
            return 1
        chosen, how = NOBODY, CHOSEN
        if remember(world):
            due = data.order[regs[PASSED]]
            if (data.kind[due] == WRITE or data.kind[due] == APPEND) and data.call[due] < regs[COVER]:
                chosen, how = due, ABSORBED
            else:
                chosen = choose(end, world)
        while chosen == NOBODY:
            if regs[DEPTH] == 0:
                return 2
            undone = undo(world)
            how = world.stack.how[regs[DEPTH]]
            if how != FORCED:
                chosen = choose(end if how == ABSORBED else undone, world)
                how = CHOSEN
        place(chosen, how, world)


def settle(world: Search) -> bool:
    """Place every read that is legal now; False if nobody knows. One pass is enough: the state stays, and new operations stand
    behind.
    """
    data, after, regs = world.data, world.unplaced.after, world.regs
    end, completed = len(data.kind), len(data.order)
    i = after[end]
    while i != end and regs[PASSED] < completed and data.call[i] < data.ret[data.order[regs[PASSED]]]:
        regs[STEPS] += 1
        behind = after[i]
        if data.kind[i] >= STEP and leads_to(i, world) == MISSING:
            regs[UNTIL] = data.ret[data.order[regs[PASSED]]]
            return False
        seen = data.kind[i] == READ and data.seen[i] == regs[STATE]
        if seen or (data.kind[i] == LOOK and leads_to(i, world) == regs[STATE]):
            place(i, FORCED, world)
        i = behind
    return True


def choose(last: int, world: Search) -> int:
    """The write or cas that is worth a try after ``last`` (the ring's head: none was tried); NOBODY if there is none.

    In the order of invocations, first those that completed.
    """
    data, after = world.data, world.unplaced.after
    end = len(data.kind)
    found = NOBODY
    if last == end or data.ret[last] != FOREVER:
        found = choose_among(after[last], False, world)
        last = end
    return found if found != NOBODY else choose_among(after[last], True, world)


def choose_among(cursor: int, crashed: bool, world: Search) -> int:
    """The first open write or cas from ``cursor`` on, of those that ``crashed`` or of the others, that is worth a try."""
    data, after, regs = world.data, world.unplaced.after, world.regs
    end = len(data.kind)
    deadline = data.ret[data.order[regs[PASSED]]]
    i = cursor
    while i != end and data.call[i] < deadline:
        regs[STEPS] += 1
        if (data.ret[i] == FOREVER) != crashed:
            able = False
        elif data.kind[i] == WRITE:
            able = regs[HELD] == FREE and (data.ret[i] != FOREVER or data.made[i] != regs[STATE])
        elif data.kind[i] == APPEND:
            able = leads_to(i, world) != DEAD or i == data.order[regs[PASSED]]
        elif data.kind[i] == STEP:
            then = leads_to(i, world)
            able = then != ILLEGAL and (data.ret[i] != FOREVER or then != regs[STATE])
        else:
            able = data.kind[i] == CAS and data.seen[i] == regs[STATE]
        if able and not has_earlier_twin(i, deadline, world):
            return i
        i = after[i]
    return NOBODY


def leads_to(i: int, world: Search) -> int:
    """The state that the append, step or look ``i`` leaves behind: DEAD or ILLEGAL where there is none, MISSING if nobody knows."""
    data, state, form = world.data, world.regs[STATE], world.regs[FORM]
    if data.kind[i] == APPEND:
        if state >= 0:
            for at in range(data.edges[state], data.edges[state + 1]):
                if data.tokens[at] == data.made[i]:
                    return data.targets[at]
        return DEAD
    if form == TABLED:
        return look_up(state, data.made[i], world.moves)
    at, facts = i * FACTS, data.facts
    return step_of(form, state, facts[at], facts[at + 1], facts[at + 2], facts[at + 3])


def look_up(state: int, kind: int, moves: Column) -> int:
    """What a kind of call does to a state, as far as that is known."""
    capacity = len(moves) // MOVE
    row = mix(mix(1, state), kind) % capacity
    while moves[row * MOVE] != 0:
        if moves[row * MOVE] == state + 1 and moves[row * MOVE + 1] == kind:
            return moves[row * MOVE + 2]
        row = (row + 1) % capacity
    return MISSING


def has_earlier_twin(i: int, deadline: int, world: Search) -> bool:
    """Whether an open operation of the same effect as ``i`` completes before it (or stands before it, if
    neither ever does).
    """
    data, after, regs = world.data, world.unplaced.after, world.regs
    end = len(data.kind)
    k = after[end]
    while k != end and data.call[k] < deadline:
        regs[STEPS] += 1
        twin = data.made[k] == data.made[i] and data.kind[k] == data.kind[i] and data.seen[k] == data.seen[i]
        if twin and (data.rank[k] < data.rank[i] or (data.rank[k] == data.rank[i] and k < i)):
            return True
        k = after[k]
    return False


def place(i: int, how: int, world: Search) -> None:
    """Put operation ``i`` next in the order, pass the completions that are due, and note how to undo it."""
    data, stack, placed, mask, regs = world.data, world.stack, world.placed, world.mask, world.regs
    after, before = world.unplaced.after, world.unplaced.before
    depth, passed = regs[DEPTH], regs[PASSED]
    stack.op[depth], stack.how[depth], stack.state[depth] = i, how, regs[STATE]
    stack.passed[depth], stack.cover[depth], stack.held[depth] = passed, regs[COVER], regs[HELD]
    regs[DEPTH] = depth + 1
    after[before[i]], before[after[i]] = after[i], before[i]
    placed[i] = 1
    mask[data.slot[i] // WORD] |= 1 << (data.slot[i] % WORD)
    if how != ABSORBED:
        regs[HELD] = FREE
        if data.kind[i] >= APPEND:
            regs[STATE] = leads_to(i, world)
        elif data.made[i] != NOTHING:
            regs[STATE] = data.made[i]
        if data.kind[i] == WRITE:
            regs[COVER], regs[HELD] = data.ret[data.order[passed]], data.rank[i] + 1
    while passed < len(data.order) and placed[data.order[passed]] == 1:
        slot = data.slot[data.order[passed]]
        mask[slot // WORD] &= ~(1 << (slot % WORD))
        passed += 1
    regs[PASSED], regs[BEST] = passed, max(regs[BEST], passed)
    if regs[HELD] <= passed:  # the rank is one less: that completion is passed
        regs[HELD] = FREE


def undo(world: Search) -> int:
    """Take back the operation placed last, and return it."""
    data, stack, placed, mask, regs = world.data, world.stack, world.placed, world.mask, world.regs
    after, before = world.unplaced.after, world.unplaced.before
    depth = regs[DEPTH] - 1
    i = stack.op[depth]
    for passed in range(stack.passed[depth], regs[PASSED]):
        slot = data.slot[data.order[passed]]
        mask[slot // WORD] |= 1 << (slot % WORD)
    mask[data.slot[i] // WORD] &= ~(1 << (data.slot[i] % WORD))
    placed[i] = 0
    after[before[i]], before[after[i]] = i, i
    regs[DEPTH], regs[STATE] = depth, stack.state[depth]
    regs[PASSED], regs[COVER], regs[HELD] = stack.passed[depth], stack.cover[depth], stack.held[depth]
    return i


def remember(world: Search) -> bool:
    """Note the configuration; False if it, or one with fewer crashed operations, was noted before. Two covers are one
    if they let the same open writes be absorbed.
    """
    data, after, mask, table, regs = world.data, world.unplaced.after, world.mask, world.table, world.regs
    lasting = world.lasting
    end, passed = len(data.kind), regs[PASSED]
    cover, i = 0, after[end]
    while i != end and data.call[i] < regs[COVER]:
        if (data.kind[i] == WRITE or data.kind[i] == APPEND) and data.ret[i] != FOREVER:
            cover = data.call[i] + 1
        i = after[i]
    h = mix(mix(mix(mix(1, passed), regs[STATE]), cover), regs[HELD])
    for word in range(len(mask)):
        finite = mask[word] & ~lasting[word]
        h = mix(mix(h, finite), finite >> 31)
    width = HEAD + len(mask)
    capacity = len(table) // width
    row = h % capacity
    while table[row * width] != 0:
        if is_noted(row * width, cover, world):
            return False
        row = (row + 1) % capacity
    at = row * width
    table[at], table[at + 1], table[at + 2], table[at + 3] = passed + 1, regs[STATE], cover, regs[HELD]
    for word in range(len(mask)):
        table[at + HEAD + word] = mask[word]
    regs[CONFIGS] += 1
    return True


def is_noted(at: int, cover: int, world: Search) -> bool:
    """Whether the configuration noted at ``at`` is the present one, or has but fewer crashed operations placed."""
    mask, lasting, table, regs = world.mask, world.lasting, world.table, world.regs
    same = table[at] == regs[PASSED] + 1 and table[at + 1] == regs[STATE]
    same = same and table[at + 2] == cover and table[at + 3] == regs[HELD]
    word = 0
    while same and word < len(mask):
        noted = table[at + HEAD + word]
        same = (noted ^ mask[word]) & (noted | ~lasting[word]) == 0
        word += 1
    return same
