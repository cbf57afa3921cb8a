"""The speeds that the linearizability checkers are to reach, each measured beside its target.

    python benchmarks/linearizable_targets.py [--quick]

Warm: the whole ``check`` on a loaded history, kernels loaded, best of five, in processor time (there is one thread). Cold: the
command ``splitbrain check`` in a new process, best of five, with a compiled image at hand (made first, if need be) and the numba
of the machine never imported.
The last table shows how far registers of five values with crashed writes and one wrong read are decided: each line is twenty
histories, in each of which another read returns another of the five values. Run it when nothing else runs; on a busy machine
CPU times and ratios mean something, and the rest little.
"""

from __future__ import annotations

import argparse
import heapq
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.linearizable import Case, history_of
from checkers.kernels.image import find_image, make_image
from checkers.linearizable import quick
from checkers.linearizable.check import make
from harness.formats import save_history
from harness.history import FOREVER, INVOKE, OK, History
from harness.verdict import Budget, Validity

ROOT = Path(__file__).parents[1]
REPEATS = 5
NAMES = {
    "fifo-queue": ("enqueue", "dequeue"),
    "stack": ("push", "pop"),
    "priority-queue": ("insert", "delete-min"),
    "unordered-queue": ("enqueue", "dequeue"),
}


def container_history(model: str, n: int, threads: int = 10, seed: int = 1) -> History:
    """A history of ``n`` calls of one container that really ran, with unique values."""
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
    value = _effects(model, np.argsort(effect), inserts, dice.permutation(n))
    order = np.argsort(np.concatenate([call, ret]), kind="stable")
    return History.from_columns(
        type=np.repeat([INVOKE, OK], n)[order],
        process=np.tile(thread, 2)[order],
        f=np.tile(np.where(inserts, 0, 1), 2)[order],
        fs=NAMES[model],
        value=np.concatenate([np.where(inserts, value + 1, 0), value + 1])[order],
        values=[None, *range(n)],
        interned=True,
    )


def _effects(model: str, order: np.ndarray, inserts: np.ndarray, fresh: np.ndarray) -> np.ndarray:
    line, heap = deque[int](), list[int]()
    value = np.full(len(order), -1)
    for i in order.tolist():
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


def best_s(task: Callable[[], Any]) -> float:
    """The shortest of a few, after one that does not count: on the clock."""
    return best(task, time.perf_counter)


def best(task: Callable[[], Any], clock: Callable[[], float]) -> float:
    task()
    took = []
    for _ in range(REPEATS):
        began = clock()
        task()
        took.append(clock() - began)
    return min(took)


def checked(model: str, history: History, wanted: Validity = Validity.VALID) -> float:
    history.calls()
    checker = make(model=model)

    def once() -> None:
        verdict = checker.check(history, Budget())
        assert verdict.validity is wanted, verdict.reason

    return best(once, time.process_time)


def dense(n: int) -> float:
    """Columns that were never a history, 32 bits wide."""
    history = history_of(Case(operations=n, concurrency=10))
    calls = history.calls()
    columns = {name: np.array(getattr(calls, name)) for name in ("f", "key", "argument", "result", "outcome")}
    call = calls.call.astype(np.int32)
    ret = np.where(calls.ret == FOREVER, -1, calls.ret).astype(np.int32)
    sizes = {"values": len(history.values), "keys": len(history.keys), "null": 0}
    del history, calls

    def once() -> None:
        assert quick.dense_linearizable(**columns, call=call, ret=ret, **sizes)

    return best(once, time.process_time)


def cold_s(operations: int) -> tuple[float, float]:
    """``splitbrain check`` from the shell to its exit: on the clock, and of the processor."""
    history = history_of(Case(operations=operations, concurrency=10, values=5))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "history.jsonl"
        save_history(history, path)
        argv = [sys.executable, "-m", "harness.cli", "check", str(path), "--model", "register", "--json"]
        used = list[float]()

        def once() -> None:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, env=os.environ)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

        return best_s(once), min(used)


def hidden_lie(number: int) -> Callable[..., None]:
    """One read, late in the run, returns another of the values; hardly ever is it wrong by itself."""

    def tell(result: np.ndarray, f: np.ndarray, _key: np.ndarray, effect_s: np.ndarray, case: Case) -> None:
        reads = np.flatnonzero(f == 0)
        victim = reads[np.argsort(effect_s[reads])][int(len(reads) * 0.9) + number]
        result[victim] = (result[victim] + 1 + number % (case.values - 1)) % case.values

    return tell


