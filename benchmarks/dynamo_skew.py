"""What last-write-wins loses when clocks are wrong: the share of acknowledged adds that are gone in the end, against the skew of one clock.

    python benchmarks/dynamo_skew.py [RUNS]

Five nodes, 20 sets, 20 operations per second for 40 s on the simulator; from 2 s to 39 s the clock of n1 is ahead by the skew. An add reads
a set and writes it with one element more. Per conflict rule and skew: the mean share over RUNS seeds (by default 5), and its 95 % interval
(Student's t over the runs: adds of one run are lost together, so they are no independent sample; never narrower than Wilson's).
"""

from __future__ import annotations

import math
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from harness import store
from harness.cli.judging import judge_run
from harness.cli.planning import Request, make_plan
from harness.cli.run import conduct_plan
from harness.samples import wilson
from harness.schedule import PlannedFault, Schedule

TARGETS = ("kv/dynamo-lww", "kv/dynamo-hlc", "kv/dynamo")
SKEWS_S = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
SETTINGS = {"rate": 20.0, "time_limit_s": 40.0, "recovery_s": 1.0, "progress_s": 1.0}
FROM_S, TO_S = 2.0, 39.0
# The 0.975 quantile of Student's t by degrees of freedom (any table of statistics).
T_975 = (math.inf, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


def lost(target: str, skew_s: float, seed: int) -> tuple[int, int]:
    """(lost, acknowledged) adds of one run."""
    request = Request(
        target=target,
        cluster="sim",
        workload="eventual-set",
        nemesis="none",
        seed=seed,
        settings=SETTINGS,
        workload_options={"keys": 20},
    )
    plan = make_plan(request)
    if skew_s:
        args = {"shape": "bump", "offset_s": skew_s, "nodes": ["n1"]}
        fault = PlannedFault(id=1, kind="clock", start_s=FROM_S, end_s=TO_S, args=args)
        plan = replace(plan, nemesis=("clock",), schedule=Schedule(faults=(fault,), source="benchmark"))
    with tempfile.TemporaryDirectory() as directory:
        run = store.create(Path(directory), plan)
        conduct_plan(plan, run)
        results = judge_run(run).results
    (verdict,) = [checker for checker in results["checkers"] if checker["checker"] == "set"]
    return verdict["stats"]["lost_acknowledged"], verdict["stats"]["acknowledged"]


def interval(found: list[tuple[int, int]]) -> tuple[float, float]:
    """The 95 % interval of the share: Student's over the runs, or Wilson's over all adds where that one is wider (few or no losses)."""
    low, high = wilson(sum(gone for gone, _ in found), sum(acknowledged for _, acknowledged in found))
    if len(found) < 2:
        return low, high
    shares = [gone / acknowledged for gone, acknowledged in found]
    reach = T_975[min(len(shares) - 1, len(T_975) - 1)] * statistics.stdev(shares) / math.sqrt(len(shares))
    mean = statistics.fmean(shares)
    return max(0.0, min(low, mean - reach)), min(1.0, max(high, mean + reach))


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print("target         | skew s | lost % | 95 % interval | adds")
    for target in TARGETS:
        for skew_s in SKEWS_S:
            found = [lost(target, skew_s, seed) for seed in range(runs)]
            shares = [gone / acknowledged for gone, acknowledged in found]
            low, high = interval(found)
            adds = sum(acknowledged for _, acknowledged in found)
            mean = statistics.fmean(shares)
            print(
                f"{target:14} | {skew_s:6g} | {mean:22.2%} | {low:.2%} to {high:.2%} | {adds:,}",
                flush=True,
            )


if __name__ == "__main__":
    main()
