"""``python -m tests.oracles DIR...``: judge downloaded corpora, and compare with what they say of themselves.

One line per history that disagrees, is unknown, or cannot be read; then agreement and times per model. The exit code
is 1 if any verdict disagrees.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

from checkers.linearizable.check import make
from harness.errors import HistoryError
from harness.formats import load_history
from harness.verdict import Budget, Validity
from tests.oracles.corpora import Oracle, find


def judged(oracle: Oracle) -> tuple[str, float, float, str]:
    """What became of it (agrees, disagrees, no-oracle, unknown, unreadable), seconds to load and to judge, and why."""
    began = time.perf_counter()
    try:
        history = load_history(oracle.path)
    except HistoryError as error:
        return "unreadable", time.perf_counter() - began, 0.0, str(error)
    loaded = time.perf_counter()
    verdict = make(model=oracle.model).check(history, Budget())
    took = time.perf_counter() - loaded
    if verdict.validity is Validity.UNKNOWN:
        return "unknown", loaded - began, took, verdict.reason
    if oracle.valid is None:
        return "no-oracle", loaded - began, took, str(verdict.validity)
    word = "agrees" if (verdict.validity is Validity.VALID) == oracle.valid else "disagrees"
    return word, loaded - began, took, verdict.reason


def main(roots: list[str]) -> int:
    if not roots:
        sys.stderr.write(f"{__doc__}")
        return 254
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for oracle in (oracle for root in roots for oracle in find(Path(root))):
        word, load_s, judge_s, why = judged(oracle)
        counts[oracle.name][word] += 1
        times[oracle.name].append((load_s, judge_s))
        if word not in ("agrees", "no-oracle"):
            print(f"{word}: {oracle.path} ({oracle.name}): {why}", flush=True)
    for model, found in sorted(counts.items()):
        load_s, judge_s = (sum(column) for column in zip(*times[model], strict=True))
        told = ", ".join(f"{number} {word}" for word, number in sorted(found.items()))
        print(f"{model}: {told}; {load_s * 1e3:.0f} ms to load, {judge_s * 1e3:.1f} ms to judge")
    return int(any(found["disagrees"] for found in counts.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
