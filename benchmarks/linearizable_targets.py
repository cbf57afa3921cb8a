"""The speeds that the linearizability checkers are to reach, each measured beside its target.

    python benchmarks/linearizable_targets.py [--quick]

Warm: the whole ``check`` on a loaded history, kernels loaded, best of five. Cold: the command ``splitbrain check`` in a new process, best
of five, with a compiled image at hand (made first, if need be), and without any. 10^7 operations have a process of their own, whose peak of
memory counts from the moment at which the history is there: so it holds the history, and not what made it.

Both times are told, that of the processor (there is one thread) and that on the clock; targets are compared with the former, since the
latter means little on a busy machine. The last table shows how far registers of five values with crashed writes and one wrong read are
decided: a line is twenty histories, in each of which another read returns another of the five values.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.linearizable import Case, history_of
from benchmarks.linearizable_histories import (
    append_history,
    cas_history,
    changing_set_history,
    container_history,
    set_history,
)
from checkers.kernels.image import find_image, make_image
from checkers.linearizable import apart, quick
from checkers.linearizable.check import decide, make
from checkers.linearizable.models import REGISTER
from checkers.linearizable.registers import cases
from harness.formats import save_history
from harness.history import FOREVER, History
from harness.verdict import Budget, Validity

ROOT = Path(__file__).parents[1]
REPEATS = 5


class Took(NamedTuple):
    """Seconds, of the processor and on the clock."""

    cpu_s: float
    wall_s: float


def now() -> Took:
    """Of this process and of those of its children that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(time.process_time() + ended.ru_utime + ended.ru_stime, time.perf_counter())


def timed(task: Callable[[], Any]) -> Took:
    began = now()
    task()
    ended = now()
    return Took(ended.cpu_s - began.cpu_s, ended.wall_s - began.wall_s)


def best(task: Callable[[], Any], repeats: int = REPEATS) -> Took:
    """Of a few, after one that does not count, the shortest of either kind."""
    task()
    took = [timed(task) for _ in range(repeats)]
    return Took(min(one.cpu_s for one in took), min(one.wall_s for one in took))


def checking(model: str, history: History, wanted: Validity = Validity.VALID) -> Callable[[], None]:
    history.calls()
    checker = make(model=model)

    def once() -> None:
        verdict = checker.check(history, Budget())
        assert verdict.validity is wanted, verdict.reason

    return once


def checked(model: str, history: History, wanted: Validity = Validity.VALID) -> Took:
    return best(checking(model, history, wanted))


def judging_columns(n: int) -> Callable[[], None]:
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

    return once


def alone(what: str, n: int) -> None:
    """In a process of its own: prints the times, and the peak of memory in MiB since all was there, as JSON."""
    columns = what == "columns"
    task = judging_columns(n) if columns else checking("register", history_of(Case(operations=n, concurrency=10)))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak is what is there now (proc(5))
    took = best(task, 3)
    peak = next(line for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if "VmHWM" in line)
    print(json.dumps([*took, int(peak.split()[1]) >> 10]))


