"""What litmus tests end with, and how often: `python benchmarks/litmus_trials.py [TRIALS] [TARGET ...]`.

For each shared memory at least TRIALS (by default 100,000) completed instances of all litmus tests together, in the simulator without
faults: five nodes, forty clients, in runs with the seeds 0, 1, 2, ... Each outcome has its rate among the runs of its test with the 95 %
interval (Wilson; of what was never seen, the upper end is what the rate may still be), and the models that allow it. Outcomes that
sequential consistency forbids are marked, and summed up in the last lines. An outcome that the target's own model forbids ends all with
exit code 1.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from checkers.memory.models import MODELS
from harness import store
from harness.cli.judging import judge_run
from harness.cli.planning import Request, make_plan
from harness.cli.run import conduct_plan
from harness.litmus import LITMUS
from harness.samples import wilson

TRIALS = 100_000
WORKLOADS = {
    "dsm/msi": "litmus",
    "dsm/mesi": "litmus",
    "dsm/release": "litmus-rc",
    "dsm/store-buffer": "litmus-tso",
}
# As many threads side by side as the simulator carries without a queue before the nodes.
SETTINGS: dict[str, Any] = {
    "rate": 2000.0,
    "concurrency": 40,
    "time_limit_s": 20.0,
    "recovery_s": 0.1,
    "progress_s": 0.1,
}

Histogram = dict[str, Counter[str]]


def measured(target: str, seed: int, histogram: Histogram) -> int:
    """One run, added to ``histogram``: how many instances were completed. Raises SystemExit if its verdict is not valid."""
    with tempfile.TemporaryDirectory() as scratch:
        request = Request(
            target=target, cluster="sim", workload=WORKLOADS[target], nemesis="none", seed=seed, settings=SETTINGS
        )
        plan = make_plan(request)
        run = store.create(Path(scratch), plan)
        conduct_plan(plan, run)
        results = judge_run(run).results
    if results["verdict"] != "valid":
        raise SystemExit(f"{target}, seed {seed}: {results['verdict']}: {results['reason']}")
    (stats,) = [checker["stats"] for checker in results["checkers"] if checker["checker"] == "litmus"]
    for test, seen in stats["outcomes"].items():
        histogram[test].update({outcome: row["times"] for outcome, row in seen.items()})
    complete: int = stats["complete"]
    return complete


def rows(test: str, seen: Counter[str]) -> list[tuple[str, str, str, str, str, bool]]:
    """Every outcome that some model allows or that was seen: its rate and who allows it; the last: sequential consistency forbids it."""
    allowing: dict[str, list[str]] = {}
    for model, allowed in MODELS.items():
        for values in allowed(LITMUS[test]):
            words = " ".join(
                f"{register}={value}" for register, value in zip(LITMUS[test].registers, values, strict=True)
            )
            allowing.setdefault(words, []).append(model)
    total = seen.total()
    found = []
    for outcome in sorted({*allowing, *seen}, key=lambda outcome: (-seen[outcome], outcome)):
        low, high = wilson(seen[outcome], total)
        models = allowing.get(outcome, [])
        rate = f"{seen[outcome] / total:.4%}" if total else "-"
        found.append(
            (outcome, f"{seen[outcome]:,}", rate, f"{low:.4%} – {high:.4%}", " ".join(models), "sc" not in models)
        )
    return found


def main() -> None:
    trials = int(float(sys.argv[1])) if len(sys.argv) > 1 else TRIALS
    for target in sys.argv[2:] or WORKLOADS:
        began_s, histogram, complete, seed = time.process_time(), Histogram({name: Counter() for name in LITMUS}), 0, 0
        while complete < trials:
            complete += measured(target, seed, histogram)
            seed += 1
        print(f"\n{target}: {complete:,} runs of {len(LITMUS)} tests, seeds 0 to {seed - 1}", flush=True)
        weak = 0
        for test in LITMUS:
            for outcome, times, rate, interval, models, forbidden in rows(test, histogram[test]):
                mark = "  <- sc forbids" if forbidden else ""
                print(f"{test:>12} {outcome:>20} {times:>9} {rate:>10} {interval:>23}  {models}{mark}")
                weak += histogram[test][outcome] * forbidden
        low, high = wilson(weak, complete)
        print(
            f"outcomes that sequential consistency forbids: {weak:,} of {complete:,} runs, {weak / complete:.4%} "
            f"({low:.4%} – {high:.4%}); {time.process_time() - began_s:.0f} s of CPU time",
            flush=True,
        )


if __name__ == "__main__":
    main()