def print_hidden_lies(operations: int) -> None:
    """How far a wrong read is found among crashed writes."""
    print(
        f"\n{'one wrong read of five values, 20 times':<44} {'valid':>6} {'invalid':>8} {'unknown':>8} {'median':>10} {'worst':>10}"
    )
    for concurrency in (5, 10, 15, 20, 30):
        for crashed in (0.0, 0.002, 0.01):
            case = Case(operations=operations, concurrency=concurrency, values=5, crashed=crashed, stale=True)
            found, took_s = Counter[Validity](), list[float]()
            for number in range(20):
                with patch("benchmarks.linearizable._make_stale", hidden_lie(number)):
                    history = history_of(case)
                history.calls()
                began = time.process_time()
                found[make(model="register").check(history, Budget()).validity] += 1
                took_s.append(time.process_time() - began)
            what = f"{operations:,} operations, {concurrency} at once, {crashed:.1%} crashed"
            median, worst = sorted(took_s)[10] * 1e3, max(took_s) * 1e3
            counts = [found[validity] for validity in (Validity.VALID, Validity.INVALID, Validity.UNKNOWN)]
            print(
                f"{what:<44} {counts[0]:>6} {counts[1]:>8} {counts[2]:>8} {median:>7.0f} ms {worst:>7.0f} ms",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the operations")
    share = 10 if parser.parse_args().quick else 1
    if find_image() is None:
        make_image()
    million, ten = 1_000_000 // share, 10_000_000 // share
    print(f"{'what':<58} {'measured':>16} {'target':>16} {'times':>7}")

    def rate(what: str, n: int, took_s: float, target: float) -> None:
        speed = n / took_s / 1e6
        print(f"{what:<58} {speed:>10.1f} Mop/s {target:>10.1f} Mop/s {speed / target:>6.1f}x", flush=True)

    def span(what: str, took_s: float, target_s: float) -> None:
        print(f"{what:<58} {took_s * 1e3:>13.1f} ms {target_s * 1e3:>13.0f} ms {target_s / took_s:>6.1f}x", flush=True)

    wall_s, cpu_s = cold_s(1000)
    span("cold: 1,000 operations, 5 values, to the exit", wall_s, 0.5)
    span("the same, processor time", cpu_s, 0.5)
    rate(
        f"unique-write register, {million:,}, loaded history",
        million,
        checked("register", history_of(Case(operations=million, concurrency=10))),
        7,
    )
    for concurrency in (5, 30, 100):
        for stale in (False, True):
            case = Case(operations=million, concurrency=concurrency, crashed=0.01, stale=stale)
            took_s = checked("register", history_of(case), Validity.INVALID if stale else Validity.VALID)
            rate(f"  {concurrency} at once, 1 % crashed, {'one stale read' if stale else 'valid'}", million, took_s, 7)
    rate(f"unique-write register, {million:,}, dense columns", million, dense(million), 25)
    for model, target in (("fifo-queue", 10.0), ("unordered-queue", 10.0), ("stack", 2.0), ("priority-queue", 2.0)):
        rate(f"{model}, {million:,}", million, checked(model, container_history(model, million)), target)
    rate(f"set, asked for its elements, {million:,}", million, checked("set", set_history(million)), 10)
    for n, targets in ((10_000, (0.02, 0.2, 0.03)), (100_000 // share, (0.2, 2.0, 4.0))):
        for concurrency, target in zip((10, 30, 100), targets, strict=True):
            case = Case(operations=n, concurrency=concurrency, values=5)
            span(f"register of 5 values, {n:,}, {concurrency} at once", checked("register", history_of(case)), target)
    stale = history_of(Case(operations=100_000 // share, concurrency=10, stale=True))
    span(f"minimal witness, {100_000 // share:,} operations", checked("register", stale, Validity.INVALID), 2.0)
    span(f"unique-write register, {ten:,}, dense columns", dense(ten), 1.0)
    print_hidden_lies(10_000 // share)
    print(f"\npeak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:,} MiB")


if __name__ == "__main__":
    main()
