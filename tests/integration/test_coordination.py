"""Transactions, locks and a registry on a real network: under each of four faults the verdicts of the simulator, of the correct program and
of a seeded bug that shows every time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import simulation
from tests.harness.clusters.local.running import needs_namespaces
from tests.integration.test_smaller_subsystems import ALL, CLOCK, KILL, PAUSE, conducted

pytestmark = needs_namespaces


@pytest.mark.parametrize("target", ["txn/2pc", "lock/fenced", "registry"])
def test_the_correct_program_is_valid(tmp_path: Path, target: str) -> None:
    report = conducted(target, "local", tmp_path, ALL)
    assert report.results["verdict"] == "valid", simulation.why(report)
    assert {fault["kind"] for fault in report.results["faults"]} == {fault["kind"] for fault in ALL}
    assert all(fault["bit"] and fault["healed"] for fault in report.results["faults"])


@pytest.mark.parametrize(
    ("target", "bug", "checker", "fault"),
    [
        ("txn/2pc", "locks-released-at-vote", "list-append", PAUSE),
        ("lock/fenced", "token-by-wall-clock", "locks", CLOCK),
        ("registry", "leave-keeps-entries", "registry", KILL),
        ("registry", "node-answers-for-instance", "health", KILL),
    ],
)
def test_a_seeded_bug_is_found_by_its_checker(
    tmp_path: Path, target: str, bug: str, checker: str, fault: dict[str, Any]
) -> None:
    report = conducted(target, "local", tmp_path, (fault,), bug=bug)
    assert checker in {anomaly["checker"] for anomaly in report.results["anomalies"]}, simulation.why(report)
