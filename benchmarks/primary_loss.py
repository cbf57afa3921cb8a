"""What synchronous and asynchronous replication lose when a primary is replaced: acknowledged adds that the final reads lack.

    python benchmarks/primary_loss.py [SEEDS | FIRST-END] [ROW ...]

A row per variant and faults (all rows, if none is named), over the seeds 0 to SEEDS - 1, or FIRST to END - 1: a minute of cluster time
each, five nodes, ten clients, 100 operations per second, in the simulator. How far it has come is told on standard error. "lost of
acknowledged" has two 95 % intervals. The first (Wilson) takes every write for an independent sample. The second takes the runs for that:
losses come in bursts, a failover each, so it is the honest one.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import store
from harness.cli.judging import judge_run
from harness.cli.planning import Request, make_plan, repeat_command
from harness.cli.run import conduct_plan
from harness.samples import Z_95, wilson

TOLD_EVERY = 10
# Row → what is run.
ROWS: Mapping[str, Mapping[str, Any]] = {
    "sync, all faults": {"target": "kv/primary-sync", "nemesis": "all"},
    "sync, registers, all faults": {"target": "kv/primary-sync", "nemesis": "all", "workload": "register"},
    "async, all faults": {"target": "kv/primary-async", "nemesis": "all"},
    "async, partition": {"target": "kv/primary-async", "nemesis": "partition"},
    "async, kill": {"target": "kv/primary-async", "nemesis": "kill"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One run: its verdict, and how many of the acknowledged adds were lost (0 of 0 where no set was written)."""

    verdict: str
    lost: int
    acknowledged: int


def measure(seed: int, wishes: Mapping[str, Any]) -> Outcome:
    """One run. A synchronous one that is not valid is told at once, with the command that repeats it."""
    plan = make_plan(Request(cluster="sim", seed=seed, **wishes))
    with tempfile.TemporaryDirectory() as directory:
        run = store.create(Path(directory), plan)
        conduct_plan(plan, run)
        results = judge_run(run).results
    if results["verdict"] == "unknown" or (
        results["verdict"] == "invalid" and plan.options["mode"] == "sync" and not plan.bug
    ):
        print(f"{results['verdict']}: {results['reason']}\n  {repeat_command(plan)}", file=sys.stderr)
    stats = next((found["stats"] for found in results["checkers"] if found["checker"] == "set"), {})
    return Outcome(
        verdict=results["verdict"], lost=stats.get("lost_acknowledged", 0), acknowledged=stats.get("acknowledged", 0)
    )


def over_runs(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """The 95 % interval of the share of lost writes, with runs as the samples (ratio estimator, Cochran 1977, section 6.4)."""
    acknowledged = sum(outcome.acknowledged for outcome in outcomes)
    share = sum(outcome.lost for outcome in outcomes) / acknowledged
    squares = sum((outcome.lost - share * outcome.acknowledged) ** 2 for outcome in outcomes)
    reach = Z_95 * math.sqrt(squares * len(outcomes) / max(len(outcomes) - 1, 1)) / acknowledged
    return max(share - reach, 0.0), share + reach


def percent(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.2f} to {100 * interval[1]:.2f} %"


def line(row: str, outcomes: Sequence[Outcome]) -> str:
    runs, valid = len(outcomes), sum(outcome.verdict == "valid" for outcome in outcomes)
    losing = sum(outcome.lost > 0 for outcome in outcomes)
    lost, acknowledged = (sum(getattr(outcome, name) for outcome in outcomes) for name in ("lost", "acknowledged"))
    cells = [row, f"{valid} of {runs}"]
    if acknowledged:
        cells.append(f"{losing} of {runs} ({percent(wilson(losing, runs))})")
        shares = (
            f"{100 * lost / acknowledged:.2f} %; {percent(wilson(lost, acknowledged))}; {percent(over_runs(outcomes))}"
        )
        cells.append(f"{lost:,} of {acknowledged:,} ({shares})")
    else:
        cells += ["-", "-"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """A line of a table per row."""
    first, _, end = (sys.argv[1] if len(sys.argv) > 1 else "20").rpartition("-")
    print("| variant | valid | runs with a loss | lost of acknowledged |\n|---|---|---|---|", flush=True)
    for row in sys.argv[2:] or ROWS:
        outcomes: list[Outcome] = []
        for seed in range(int(first or 0), int(end)):
            outcomes.append(measure(seed, ROWS[row]))
            if len(outcomes) % TOLD_EVERY == 0:
                print(f"up to seed {seed}: {line(row, outcomes)}", file=sys.stderr, flush=True)
        print(line(row, outcomes), flush=True)


if __name__ == "__main__":
    main()