def in_its_own_process(what: str, n: int) -> tuple[Took, int]:
    argv = [sys.executable, __file__, "--alone", what, str(n)]
    told = json.loads(subprocess.run(argv, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return Took(*told[:2]), told[2]


def cold(operations: int, environment: Mapping[str, str]) -> Took:
    """``splitbrain check`` from the shell to its exit."""
    history = history_of(Case(operations=operations, concurrency=10, values=5))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "history.jsonl"
        save_history(history, path)
        argv = [sys.executable, "-m", "harness.cli", "check", str(path), "--model", "register", "--json"]
        env = {**os.environ, **{name: value.format(directory) for name, value in environment.items()}}
        return best(lambda: subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, env=env))


def several_keys(operations: int, keys: int) -> tuple[Took, Took, float]:
    """Keys that take long to search, one after the other and in two processes; of a few of each, in turns, the shortest. And how long two
    would take that nobody keeps waiting: the processor time of this process and, of those that search at once, of the slowest.
    """
    history = history_of(Case(operations=operations, concurrency=25 * keys, values=5, keys=keys))
    form, search_ahead = REGISTER.register, apart.search_ahead
    assert form is not None
    children, slowest = list[float](), list[float]()

    def waited(child: int, options: int) -> tuple[int, int]:
        _, status, used = os.wait4(child, options)
        children.append(used.ru_utime + used.ru_stime)
        return child, status

    def ahead(*arguments: Any) -> list[apart.Ahead]:
        children.clear()
        found = search_ahead(*arguments)
        slowest.append(max(children, default=0.0))
        return found

    def searched(processes: int) -> tuple[Took, float]:
        slowest.clear()
        mine_s = time.process_time()
        took = timed(lambda: decide(cases(history.calls(), form), Budget(), processes))
        return took, time.process_time() - mine_s + sum(slowest)

    with patch("os.waitpid", waited), patch.object(apart, "search_ahead", ahead):
        turns = [(searched(1), searched(2)) for _ in range(REPEATS)]
    one, two = (min((took for took, _ in column), key=lambda took: took.wall_s) for column in zip(*turns, strict=True))
    return one, two, min(path_s for _, (_, path_s) in turns)


def print_several_keys(share: int) -> None:
    """What two processes gain."""
    for n in (40_000, 100_000, 400_000):
        one, two, path_s = several_keys(n // share, 8)
        said = ", ".join(f"{took.wall_s:.2f} s ({took.cpu_s:.2f} s of processors)" for took in (one, two))
        gain = f"{one.wall_s / two.wall_s:.2f} times as fast, at best {one.cpu_s / path_s:.2f}"
        print(f"8 keys of 5 values, {n // share:,}, 200 at once, by one process and by two: {said}, {gain}", flush=True)


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


def main(share: int) -> None:
    if find_image() is None:
        make_image()
    million, ten = 1_000_000 // share, 10_000_000 // share
    print(f"{'what':<58} {'processor':>14} {'on the clock':>14} {'target':>14} {'times':>7}")

    def rate(what: str, n: int, took: Took, target: float) -> None:
        cpu, wall = (n / seconds / 1e6 for seconds in took)
        print(f"{what:<58} {cpu:>8.1f} Mop/s {wall:>8.1f} Mop/s {target:>8.1f} Mop/s {cpu / target:>6.1f}x", flush=True)

    def span(what: str, took: Took, target_s: float) -> None:
        times = f"{took.cpu_s * 1e3:>11.1f} ms {took.wall_s * 1e3:>11.1f} ms {target_s * 1e3:>11.0f} ms"
        print(f"{what:<58} {times} {target_s / took.cpu_s:>6.1f}x", flush=True)

    span("cold: 1,000 operations, 5 values, to the exit", cold(1000, {}), 0.5)
    span("cold, and no compiled image fits", cold(1000, {"XDG_CACHE_HOME": "{}/nothing"}), 2.0)
    for model, make_one in (("register", history_of), ("cas-register", cas_history)):
        for concurrency in (5, 10, 30, 100):
            for stale in (False, True):
                case = Case(operations=million, concurrency=concurrency, crashed=0.01, stale=stale)
                what = f"{model}, {concurrency} at once, 1 % crashed, {'one stale read' if stale else 'valid'}"
                took = checked(model, make_one(case), Validity.INVALID if stale else Validity.VALID)
                rate(f"{what}, {million:,}", million, took, 7)
    first = timed(checking("cas-register", cas_history(Case(operations=million, concurrency=10))))
    print(
        f"the first check of a history with cas, {million:,}: {first.cpu_s * 1e3:.0f} ms; what its pairs are made of is known then"
    )
    rate(f"register, dense columns, {million:,}", million, best(judging_columns(million)), 25)
    for what in ("columns", "history"):
        took, peak_mb = in_its_own_process(what, ten)
        span(f"register, {ten:,}, {what}, {peak_mb:,} MiB at most", took, 1.0)
    for model, target in (("fifo-queue", 10.0), ("unordered-queue", 10.0), ("stack", 2.0), ("priority-queue", 2.0)):
        rate(f"{model}, {million:,}", million, checked(model, container_history(model, million)), target)
    tenth = million // 10
    many = container_history("priority-queue", tenth, keys=tenth // 10)
    rate(f"priority-queue, ten operations per key, {tenth:,}", tenth, checked("priority-queue", many), 0.05)
    rate(f"set, asked for its elements, {million:,}", million, checked("set", set_history(million)), 10)
    for stale in (False, True):
        changing = changing_set_history(Case(operations=million, concurrency=10, crashed=0.01, stale=stale))
        what = f"set, read as a whole, {'one stale read' if stale else 'valid'}, {million:,}"
        rate(what, million, checked("set", changing, Validity.INVALID if stale else Validity.VALID), 10)
    span("strings that grow, 5,000, 10 keys, 50 at once", checked("string-kv", append_history(5000, 50, 10)), 0.1)
    for n, targets in ((10_000, (0.02, 0.2, 0.03)), (100_000 // share, (0.2, 2.0, 4.0))):
        for concurrency, target in zip((10, 30, 100), targets, strict=True):
            case = Case(operations=n, concurrency=concurrency, values=5)
            span(f"register of 5 values, {n:,}, {concurrency} at once", checked("register", history_of(case)), target)
    stale = history_of(Case(operations=100_000 // share, concurrency=10, stale=True))
    span(f"minimal witness, {100_000 // share:,} operations", checked("register", stale, Validity.INVALID), 2.0)
    print_several_keys(share)
    print_hidden_lies(10_000 // share)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the operations")
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.alone:
        alone(chosen.alone[0], int(chosen.alone[1]))
    else:
        main(10 if chosen.quick else 1)
