"""Whole runs on five hosts that are reached by SSH: the same verdicts and the same faults as elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.main import run_command
from tests import simulation
from tests.harness.clusters.hosts import servers
from tests.harness.clusters.hosts.servers import needs_servers

pytestmark = needs_servers
FAULTS = {"partition", "kill", "pause", "clock"}


def test_a_raft_on_five_hosts_is_valid_under_partitions_kills_pauses_and_wrong_clocks(tmp_path: Path) -> None:
    report = simulation.run(
        cluster="ssh",
        seed=7,
        path=tmp_path,
        nodes=5,
        options={"hosts": str(servers.shared().hosts)},
        nemesis=",".join(sorted(FAULTS)),
        time_limit_s=20.0,
        recovery_s=5.0,
        interval_s=2.5,
    )
    results = report.results
    assert results["verdict"] == "valid", simulation.why(report)
    assert {fault["kind"] for fault in results["faults"]} == FAULTS
    assert all(fault["bit"] and fault["healed"] for fault in results["faults"])


def test_a_seeded_bug_is_invalid(tmp_path: Path) -> None:
    report = simulation.caught(
        cluster="ssh",
        path=tmp_path,
        nodes=5,
        options={"hosts": str(servers.shared().hosts)},
        bug="stale-local-read",
        time_limit_s=12.0,
        interval_s=2.0,
        recovery_s=5.0,
    )
    assert report.results["anomalies"][0]["checker"] == "linearizable"


def test_the_doctor_tries_every_fault_on_hosts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["doctor", "--cluster", "ssh", "--hosts", str(servers.shared().hosts), "--json"]) == 0
    cells = {cell["fault"]: cell for cell in json.loads(capsys.readouterr().out)["cells"]}
    beyond = {fault for fault in cells if fault.split(",")[0] in ("memory", "impostor")}
    assert {fault for fault, cell in cells.items() if not cell["works"]} == beyond, cells
    assert all("does not have the power" in cells[fault]["reason"] for fault in beyond)


def test_without_hosts_the_doctor_says_how_to_name_them(capsys: pytest.CaptureFixture[str]) -> None:
    run_command(["doctor", "--cluster", "ssh", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["clusters"] == [
        {"name": "ssh", "works": False, "reason": "the ssh cluster runs on hosts that a file names: --hosts FILE"}
    ]
