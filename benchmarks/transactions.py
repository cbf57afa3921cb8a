"""What the checkers of transactions cost: `python -m benchmarks.transactions [TRANSACTIONS...]`, by default 10^4, 10^5 and 10^6.

Histories are strictly serializable (see ``transactions_histories``), of 2.5 micro-operations per transaction; at 10^6 the reads show
1.8 * 10^7 elements. Judged from columns: seconds are CPU time, the best of three rounds; MB is the peak of the process, with the history.
Causal consistency is judged of histories without unknown outcomes, since each of these begins a new process. With `--file` the lists are
also judged from a file of JSON lines, in a process of its own, from the first byte to the verdict.
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
COLUMNS = ("checker", "model", "transactions", "seconds", "10^6 per second", "to lists", "MB")
ANALYSED = {"list-append": list_append.analysed, "rw-register": rw_register.analysed}


def measure(checker: str, unknown: float, models: tuple[str, ...], count: int) -> list[tuple[str, float, float]]:
    """Model, seconds and megabytes of each case of one history."""
    txns, found = transactions(count, lists=checker == "list-append", unknown=unknown), []
    for model in models:
        rounds = []
        for _ in range(ROUNDS):
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


def main(arguments: list[str]) -> None:
    counts = [int(float(word)) for word in arguments if word != "--file"] or [10_000, 100_000, 1_000_000]
    alone = multiprocessing.get_context("spawn")
    show(*COLUMNS)
    for count in counts:
        lists_s = 0.0
        for checker, unknown, models in CASES:
            with alone.Pool(1) as pool:
                found = pool.apply(measure, (checker, unknown, models, count))
            for model, seconds, megabytes in found:
                lists_s = lists_s or seconds
                ratio, rate = f"{seconds / lists_s:.2f}", f"{count / seconds / 1e6:.2f}"
                show(checker, model, f"{count}", f"{seconds:.3f}", rate, ratio, f"{megabytes:.0f}")
        if "--file" in arguments:
            with tempfile.TemporaryDirectory() as directory:
                path = Path(directory) / "history.jsonl"
                with alone.Pool(1) as pool:
                    pool.apply(write, (count, path))
                with alone.Pool(1) as pool:
                    seconds, megabytes = pool.apply(from_file, (path,))
            rate = f"{count / seconds / 1e6:.2f}"
            show("from a file", "strict-serializable", f"{count}", f"{seconds:.2f}", rate, "", f"{megabytes:.0f}")


if __name__ == "__main__":
    main(sys.argv[1:])
