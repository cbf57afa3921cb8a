"""How often what a claim says breaks, and how often what it says holds does not: rates over seeds, with 95 % intervals (Wilson, by runs).

    python -m benchmarks.claim_rates SEEDS TARGET:CLAIM...

In the simulator, over the seeds 0 to SEEDS - 1, as ``splitbrain run TARGET --claim CLAIM --seed N``. The beginning of a claim's name is
enough, and nothing stands for all of them: ``lock/lease:``. A row tells in how many runs the claim's anomalies were found (any anomaly, of
a claim that holds), which these were, and how many other runs were not valid.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from harness import store
from harness.cli import tables
from harness.cli.judging import judge_run
from harness.cli.planning import Request, make_plan
from harness.cli.run import conduct_plan
from harness.protocols import Claim
from harness.samples import wilson


def chosen(names: list[str]) -> Iterator[tuple[str, Claim]]:
    """The claims that are meant. Raises SystemExit where there is none."""
    for name in names:
        target, _, beginning = name.partition(":")
        found = [claim for claim in tables.targets().get(target).claims if claim.name.startswith(beginning)]
        if not found:
            raise SystemExit(f"target {target} has no claim whose name begins with {beginning!r}")
        yield from ((target, claim) for claim in found)


def row(target: str, claim: Claim, seeds: int) -> str:
    """The cells of a claim's row."""
    broken = 0
    named: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for seed in range(seeds):
        plan = make_plan(Request(target=target, cluster="sim", seed=seed, claim=claim.name))
        with tempfile.TemporaryDirectory() as directory:
            run = store.create(Path(directory), plan)
            conduct_plan(plan, run)
            results = judge_run(run).results
        found = {anomaly["name"] for anomaly in results["anomalies"]}
        wanted = found & set(claim.violates) if claim.violates else found
        broken += bool(wanted)
        named.update(wanted)
        if not wanted and results["verdict"] != "valid":
            others[results["verdict"]] += 1
    low, high = wilson(broken, seeds)
    shown = ", ".join(f"{name} in {number}" for name, number in named.most_common())
    rest = ", ".join(f"{number} {verdict}" for verdict, number in others.items())
    return f"| {target}:{claim.name} | {broken} of {seeds} ({100 * low:.0f} to {100 * high:.0f} %) | {shown} | {rest} |"


def main() -> None:
    """The table."""
    seeds, *names = sys.argv[1:]
    print("| claim | runs broken | by | else |\n|---|---|---|---|", flush=True)
    for target, claim in chosen(names):
        print(row(target, claim, int(seeds)), flush=True)


if __name__ == "__main__":
    main()
