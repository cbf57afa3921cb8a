"""How fast linearizability is decided: whole check() on a loaded History, warm, so that encoding, verdict and witness count.

    python benchmarks/linearizable.py [--operations-max 1000000]

Histories are made from a register that really ran: each call takes effect at a moment between its invocation and its completion.
"stale" has one read of a value that was overwritten long before; finding, proving and explaining it is part of the time.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from checkers.linearizable.check import make
from harness.formats.json_columns import JsonTable
from harness.history import INFO, INVOKE, OK, History
from harness.verdict import Budget, Validity

READS = 0.5
FS = ("read", "write")
REPEATS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``values`` is how many different values are written, 0 for a new one each time; ``crashed`` is a share of the calls."""

    operations: int
    concurrency: int
    values: int = 0
    keys: int = 1
    crashed: float = 0.0
    stale: bool = False

    @property
    def workload(self) -> str:
        written = f"{self.values} values" if self.values else "unique writes"
        keys = f", {self.keys} keys" if self.keys > 1 else ""
        return f"{written}{keys}{f', {self.crashed:.1%} crashed' if self.crashed else ''}"


CASES = [
    *(
        Case(operations=n, concurrency=10, stale=stale)
        for n in (1_000, 5_000, 100_000, 1_000_000)
        for stale in (False, True)
    ),
    *(Case(operations=100_000, concurrency=c, stale=stale) for c in (5, 100) for stale in (False, True)),
    Case(operations=100_000, concurrency=100, keys=1_000),
    Case(operations=100_000, concurrency=10, crashed=0.01),
    *(Case(operations=n, concurrency=c, values=5) for n in (1_000, 10_000) for c in (5, 10, 30)),
    Case(operations=10_000, concurrency=10, values=5, crashed=0.005),
    Case(operations=10_000, concurrency=10, values=5, stale=True),
    Case(operations=100_000, concurrency=10, values=5),
    Case(operations=100_000, concurrency=10, values=5, stale=True),
    Case(operations=100_000, concurrency=100, values=5, keys=1_000),
]


def history_of(case: Case, seed: int = 1) -> History:
    """A history of ``case``; linearizable unless it is to be stale."""
    dice, n = np.random.default_rng(seed), case.operations
    call_s, effect_s, ret_s, thread = schedule(dice, case)
    f = (dice.random(n) >= READS).astype(np.int32)
    key = dice.integers(0, case.keys, n)
    crashed = dice.random(n) < case.crashed
    written = dice.integers(0, case.values, n) if case.values else np.arange(n)
    result = _run(np.argsort(effect_s), f, key, written)
    if case.stale:
        _make_stale(result, f, key, effect_s, case)
    # A process that crashed never comes back: its thread goes on under a new number.
    generation = np.zeros(n, dtype=np.int64)
    for mine in (np.flatnonzero(thread == t) for t in range(case.concurrency)):
        generation[mine[1:]] = np.cumsum(crashed[mine])[:-1]
    order = np.argsort(np.concatenate([call_s, ret_s]))
    times = np.concatenate([call_s, ret_s])[order]
    values = JsonTable([None, *(range(case.values) if case.values else range(n))])  # as a file is read
    argument = np.where(f == 1, written + 1, 0)
    return History.from_columns(
        type=np.concatenate([np.full(n, INVOKE), np.where(crashed, INFO, OK)])[order],
        process=np.tile(thread + generation * case.concurrency, 2)[order],
        f=np.tile(f, 2)[order],
        fs=FS,
        key=np.tile(key, 2)[order],
        keys=range(case.keys),
        value=np.concatenate([argument, np.where(f == 1, argument, result + 1)])[order],
        values=values,
        time_ns=(times * 1e9).astype(np.int64),
        interned=True,
    )


def schedule(dice: np.random.Generator, case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """When each call is invoked, takes effect and completes, and by which thread: the threads call one thing after the other."""
    n, threads = case.operations, case.concurrency
    thread = np.arange(n) % threads
    before_ms, after_ms, pause_ms = dice.exponential(1, n), dice.exponential(1, n), dice.exponential(0.2, n)
    end_ms = np.empty(n)
    for t in range(threads):
        mine = thread == t
        end_ms[mine] = np.cumsum((before_ms + after_ms + pause_ms)[mine])
    ret_ms = end_ms - pause_ms
    return (ret_ms - after_ms - before_ms) / 1e3, (ret_ms - after_ms) / 1e3, ret_ms / 1e3, thread


def _run(order: np.ndarray, f: np.ndarray, key: np.ndarray, written: np.ndarray) -> np.ndarray:
    """What every read returns (-1: nothing yet), with calls taking effect in ``order``."""
    result = np.full(len(f), -1)
    for mine in np.split(order[np.argsort(key[order], kind="stable")], np.cumsum(np.bincount(key))[:-1]):
        latest = np.maximum.accumulate(np.where(f[mine] == 1, np.arange(len(mine)), -1))
        reads = (f[mine] == 0) & (latest >= 0)
        result[mine[reads]] = written[mine[latest[reads]]]
    return result


def _make_stale(result: np.ndarray, f: np.ndarray, key: np.ndarray, effect_s: np.ndarray, case: Case) -> None:
    """Late in the run one read returns what another read of the key returned long before."""
    reads = np.flatnonzero(f == 0)
    reads = reads[np.argsort(effect_s[reads])]
    victim = reads[int(len(reads) * 0.9)]
    earlier = reads[(key[reads] == key[victim]) & (effect_s[reads] < effect_s[victim])]
    # Of few values, any may have been written again meanwhile; but nothing ever writes the first one, null.
    result[victim] = -1 if case.values else result[earlier[-10 * case.concurrency]]


def measure(case: Case) -> str:
    history = history_of(case)
    history.calls()  # cached: a loaded history has them
    checker, wanted = make(model="register"), Validity.INVALID if case.stale else Validity.VALID
    took_s = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        verdict = checker.check(history, Budget())
        took_s.append(time.perf_counter() - began)
    assert verdict.validity is wanted, verdict.reason
    warm_s = sorted(took_s[1:])[len(took_s[1:]) // 2]
    algorithm = "+".join(verdict.stats["algorithms"])
    return (
        f"{case.operations:>9,} {case.concurrency:>5} {case.workload:<32} {'stale' if case.stale else 'valid':<6} "
        f"{algorithm:<10} {took_s[0] * 1e3:>9.1f} {warm_s * 1e3:>9.1f} {case.operations / warm_s:>12,.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations-max", type=int, default=1_000_000)
    most = parser.parse_args().operations_max
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}")
    print(
        f"{'n':>9} {'conc.':>5} {'workload':<32} {'':<6} {'algorithm':<10} {'first ms':>9} {'warm ms':>9} {'op/s':>12}"
    )
    for case in CASES:
        if case.operations <= most:
            print(measure(case), flush=True)


if __name__ == "__main__":
    main()
