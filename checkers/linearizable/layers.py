"""The search of ``register_search`` breadth-first: for histories that no order explains, and those with crashed operations.

The configurations and the rules are the same; the order is another one. All configurations that wait for the same completion
are one *layer*; layers are explored one after the other, and in a layer those with the fewest crashed operations first.
So a configuration is dropped as soon as another one got as far with fewer of them (a subset), which depth-first
search, whose first way is any way, can seldom do; and what lies behind is forgotten, so memory is that of two layers.
To say that a history is impossible takes a look at all layers up to the one that nothing leaves. A valid history is found
faster by going deep.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from checkers.kernels.engine import Column, Engine, engine
from checkers.linearizable.encode import APPEND, NOTHING, READ, WRITE
from checkers.linearizable.layout import WORD, Data, Prepared, data_of, mix
from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.register_search import DEAD, FREE, NOBODY, STEPS_PER_OP
from harness.history import FOREVER
from harness.verdict import Validity

# The scalars of the configuration at hand, and of the search: ROWS in use, SPARE rows, steps, the layer's opened operations.
STATE, PASSED, COVER, HELD, CRASHED, ROWS, SPARE, STEPS, LIVE, ENDLESS, FULL = range(11)
NONE = -1
# Columns of a row beside its mask.
HEAD = 7
BUCKETS = 1 << 12


class Rows(NamedTuple):
    """Configurations: each in the list of its layer, later in one by its crashed operations (``following``), and in that of its
    hash (``same_hash``, whose head is ``bucket``). ``crashed`` is how many it used, NONE once another one is better.
    """

    following: Column
    same_hash: Column
    bucket: Column
    state: Column
    cover: Column
    held: Column
    crashed: Column
    masks: Column


class Breadth(NamedTuple):
    """A search in progress. ``mask`` and the scalars are the configuration at hand; ``live`` and ``endless`` the operations that
    the layer knows, completing ones and others; ``alike`` leads from one of the latter to the one of the same effect before it (NONE:
    there is none); ``layers``, ``counts`` and ``hashes`` are the heads of lists.
    """

    data: Data
    rows: Rows
    mask: Column
    lasting: Column
    live: Column
    endless: Column
    alike: Column
    layers: Column
    counts: Column
    hashes: Column
    regs: Column


def search(prepared: Prepared, limits: Limits, run: Engine | None = None) -> Found:
    """Whether the register is linearizable; ``run`` is the engine to use, if not the one for its length."""
    completed = len(prepared.order)
    run = run or engine(min(limits.steps, len(prepared.ops) * STEPS_PER_OP))
    world = _begin(run, prepared, limits)
    answer = Validity(int(run.kernel(explore_layers)(world, min(limits.steps, FOREVER - 1))))
    explained = int(world.regs[PASSED])
    stuck = int(prepared.position[prepared.order[explained]]) if answer is Validity.INVALID else None
    return Found(validity=answer, steps=int(world.regs[STEPS]), explained=explained, completed=completed, stuck=stuck)


def _begin(run: Engine, prepared: Prepared, limits: Limits) -> Breadth:
    data, words, lasting = data_of(run, prepared)
    n, completed = len(prepared.ops), len(prepared.order)
    size = max(2, min(limits.configs, limits.steps, limits.bytes // ((HEAD + words) * 8)))
    regs = run.full(FULL + 1, 0)
    regs[STATE], regs[COVER], regs[SPARE] = prepared.ops.initial, NOBODY, NONE
    return Breadth(
        data=data,
        rows=Rows(*(run.full(size * (words if name == "masks" else 1), 0) for name in Rows._fields)),
        mask=run.full(words, 0),
        lasting=run.column(lasting),
        live=run.full(n, 0),
        endless=run.full(n, 0),
        alike=run.column(_alike(prepared)),
        layers=run.full(completed + 1, NONE),
        counts=run.full(n + 2, NONE),
        hashes=run.full(BUCKETS, NONE),
        regs=regs,
    )


def _alike(prepared: Prepared) -> list[int]:
    """See ``Breadth``. Reads are not asked for."""
    ops, latest = prepared.ops, dict[tuple[int, int, int], int]()
    before = [NONE] * len(ops)
    for i in np.flatnonzero(~ops.certain).tolist():
        effect = int(ops.kind[i]), int(ops.seen[i]), int(ops.made[i])
        before[i] = latest.get(effect, NONE)
        latest[effect] = i
    return before


def explore_layers(world: Breadth, steps_max: int) -> int:
    """Kernel: layer by layer. 0 valid, 1 out of budget, 2 invalid: the values of Validity. PASSED is then the last layer."""
    data, layers, regs = world.data, world.layers, world.regs
    completed, at, layer = len(data.order), 0, 0
    push(world)
    while layer < completed and layers[completed] == NONE:
        if layers[layer] == NONE:
            layer += 1
            continue
        at = open_layer(layer, at, world)
        fine = work_layer(layer, steps_max, world)
        regs[PASSED] = layer
        if not fine:
            return 1
        further = layer + 1
        while further <= completed and layers[further] == NONE:
            further += 1
        if further > completed:
            return 2
        layer = further
    regs[PASSED] = completed
    return 0


def open_layer(layer: int, at: int, world: Breadth) -> int:
    """Kernel's part: bring the lists of open operations up to ``layer``; operations before ``at`` are in them. Returns the new ``at``."""
    data, live, endless, regs = world.data, world.live, world.endless, world.regs
    deadline = data.ret[data.order[layer]]
    kept = 0
    for k in range(regs[LIVE]):
        if data.rank[live[k]] >= layer:
            live[kept] = live[k]
            kept += 1
    while at < len(data.kind) and data.call[at] < deadline:
        if data.ret[at] == FOREVER:
            endless[regs[ENDLESS]] = at
            regs[ENDLESS] += 1
        elif data.rank[at] >= layer:
            live[kept] = at
            kept += 1
        at += 1
    regs[LIVE] = kept
    return at


