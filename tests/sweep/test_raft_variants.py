"""Many seeds of kv/lease-reads and kv/local-reads: correct nodes keep their promises, every seeded bug is found.

Leases are tried under every fault but clocks wilder than the bound on drift that they state (``Target.faults``); what those do is a claim
that breaks (``tests/sweep/test_claims.py``). The seeds are fixed, so a failure names the command that shows it.
"""

from __future__ import annotations

import pytest

from harness.protocols import Bug
from targets.kv.raft_reads_target import LEASE_READS, LOCAL_READS
from tests.simulation import run, why
from tests.sweep.seeds import FIRSTS, chunk

pytestmark = pytest.mark.sweep

BUG_SEEDS_MAX = 50
# The correct twin is tried on the seeds that revealed the bug, but on no more than so many.
TWIN_SEEDS_MAX = 5
BUGS = [
    pytest.param(target.name, bug, id=f"{target.name}-{bug.name}")
    for target in (LEASE_READS, LOCAL_READS)
    for bug in target.bugs
]


@pytest.mark.parametrize("target", [LEASE_READS.name, LOCAL_READS.name])
@pytest.mark.parametrize("first", FIRSTS)
def test_the_correct_node_is_valid_under_the_faults_that_it_bears(target: str, first: int) -> None:
    stale = 0
    for seed in chunk(first):
        report = run(target, seed=seed, time_limit_s=60.0)
        assert report.results["verdict"] == "valid", why(report)
        assert all(fault["bit"] and fault["healed"] for fault in report.results["faults"]), why(report)
        assert {fault["kind"] for fault in report.results["faults"]} == set(report.results["plan"]["nemesis"])
        figures = {checker["checker"]: checker["stats"] for checker in report.results["checkers"]}
        stale += figures.get("staleness", {}).get("stale_reads", 0)
    assert bool(stale) is (target == LOCAL_READS.name), "local reads that are never stale are not local"


@pytest.mark.parametrize(("target", "bug"), BUGS)
def test_every_seeded_bug_is_found_and_the_correct_node_is_not_blamed(target: str, bug: Bug) -> None:
    for seed in range(BUG_SEEDS_MAX):
        report = run(target, seed=seed, bug=bug.name)
        if any(anomaly["checker"] == bug.checker for anomaly in report.results["anomalies"]):
            break
    else:
        pytest.fail(f"{bug.name} was not found in {BUG_SEEDS_MAX} seeds")
    settings = {name: value for name, value in bug.settings.items() if name != "bug"}
    for correct in range(min(seed + 1, TWIN_SEEDS_MAX)):
        twin = run(target, seed=correct, nemesis=",".join(bug.faults), **settings)
        assert twin.results["verdict"] == "valid", why(twin)
