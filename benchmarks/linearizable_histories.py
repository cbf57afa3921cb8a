"""Histories for the benchmarks of linearizability: of objects that really ran, each call taking effect somewhere within its time."""

from __future__ import annotations

import heapq
import random
from collections import deque
from dataclasses import replace

import numpy as np

from benchmarks.linearizable import Case, history_of, schedule
from harness.formats.json_columns import JsonTable
from harness.history import INFO, INVOKE, OK, History
from harness.op import Op

NAMES = {
    "fifo-queue": ("enqueue", "dequeue"),
    "stack": ("push", "pop"),
    "priority-queue": ("insert", "delete-min"),
    "unordered-queue": ("enqueue", "dequeue"),
}


def container_history(model: str, n: int, threads: int = 10, seed: int = 1, keys: int = 1) -> History:
    """A history of ``n`` calls of one container per key that really ran, with unique values."""
    dice = np.random.default_rng(seed)
    spans, inserts = dice.exponential(1, (n, 3)), dice.random(n) < 0.5
    free = [(float(at), thread) for thread, at in enumerate(dice.random(threads))]
    heapq.heapify(free)
    call, effect, ret, thread = np.empty(n), np.empty(n), np.empty(n), np.empty(n, dtype=np.int64)
    for i in range(n):
        at, thread[i] = heapq.heappop(free)
        call[i], effect[i] = at, at + spans[i, 0]
        ret[i] = effect[i] + spans[i, 1]
        heapq.heappush(free, (ret[i] + 0.2 * spans[i, 2], int(thread[i])))
    fresh, key = dice.permutation(n), dice.integers(keys, size=n)
    value = _effects(model, np.argsort(effect), inserts, fresh, key)
    order = np.argsort(np.concatenate([call, ret]), kind="stable")
    return History.from_columns(
        type=np.repeat([INVOKE, OK], n)[order],
        process=np.tile(thread, 2)[order],
        f=np.tile(np.where(inserts, 0, 1), 2)[order],
        fs=NAMES[model],
        key=np.tile(key, 2)[order] if keys > 1 else None,
        keys=range(keys) if keys > 1 else (),
        value=np.concatenate([np.where(inserts, value + 1, 0), value + 1])[order],
        values=[None, *range(n)],
        interned=True,
    )


def _effects(model: str, order: np.ndarray, inserts: np.ndarray, fresh: np.ndarray, key: np.ndarray) -> np.ndarray:
    contents = [(deque[int](), list[int]()) for _ in range(int(key.max()) + 1)]
    value = np.full(len(order), -1)
    for i in order.tolist():
        line, heap = contents[key[i]]
        if inserts[i]:
            value[i] = fresh[i]
            if model == "priority-queue":
                heapq.heappush(heap, int(fresh[i]))
            else:
                line.append(int(fresh[i]))
        elif heap:
            value[i] = heapq.heappop(heap)
        elif line:
            value[i] = line.pop() if model == "stack" else line.popleft()
    return value