def work_layer(layer: int, steps_max: int, world: Breadth) -> bool:
    """Whether all configurations of ``layer`` were explored within the limits."""
    rows, counts, hashes, regs = world.rows, world.counts, world.hashes, world.regs
    row = world.layers[layer]
    world.layers[layer] = NONE
    while row != NONE:
        behind = rows.following[row]
        load(row, layer, world)
        free(row, world)
        arrive(layer, world)
        row = behind
    used = NONE
    level = 0
    while level <= regs[ENDLESS] and regs[FULL] == 0:
        while counts[level] != NONE:
            row = counts[level]
            counts[level] = rows.following[row]
            if rows.crashed[row] != NONE:
                expand(row, layer, world)
            rows.following[row] = used  # it stays in the list of its hash until the layer is done
            used = row
            if regs[STEPS] >= steps_max or regs[FULL] == 1:
                return False
        level += 1
    while used != NONE:
        behind = rows.following[used]
        hashes[rows.bucket[used]] = NONE
        free(used, world)
        used = behind
    return regs[FULL] == 0


def expand(row: int, layer: int, world: Breadth) -> None:
    """Every configuration that follows."""
    data, live, endless, regs = world.data, world.live, world.endless, world.regs
    load(row, layer, world)
    due = data.order[layer]
    if (data.kind[due] == WRITE or data.kind[due] == APPEND) and data.call[due] < regs[COVER]:
        put(due, True, world)
        arrive(layer, world)
        load(row, layer, world)
    for k in range(regs[LIVE] + regs[ENDLESS]):
        i = live[k] if k < regs[LIVE] else endless[k - regs[LIVE]]
        if world.alike[i] != NONE and not is_placed(world.alike[i], world):
            continue
        regs[STEPS] += 1
        if is_able(i, due, world) and not has_better_twin(i, world):
            put(i, False, world)
            arrive(layer, world)
            load(row, layer, world)


def is_able(i: int, due: int, world: Breadth) -> bool:
    """Whether ``i`` is a write, append or cas that is worth a try now; see the rules of ``register_search``."""
    data, regs = world.data, world.regs
    if data.kind[i] == READ or is_placed(i, world):
        return False
    if data.kind[i] == WRITE:
        return regs[HELD] == FREE and (data.ret[i] != FOREVER or data.made[i] != regs[STATE])
    if data.kind[i] == APPEND:
        return target(i, world) != DEAD or i == due
    return data.seen[i] == regs[STATE]


def has_better_twin(i: int, world: Breadth) -> bool:
    """Whether an open operation of the same effect completes before ``i``."""
    data, live, regs = world.data, world.live, world.regs
    for n in range(regs[LIVE]):
        k = live[n]
        regs[STEPS] += 1
        twin = data.made[k] == data.made[i] and data.kind[k] == data.kind[i] and data.seen[k] == data.seen[i]
        if twin and data.rank[k] < data.rank[i] and not is_placed(k, world):
            return True
    return False


def target(i: int, world: Breadth) -> int:
    """The state to which the append ``i`` leads."""
    data, state = world.data, world.regs[STATE]
    if state >= 0:
        for at in range(data.edges[state], data.edges[state + 1]):
            if data.tokens[at] == data.made[i]:
                return data.targets[at]
    return DEAD


