"""How often reads under a lease are stale, against the drift of the leader's clock: `python benchmarks/lease_drift.py [SEEDS] [BOUND ...]`.

For each bound on drift that the leases assume (by default 1.05 and 1.5) and each drift, SEEDS runs (by default 10) of a minute of virtual
time: five nodes, forty impatient clients, 200 operations per second. Six times per run the leader's clock begins to drift, and two
seconds later the leader is cut off from the others, as in the claim ``leases-break-beyond-the-bound``. "runs" is the share of runs that are
not linearizable, "reads" that of reads that are certainly stale, both with the 95 % interval (Wilson; reads of one run are no independent
sample, so the interval of the runs is the honest one).

"lease" is how long a lease lasts in true time: (shortest election timeout - 50 ms) / bound / (1 + drift). While that is at most the
shortest timeout ("safe") nothing can go wrong. Beyond, it needs a follower that is elected before the lease ends, and clients that write
there and read here: so violations grow with the drift, and do not begin at once.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import store
from harness.cli.judging import judge_run
from harness.cli.planning import Request, make_plan
from harness.cli.run import conduct_plan
from harness.samples import wilson
from harness.schedule import SCHEDULE_VERSION, Schedule
from targets.kv.raft.config import Config
from targets.kv.raft.local_clock import STEP_S
from targets.kv.raft_claims import QUICK, drifting

SEEDS, BOUNDS = 10, (1.05, 1.5)
DRIFTS = (0.2, 0.0, -0.1, -0.2, -0.3, -0.4, -0.5, -0.6, -0.7, -0.8)
COLUMNS = ("bound", "drift", "lease ms", "safe", "runs", "95 %", "reads", "95 %")


def measured(seed: int, bound: float, drift: float) -> Mapping[str, Any]:
    """One run: whether it was "invalid", and how many of its "reads" were "stale"."""
    document = {"version": SCHEDULE_VERSION, "faults": list(drifting(drift))}
    with tempfile.TemporaryDirectory() as scratch:
        schedule = Path(scratch, "schedule.json")
        schedule.write_text(Schedule.from_json(document, "drift").dumps())
        request = Request(
            target="kv/lease-reads",
            cluster="sim",
            workload="register",
            schedule=schedule,
            seed=seed,
            settings={name: QUICK[name] for name in ("rate", "concurrency", "op_timeout_s")},
            workload_options=QUICK["workload_options"],
            options={**QUICK["options"], "drift_bound": bound},
            checkers={"staleness": {}},
        )
        plan = make_plan(request)
        run = store.create(Path(scratch), plan)
        conduct_plan(plan, run)
        results = judge_run(run).results
    figures = {checker["checker"]: checker for checker in results["checkers"]}
    if figures["linearizable"]["validity"] == "unknown" or figures["sanity"]["validity"] != "valid":
        raise SystemExit(f"seed {seed}, drift {drift:g}: {results['reason']}")
    stats = figures["staleness"]["stats"]
    return {
        "invalid": figures["linearizable"]["validity"] == "invalid",
        "stale": stats["stale_reads"],
        "reads": stats["reads"],
    }


def row(bound: float, drift: float, runs: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    timeout_s = Config().election_min_s
    lease_s = (timeout_s - STEP_S) / bound / (1 + drift)
    broken, stale = sum(run["invalid"] for run in runs), sum(run["stale"] for run in runs)
    reads = sum(run["reads"] for run in runs)
    return (
        f"{bound:g}",
        f"{drift:+.0%}",
        f"{lease_s * 1000:.0f}",
        "yes" if lease_s <= timeout_s else "no",
        f"{broken}/{len(runs)}",
        "{:.0%} – {:.0%}".format(*wilson(broken, len(runs))),
        f"{stale}/{reads}",
        "{:.4%} – {:.4%}".format(*wilson(stale, reads)),
    )


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    bounds = tuple(map(float, sys.argv[2:])) or BOUNDS
    print("  ".join(f"{name:>14}" for name in COLUMNS))
    for bound in bounds:
        for drift in DRIFTS:
            runs = [measured(seed, bound, drift) for seed in range(seeds)]
            print("  ".join(f"{cell:>14}" for cell in row(bound, drift, runs)), flush=True)


if __name__ == "__main__":
    main()
