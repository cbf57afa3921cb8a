"""Shared memories, clocks and counters on real networks: under each of four faults the verdicts of the simulator, of the correct program
and of a seeded bug that shows every time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.report import Report
from tests import simulation
from tests.harness.clusters.docker.running import needs_docker
from tests.harness.clusters.local.running import needs_namespaces

CLUSTERS = [pytest.param("local", marks=needs_namespaces), pytest.param("docker", marks=needs_docker)]
CLOCK = {"kind": "clock", "start_s": 0.5, "end_s": 3, "args": {"shape": "bump", "offset_s": 7.0, "nodes": ["n1", "n3"]}}
PARTITION = {
    "kind": "partition",
    "start_s": 1,
    "end_s": 2.5,
    "args": {"shape": "halves", "sides": [["n2"], ["n1", "n3"]]},
}
KILL = {"kind": "kill", "start_s": 3, "end_s": 4, "args": {"nodes": ["n3"]}}
# Longer than a client is patient, so that it asks another node meanwhile.
PAUSE = {"kind": "pause", "start_s": 4.5, "end_s": 8, "args": {"nodes": ["n1"]}}
ALL = (CLOCK, PARTITION, KILL, PAUSE)


def conducted(target: str, cluster: str, path: Path, faults: tuple[dict[str, Any], ...], **wishes: Any) -> Report:
    schedule = path / "faults.json"
    schedule.write_text(json.dumps({"version": 1, "faults": faults}), encoding="utf-8")
    return simulation.run(
        target,
        cluster=cluster,
        seed=1,
        path=path / "store",
        schedule=schedule,
        nodes=3,
        rate=40.0,
        time_limit_s=8.5,
        recovery_s=6.0,
        progress_s=6.0,
        **wishes,
    )


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("target", ["dsm/mesi", "clock/vector", "kv/counter"])
def test_the_correct_program_is_valid(tmp_path: Path, target: str, cluster: str) -> None:
    report = conducted(target, cluster, tmp_path, ALL)
    assert report.results["verdict"] == "valid", simulation.why(report)
    assert {fault["kind"] for fault in report.results["faults"]} == {fault["kind"] for fault in ALL}
    assert all(fault["bit"] and fault["healed"] for fault in report.results["faults"])


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize(
    ("target", "bug", "checker"),
    [
        ("dsm/mesi", "exclusive-beside-readers", "coherence"),
        ("clock/vector", "no-tick-on-receive", "clock-condition"),
        ("kv/counter", "retry-without-id", "counter"),
    ],
)
def test_a_seeded_bug_is_found_by_its_checker(
    tmp_path: Path, target: str, bug: str, checker: str, cluster: str
) -> None:
    report = conducted(target, cluster, tmp_path, (PAUSE,), bug=bug)
    assert checker in {anomaly["checker"] for anomaly in report.results["anomalies"]}, simulation.why(report)