def is_placed(i: int, world: Breadth) -> bool:
    slot = world.data.slot[i]
    return (world.mask[slot // WORD] >> (slot % WORD)) & 1 == 1


def put(i: int, absorbed: bool, world: Breadth) -> None:
    """Place ``i`` in the configuration at hand."""
    data, mask, regs = world.data, world.mask, world.regs
    slot, passed = data.slot[i], regs[PASSED]
    if not absorbed:
        regs[HELD] = FREE
        if data.kind[i] == APPEND:
            regs[STATE] = target(i, world)
        elif data.made[i] != NOTHING:
            regs[STATE] = data.made[i]
        if data.kind[i] == WRITE:
            regs[COVER], regs[HELD] = data.ret[data.order[passed]], data.rank[i] + 1
    mask[slot // WORD] |= 1 << (slot % WORD)
    if data.ret[i] == FOREVER:
        regs[CRASHED] += 1
    while passed < len(data.order) and is_placed(data.order[passed], world):
        slot = data.slot[data.order[passed]]
        mask[slot // WORD] &= ~(1 << (slot % WORD))
        passed += 1
    regs[PASSED] = passed
    if regs[HELD] <= passed:  # the rank is one less: that completion is passed
        regs[HELD] = FREE


def arrive(layer: int, world: Breadth) -> None:
    """Place the reads that are legal now, and note the configuration where it belongs."""
    data, live, regs = world.data, world.live, world.regs
    k = 0
    while k < regs[LIVE] and regs[PASSED] == layer:
        i = live[k]
        regs[STEPS] += 1
        if data.kind[i] == READ and data.seen[i] == regs[STATE] and not is_placed(i, world):
            put(i, False, world)
        k += 1
    if regs[PASSED] > layer:
        push(world)
    else:
        note(world)


def push(world: Breadth) -> None:
    """The configuration at hand into the list of its layer."""
    row = store(world)
    if row != NONE:
        passed = world.regs[PASSED]
        world.rows.following[row], world.layers[passed] = world.layers[passed], row


def note(world: Breadth) -> None:
    """The configuration at hand into the lists of the present layer, unless one is there that used no more; what it betters goes."""
    data, live, mask, lasting, regs = world.data, world.live, world.mask, world.lasting, world.regs
    rows, hashes, counts = world.rows, world.hashes, world.counts
    cover = 0
    for k in range(regs[LIVE]):
        i = live[k]
        hidden = data.kind[i] == WRITE or data.kind[i] == APPEND
        if hidden and data.call[i] < regs[COVER] and not is_placed(i, world):
            cover = max(cover, data.call[i] + 1)
    regs[COVER] = cover
    h = mix(mix(mix(1, regs[STATE]), cover), regs[HELD])
    for word in range(len(mask)):
        finite = mask[word] & ~lasting[word]
        h = mix(mix(h, finite), finite >> 31)
    bucket = h % len(hashes)
    at = hashes[bucket]
    while at != NONE:
        regs[STEPS] += 1
        if rows.crashed[at] != NONE:
            order = compare(at, world)
            if order <= 0:
                return
            if order == 1:
                rows.crashed[at] = NONE
        at = rows.same_hash[at]
    row = store(world)
    if row != NONE:
        rows.same_hash[row], rows.bucket[row], hashes[bucket] = hashes[bucket], bucket, row
        rows.following[row], counts[regs[CRASHED]] = counts[regs[CRASHED]], row


def compare(at: int, world: Breadth) -> int:
    """Of the row and the configuration at hand, which used less: 0 the row, or both the same; 1 the one at hand; 2 neither."""
    rows, mask, lasting, regs = world.rows, world.mask, world.lasting, world.regs
    if rows.state[at] != regs[STATE] or rows.cover[at] != regs[COVER] or rows.held[at] != regs[HELD]:
        return 2
    less, more = True, True
    for word in range(len(mask)):
        noted, mine = rows.masks[at * len(mask) + word], mask[word]
        if (noted ^ mine) & ~lasting[word] != 0:
            return 2
        less = less and noted & ~mine == 0
        more = more and mine & ~noted == 0
    if less:
        return 0
    return 1 if more else 2


def store(world: Breadth) -> int:
    """The configuration at hand as a row; NONE, and FULL is set, if there is no place."""
    rows, mask, regs = world.rows, world.mask, world.regs
    row = regs[SPARE]
    if row != NONE:
        regs[SPARE] = rows.following[row]
    elif regs[ROWS] < len(rows.state):
        row = regs[ROWS]
        regs[ROWS] += 1
    else:
        regs[FULL] = 1
        return NONE
    rows.state[row], rows.cover[row] = regs[STATE], regs[COVER]
    rows.held[row], rows.crashed[row] = regs[HELD], regs[CRASHED]
    for word in range(len(mask)):
        rows.masks[row * len(mask) + word] = mask[word]
    return row


def load(row: int, layer: int, world: Breadth) -> None:
    """The row, one of ``layer``, as the configuration at hand."""
    rows, mask, regs = world.rows, world.mask, world.regs
    regs[STATE], regs[PASSED], regs[COVER] = rows.state[row], layer, rows.cover[row]
    regs[HELD], regs[CRASHED] = rows.held[row], rows.crashed[row]
    for word in range(len(mask)):
        mask[word] = rows.masks[row * len(mask) + word]


def free(row: int, world: Breadth) -> None:
    world.rows.following[row], world.regs[SPARE] = world.regs[SPARE], row