def set_history(n: int) -> History:
    """A history of ``n`` calls of one set: every element is added, asked for, removed and asked for again."""
    plain = history_of(Case(operations=n, concurrency=10)).calls()
    order = np.argsort(plain.ret)  # of the effects, too: each is taken to be at the end of its call
    turn = np.empty(n, dtype=np.int64)
    turn[order] = np.arange(n)
    f, element = np.array([0, 2, 1, 2])[turn % 4], turn // 4 + 3
    result = np.where(f == 2, np.where(turn % 4 == 1, 2, 1), element)
    lines = np.argsort(np.concatenate([plain.call, plain.ret]), kind="stable")
    return History.from_columns(
        type=np.repeat([INVOKE, OK], n)[lines],
        process=np.tile(plain.process, 2)[lines],
        f=np.tile(f, 2)[lines],
        fs=("add", "remove", "contains"),
        value=np.concatenate([element, result])[lines],
        values=[None, False, True, *range(n // 4 + 1)],
        interned=True,
    )


def cas_history(case: Case, seed: int = 1) -> History:
    """A history of one register with unique values, half of its calls reads, a fifth cas from what is there; ``case.stale``: one read
    returns what was there long before.
    """
    dice, n = np.random.default_rng(seed), case.operations
    call, effect, ret, thread = schedule(dice, case)
    f, crashed = dice.choice(3, n, p=[0.5, 0.3, 0.2]), dice.random(n) < case.crashed
    order = np.argsort(effect)
    latest = np.maximum.accumulate(np.where(f[order] > 0, np.arange(n), -1))
    before = np.concatenate([[-1], latest[:-1]])
    seen = np.empty(n, dtype=np.int64)  # the code of what was there: null, or one more than the call that wrote it
    seen[order] = np.where(before < 0, 0, order[before] + 1)
    if case.stale:
        reads = order[f[order] == 0]
        seen[reads[int(len(reads) * 0.9)]] = seen[reads[int(len(reads) * 0.9) - 10 * case.concurrency]]
    cas = np.flatnonzero(f == 2)
    argument = np.where(f == 1, np.arange(n) + 1, 0)
    argument[cas] = n + 1 + np.arange(len(cas))
    generation = np.zeros(n, dtype=np.int64)
    for mine in (np.flatnonzero(thread == t) for t in range(case.concurrency)):
        generation[mine[1:]] = np.cumsum(crashed[mine])[:-1]
    lines = np.argsort(np.concatenate([call, ret]))
    pairs = [[None if was == 0 else was - 1, new] for was, new in zip(seen[cas].tolist(), cas.tolist(), strict=True)]
    return History.from_columns(
        type=np.concatenate([np.full(n, INVOKE), np.where(crashed, INFO, OK)])[lines],
        process=np.tile(thread + generation * case.concurrency, 2)[lines],
        f=np.tile(f, 2)[lines],
        fs=("read", "write", "cas"),
        value=np.concatenate([argument, np.where(f == 0, seen, argument)])[lines],
        values=[None, *range(n), *pairs],
        time_ns=(np.concatenate([call, ret])[lines] * 1e9).astype(np.int64),
        interned=True,
    )


def append_history(n: int, threads: int, keys: int, seed: int = 1) -> History:
    """A history of strings that grow, as Porcupine's test data have them: half of the calls read, a few write anew."""
    dice = random.Random(seed)
    free = [(dice.random(), thread) for thread in range(threads)]
    heapq.heapify(free)
    calls: list[tuple[float, float, float, Op]] = []
    for number in range(n):
        at, thread = heapq.heappop(free)
        effect = at + dice.expovariate(1)
        ret = effect + dice.expovariate(1)
        heapq.heappush(free, (ret + dice.expovariate(5), thread))
        f = dice.choices(("get", "append", "put"), (50, 45, 5))[0]
        value = None if f == "get" else f"x {thread} {number} y"
        calls.append((at, effect, ret, Op(process=thread, f=f, key=str(dice.randrange(keys)), value=value)))
    strings: dict[object, str] = {}
    lines: list[tuple[float, Op]] = []
    for at, _, ret, op in sorted(calls, key=lambda call: call[1]):
        if op.f != "get":
            strings[op.key] = (strings.get(op.key, "") if op.f == "append" else "") + op.value
        lines += [(at, op), (ret, op.ok(strings.get(op.key, "") if op.f == "get" else op.value))]
    lines.sort(key=lambda line: line[0])
    return History.of(replace(op, index=i, time_ns=int(at * 1e6)) for i, (at, op) in enumerate(lines))


def changing_set_history(case: Case, size: int = 8, seed: int = 1) -> History:
    """A history of one set of about ``size`` elements that is read as a whole by a third of the calls, and asked for one element by a
    sixth; the others add and remove; ``case.stale``: one read, late in the run, still shows an element that was gone long before.
    """
    dice, n = np.random.default_rng(seed), case.operations
    call, effect, ret, thread = schedule(dice, case)
    crashed, roll = dice.random(n) < case.crashed, dice.random(n)
    f, argument, result = np.empty(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    held, fresh = deque[int](), 0
    lists: list[list[int]] = []
    for i in np.argsort(effect).tolist():
        if roll[i] < 1 / 3:
            f[i], result[i] = 3, n + 3 + len(lists)
            lists.append(sorted(held))
        elif roll[i] < 1 / 2:
            f[i], argument[i] = 2, max(fresh - int(roll[i] * 1e6) % (2 * size), 0) + 3
            result[i] = 2 if argument[i] - 3 in held else 1
        elif len(held) < size * (0.5 + roll[i]):
            f[i], argument[i], fresh = 0, fresh + 3, fresh + 1
            held.append(fresh - 1)
        else:
            f[i], argument[i] = 1, held.popleft() + 3
    if case.stale:
        late = int(len(lists) * 0.9)
        lists[late] = sorted({*lists[late], *lists[late - 10 * case.concurrency][:1]})
    generation = np.zeros(n, dtype=np.int64)
    for mine in (np.flatnonzero(thread == t) for t in range(case.concurrency)):
        generation[mine[1:]] = np.cumsum(crashed[mine])[:-1]
    lines = np.argsort(np.concatenate([call, ret]))
    return History.from_columns(
        type=np.concatenate([np.full(n, INVOKE), np.where(crashed, INFO, OK)])[lines],
        process=np.tile(thread + generation * case.concurrency, 2)[lines],
        f=np.tile(f, 2)[lines],
        fs=("add", "remove", "contains", "read"),
        value=np.concatenate([argument, np.where((f >= 2) & ~crashed, result, argument)])[lines],
        values=JsonTable([None, False, True, *range(n), *lists]),
    )
