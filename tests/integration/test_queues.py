"""The queues on real networks, with real crashes: the verdicts of the simulator, of the correct program and of a seeded bug."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reports.report import Report
from tests import simulation
from tests.harness.clusters.docker.running import needs_docker
from tests.harness.clusters.local.running import needs_namespaces

CLUSTERS = [pytest.param("local", marks=needs_namespaces), pytest.param("docker", marks=needs_docker)]
FAULTS = ("partition", "kill", "power")
# A busy machine delays messages by more than a simulated network does.
PATIENT = {"election_min_s": 0.6, "election_max_s": 1.2, "heartbeat_s": 0.15}
# Timing is real here, so a bug may need another try.
TRIES = 4


def conducted(target: str, cluster: str, path: Path, seed: int, **wishes: Any) -> Report:
    return simulation.run(
        target,
        cluster=cluster,
        seed=seed,
        path=path / str(seed),
        nemesis=",".join(FAULTS),
        nodes=3,
        rate=40.0,
        time_limit_s=10.0,
        interval_s=2.0,
        recovery_s=8.0,
        progress_s=8.0,
        options=PATIENT,
        **wishes,
    )


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("target", ["queue/log", "queue/broker"])
def test_the_correct_program_is_valid(tmp_path: Path, target: str, cluster: str) -> None:
    report = conducted(target, cluster, tmp_path, 3)
    assert report.results["verdict"] == "valid", simulation.why(report)
    assert {fault["kind"] for fault in report.results["faults"]} == set(FAULTS)
    assert all(fault["bit"] and fault["healed"] for fault in report.results["faults"])


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize(
    ("target", "bug", "checker"), [("queue/log", "no-fsync", "kafka"), ("queue/broker", "nack-drops", "total-queue")]
)
def test_a_seeded_bug_is_invalid(tmp_path: Path, target: str, bug: str, checker: str, cluster: str) -> None:
    for seed in range(TRIES):
        report = conducted(target, cluster, tmp_path, seed, bug=bug)
        if checker in {anomaly["checker"] for anomaly in report.results["anomalies"]}:
            assert report.results["verdict"] == "invalid"
            return
    pytest.fail(f"{bug} was not found in {TRIES} runs")
