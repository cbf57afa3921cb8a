"""What the failure of a coordinator costs: how long two and three phases block, and how often a partition tears three phases apart.

    python benchmarks/commit_blocking.py [SEEDS] [blocked | torn]

In the simulator, over the seeds 0 to SEEDS - 1 (10, if none are named): six nodes with two shards on three each, a coordinator that takes
0.2 s (if nothing else is said) between the votes and its decision, 20 clients, 40 transactions per second that look at two keys each.

The first table, "blocked": the coordinator is killed between the phases, and is down for so long. What is shown is the longest time for
which a participant had voted yes and did not know the outcome, by the nodes' logs: median of the runs (least to most). The second, "torn":
a partition of 4 s between the shards. A run is torn if the checker atomic-commit finds it invalid. Intervals are of
95 % (Wilson).
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import store
from harness.cli import tables
from harness.cli.judging import judge_run
from harness.cli.planning import Request, claim_of, make_plan
from harness.cli.run import conduct_plan
from harness.samples import wilson

ATOMIC = "atomic-commit"
TWO, THREE = ("txn/2pc", "atomic-though-the-coordinator-dies"), ("txn/3pc", "does-not-block")
OUTAGES_S = (1, 4, 16)
DECIDE_S = (0.0, 0.2)
# What stands around an outage: the start of the run, and the time in which the coordinator is back and tells.
BEFORE_S, AFTER_S = 3.0, 3.0
# The partition, once all is going.
SPLIT_S = (3.0, 7.0)


def judged(target: str, claim: str, seed: int, **settings: Any) -> Mapping[str, Any]:
    """What atomic-commit says of one run of ``claim`` with other ``settings``: its validity, and its figures."""
    known = claim_of(tables.targets().get(target), claim)
    own = replace(known, settings={**known.settings, "recovery_s": AFTER_S, "progress_s": AFTER_S, **settings})
    plan = make_plan(Request(target=target, cluster="sim", seed=seed, claim=own))
    with tempfile.TemporaryDirectory() as directory:
        run = store.create(Path(directory), plan)
        conduct_plan(plan, run)
        results = judge_run(run).results
    (found,) = [one for one in results["checkers"] if one["checker"] == ATOMIC]
    return {"validity": found["validity"], **found["stats"]}


def blocked(target: str, claim: str, outage_s: float, seeds: int) -> str:
    """A cell of the first table."""
    kill = {
        "kind": "kill",
        "start_s": BEFORE_S,
        "end_s": BEFORE_S + outage_s,
        "args": {"target": "coordinator", "else": "n7"},
    }
    length_s = BEFORE_S + outage_s + AFTER_S
    found = [
        judged(target, claim, seed, schedule=(kill,), time_limit_s=length_s)["blocked_s"]["max"]
        for seed in range(seeds)
    ]
    return f"{statistics.median(found):.2f} s ({min(found):.2f} to {max(found):.2f})"


def torn(target: str, claim: str, settings: Mapping[str, Any], seeds: int) -> str:
    """The cells of a row of the second table."""
    found = [judged(target, claim, seed, **settings) for seed in range(seeds)]
    runs = sum(one["validity"] == "invalid" for one in found)
    txns = sum(one["anomalies"].get("disagreement", 0) for one in found)
    low, high = wilson(runs, seeds)
    of = sum(one["transactions"] for one in found)
    return f"{runs} of {seeds} ({100 * low:.0f} to {100 * high:.0f} %) | {txns} of {of:,}"


def print_blocked(seeds: int) -> None:
    """The first table."""
    print("| the coordinator is down for | two phases blocked | three phases blocked |\n|---|---|---|", flush=True)
    for outage_s in OUTAGES_S:
        cells = [blocked(*which, outage_s, seeds) for which in (TWO, THREE)]
        print(f"| {outage_s} s | {' | '.join(cells)} |", flush=True)


def print_torn(seeds: int) -> None:
    """The second table."""
    print("| partition | runs torn | transactions torn |\n|---|---|---|", flush=True)
    split = claim_of(tables.targets().get("txn/3pc"), "a-partition-tears-it-apart")
    (start_s, end_s), partition = SPLIT_S, split.settings["schedule"][0]
    once = {
        "schedule": ({**partition, "start_s": start_s, "end_s": end_s},),
        "time_limit_s": end_s + AFTER_S,
    }
    for decide_s in DECIDE_S:
        settings = {**once, "options": {**split.settings["options"], "decide_s": decide_s}}
        print(f"| 3pc, {decide_s:g} s to decide | {torn('txn/3pc', split.name, settings, seeds)} |", flush=True)
    print(f"| 2pc, 0.2 s to decide | {torn(*TWO, once, seeds)} |", flush=True)


TABLES = {"blocked": print_blocked, "torn": print_torn}


def main() -> None:
    """The tables that are named, or both."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    for name in sys.argv[2:] or TABLES:
        TABLES[name](seeds)


if __name__ == "__main__":
    main()
