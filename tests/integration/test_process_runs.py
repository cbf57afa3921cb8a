"""The same program and the same faults on real processes: the correct node is valid, seeded bugs are invalid."""

from __future__ import annotations

import pytest

from tests.simulation import run, why

pytestmark = pytest.mark.process

KINDS = {"partition", "packet", "kill", "pause", "clock", "term", "throttle"}
# Timing is real here, so a bug may need another try; it must show in one of these runs.
TRIES = 5


@pytest.mark.parametrize("cluster", ["process", "proxy"])
def test_the_correct_node_is_valid_under_all_faults(cluster: str) -> None:
    report = run(seed=3, cluster=cluster, nemesis="all", time_limit_s=20.0)
    assert report.results["verdict"] == "valid", why(report)
    faults = report.results["faults"]
    assert {fault["kind"] for fault in faults} == KINDS
    assert all(fault["bit"] and fault["healed"] for fault in faults)


@pytest.mark.parametrize("bug", ["stale-local-read", "no-fsync", "read-index-unconfirmed"])
def test_a_seeded_bug_is_invalid(bug: str) -> None:
    for seed in range(TRIES):
        report = run(seed=seed, cluster="process", bug=bug, time_limit_s=12.0, interval_s=2.0, recovery_s=5.0)
        if report.results["verdict"] == "invalid":
            assert report.results["anomalies"][0]["checker"] == "linearizable"
            return
    pytest.fail(f"{bug} was not found in {TRIES} runs: {why(report)}")
