"""What the variants of kv/raft show besides their bugs and claims."""

from __future__ import annotations

import pytest

from tests.simulation import assert_kept, run
from tests.sweep.cases import BRIEF

pytestmark = pytest.mark.sweep


@pytest.mark.parametrize(("target", "stale"), [("kv/local-reads", True), ("kv/lease-reads", False)])
def test_local_reads_are_stale_and_reads_under_a_lease_are_not(target: str, stale: bool) -> None:
    """Local reads that are never stale are not local."""
    reads = 0
    for seed in range(10):
        report = run(target, seed=seed, **BRIEF)
        assert_kept(report)
        figures = {checker["checker"]: checker["stats"] for checker in report.results["checkers"]}
        reads += figures.get("staleness", {}).get("stale_reads", 0)
    assert bool(reads) is stale


def test_a_repetition_that_raft_applies_twice_shows_in_its_counter() -> None:
    for seed in range(50):
        report = run("kv/raft", seed=seed, bug="apply-twice-on-retry", workload="counter", **BRIEF)
        found = {(anomaly["checker"], anomaly["name"]) for anomaly in report.results["anomalies"]}
        if found & {("counter", "extra-add"), ("counter", "impossible-sum")}:
            return
    pytest.fail("apply-twice-on-retry was not found in 50 seeds of the workload counter")
