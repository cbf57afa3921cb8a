"""The speeds that the linearizability checkers are to reach, each measured beside its target.

    python benchmarks/linearizable_targets.py [--quick]

Warm: the whole ``check`` on a loaded history, kernels loaded, best of five. Cold: the command ``splitbrain check`` in a new
process, best of five, with a compiled image at hand (made first, if need be) and the numba of the machine never imported.
Run it when nothing else runs; on a busy machine only the ratios mean something.
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
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def best_s(task: Callable[[], Any]) -> float:
    """The shortest of a few, after one that does not count."""
    task()
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        task()
        took.append(time.perf_counter() - began)
    return min(took)


def checked(model: str, history: History, wanted: Validity = Validity.VALID) -> float:
    history.calls()
    checker = make(model=model)

    def once() -> None:
        verdict = checker.check(history, Budget())
        assert verdict.validity is wanted, verdict.reason

    return best_s(once)


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

    return best_s(once)


def cold_s(operations: int) -> float:
    """``splitbrain check`` from the shell to its exit."""
    history = history_of(Case(operations=operations, concurrency=10, values=5))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "history.jsonl"
        save_history(history, path)
        argv = [sys.executable, "-m", "harness.cli", "check", str(path), "--model", "register", "--json"]
        return best_s(lambda: subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, env=os.environ))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the operations")
    share = 10 if parser.parse_args().quick else 1
    if find_image() is None:
        make_image()
    million, ten = 1_000_000 // share, 10_000_000 // share
    print(f"{'what':<58} {'measured':>16} {'target':>16}")

    def rate(what: str, n: int, took_s: float, target: float) -> None:
        print(f"{what:<58} {n / took_s / 1e6:>11.1f} Mop/s {target:>10.1f} Mop/s", flush=True)

    def span(what: str, took_s: float, target_s: float) -> None:
        print(f"{what:<58} {took_s * 1e3:>13.1f} ms {target_s * 1e3:>13.0f} ms", flush=True)

    span("cold: 1,000 operations, 5 values, to the exit", cold_s(1000), 0.5)
    rate(
        f"unique-write register, {million:,}, loaded history",
        million,
        checked("register", history_of(Case(operations=million, concurrency=10))),
        7,
    )
    rate(f"unique-write register, {million:,}, dense columns", million, dense(million), 25)
    for model, target in (("fifo-queue", 10.0), ("unordered-queue", 10.0), ("stack", 2.0), ("priority-queue", 2.0)):
        rate(f"{model}, {million:,}", million, checked(model, container_history(model, million)), target)
    for n, targets in ((10_000, (0.02, 0.2, 0.03)), (100_000 // share, (0.2, 2.0, 4.0))):
        for concurrency, target in zip((10, 30, 100), targets, strict=True):
            case = Case(operations=n, concurrency=concurrency, values=5)
            span(f"register of 5 values, {n:,}, {concurrency} at once", checked("register", history_of(case)), target)
    stale = history_of(Case(operations=100_000 // share, concurrency=10, stale=True))
    span(f"minimal witness, {100_000 // share:,} operations", checked("register", stale, Validity.INVALID), 2.0)
    span(f"unique-write register, {ten:,}, dense columns", dense(ten), 1.0)
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:,} MiB")


if __name__ == "__main__":
    main()
