"""What the checkers of transactions cost: `python -m benchmarks.transactions [TRANSACTIONS...]`, by default 10^4, 10^5 and 10^6.

Histories are strictly serializable (see ``transactions_histories``), of 2.5 micro-operations per transaction; at 10^6 the reads show
1.8 * 10^7 elements. Judged from columns: seconds are CPU time, the best of three rounds; MB is the peak of the process, with the history.
Causal consistency is judged of histories without unknown outcomes, since each of these begins a new process. With `--file` the lists are
also judged from a file of JSON lines, in a process of its own, from the first byte to the verdict. `goal` is what is aimed at, of 10^6
transactions on one core; beyond that, that the cost grows as their number does: `each to first` is the seconds per transaction, in those
of the smallest count. 10^7 (one round) want some 8 GB, lists 4. With `--lists` these
alone, for strict serializability.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.transactions_histories import json_lines, transactions
from checkers.transactions import list_append, rw_register
from checkers.transactions.judging import judged
from harness.formats import load_history
from harness.verdict import Budget, Validity

ROUNDS = 3
# checker, share of unknown outcomes, models: each judged in a process of its own, on one history
CASES = (
    ("list-append", 0.01, ("strict-serializable", "snapshot-isolation")),
    ("rw-register", 0.01, ("strict-serializable", "read-atomic", "monotonic-atomic-view", "read-committed")),
    ("rw-register", 0.0, ("causal",)),
)
COLUMNS = (
    "checker    ",
    "model",
    "transactions",
    "seconds",
    "10^6 per second",
    "to lists",
    "each to first",
    "MB",
    "goal",
    "met",
)
# (checker, model) → 10^6 transactions per second; None: at most three times as long as lists.
GOALS = {
    ("list-append", "strict-serializable"): 1.5,
    ("rw-register", "strict-serializable"): None,
    ("rw-register", "causal"): 0.6,
    ("rw-register", "read-atomic"): 1.0,
    ("rw-register", "read-committed"): 1.0,
}
TO_LISTS_MAX, GROWTH_MAX, FILE_S_MAX = 3.0, 2.0, 15.0
MANY = 5_000_000
ANALYSED = {"list-append": list_append.analysed, "rw-register": rw_register.analysed}


def measure(checker: str, unknown: float, models: tuple[str, ...], count: int) -> list[tuple[str, float, float]]:
    """Model, seconds and megabytes of each case of one history."""
    txns, found = transactions(count, lists=checker == "list-append", unknown=unknown), []
    for model in models:
        rounds = []
        for _ in range(ROUNDS if count < MANY else 1):
            start = time.process_time()
            verdict = judged(checker, ANALYSED[checker](txns, model), model, Budget())
            rounds.append(time.process_time() - start)
            assert verdict.validity is Validity.VALID, verdict.reason
        found.append((model, min(rounds), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
    return found


def write(count: int, path: Path) -> None:
    with path.open("wb") as file:
        file.writelines(json_lines(transactions(count, lists=True, unknown=0.01)))


def from_file(path: Path) -> tuple[float, float]:
    """The same from the first byte to the verdict."""
    start = time.process_time()
    verdict = list_append.make().check(load_history(path), Budget())
    assert verdict.validity is Validity.VALID, verdict.reason
    return time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def show(*cells: str) -> None:
    print(" | ".join(cell.rjust(len(name)) for cell, name in zip(cells, COLUMNS, strict=True)), flush=True)


def _goal(checker: str, model: str, count: int, to_lists: float, rate: float, growth: float) -> tuple[str, str]:  # noqa: PLR0917
    """What is aimed at, and whether that was reached; nothing where there is no goal."""
    if (checker, model) not in GOALS or count < 1_000_000:
        return "", ""
    goal = GOALS[checker, model]
    if count > 1_000_000:
        return f"each to first {GROWTH_MAX:.0f}", _word(growth <= GROWTH_MAX)
    return (
        (f"to lists {TO_LISTS_MAX:.0f}", _word(to_lists <= TO_LISTS_MAX))
        if goal is None
        else (f"{goal}", _word(rate >= goal))
    )


def _word(met: bool) -> str:
    return "yes" if met else "no"


def main(arguments: list[str]) -> None:
    counts = [int(float(word)) for word in arguments if not word.startswith("--")] or [10_000, 100_000, 1_000_000]
    cases = [(CASES[0][0], CASES[0][1], CASES[0][2][:1])] if "--lists" in arguments else CASES
    alone = multiprocessing.get_context("spawn")
    show(*COLUMNS)
    first: dict[tuple[str, str], float] = {}
    for count in counts:
        lists_s = 0.0
        for checker, unknown, models in cases:
            with alone.Pool(1) as pool:
                found = pool.apply(measure, (checker, unknown, models, count))
            for model, seconds, megabytes in found:
                lists_s = lists_s or seconds
                growth = seconds / count / first.setdefault((checker, model), seconds / count)
                goal, met = _goal(checker, model, count, seconds / lists_s, count / seconds / 1e6, growth)
                ratio, rate = f"{seconds / lists_s:.2f}", f"{count / seconds / 1e6:.2f}"
                cells = (checker, model, f"{count}", f"{seconds:.3f}", rate, ratio, f"{growth:.2f}", f"{megabytes:.0f}")
                show(*cells, goal, met)
        if "--file" in arguments:
            with tempfile.TemporaryDirectory() as directory:
                path = Path(directory) / "history.jsonl"
                with alone.Pool(1) as pool:
                    pool.apply(write, (count, path))
                with alone.Pool(1) as pool:
                    seconds, megabytes = pool.apply(from_file, (path,))
            rate = f"{count / seconds / 1e6:.2f}"
            goal = f"{FILE_S_MAX:.0f} s" if count == 1_000_000 else ""
            met = _word(seconds <= FILE_S_MAX) if goal else ""
            cells = (
                "from a file",
                "strict-serializable",
                f"{count}",
                f"{seconds:.2f}",
                rate,
                "",
                "",
                f"{megabytes:.0f}",
            )
            show(*cells, goal, met)


if __name__ == "__main__":
    main(sys.argv[1:])
