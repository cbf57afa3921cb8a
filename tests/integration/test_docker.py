"""Whole runs on containers: the same verdicts and the same faults as elsewhere, and nothing left, whoever ends the controller and when."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from harness import store
from harness.cli.main import run_command
from harness.clusters import CLUSTERS
from harness.clusters.docker import DockerCluster
from harness.formats import load_history
from harness.op import OpType
from harness.registry import load
from tests import simulation
from tests.conformance.worlds import spec
from tests.harness.clusters.docker.running import needs_docker
from tests.harness.clusters.hosts import servers
from tests.healing import healing_only
from tests.integration.container_deaths import KINDS, LINES, TARGETS, die
from tests.integration.machine import left, picture

pytestmark = needs_docker
FAULTS = {"partition", "packet", "kill", "term", "pause", "clock", "throttle", "memory"}


def test_a_raft_under_all_faults(tmp_path: Path) -> None:
    before = picture()
    report = simulation.run(
        cluster="docker",
        seed=7,
        path=tmp_path,
        nodes=3,
        nemesis=",".join(sorted(FAULTS)),
        time_limit_s=24.0,
        recovery_s=5.0,
        interval_s=2.0,
    )
    results = report.results
    assert results["verdict"] == "valid", simulation.why(report)
    assert {fault["kind"] for fault in results["faults"]} == FAULTS
    assert all(fault["bit"] and fault["healed"] for fault in results["faults"])
    assert not left(before)


@pytest.mark.parametrize("bug", ["stale-local-read", "no-fsync", "ack-before-quorum"])
def test_a_seeded_bug_is_invalid(tmp_path: Path, bug: str) -> None:
    report = simulation.caught(
        cluster="docker",
        path=tmp_path,
        bug=bug,
        time_limit_s=12.0,
        interval_s=2.0,
        recovery_s=5.0,
    )
    assert report.results["anomalies"][0]["checker"] == "linearizable"


def test_the_losses_of_an_asynchronous_primary_are_counted(tmp_path: Path) -> None:
    report = simulation.caught(
        "kv/primary-async",
        cluster="docker",
        path=tmp_path,
        workload="set",
        nemesis="partition,kill",
        time_limit_s=12.0,
        interval_s=3.0,
        recovery_s=5.0,
    )
    lost = [anomaly for anomaly in report.results["anomalies"] if anomaly["name"] == "lost"]
    assert lost, simulation.why(report)
    assert any(character.isdigit() for character in lost[0]["reason"])


def test_one_schedule_gives_the_same_faults_everywhere(tmp_path: Path) -> None:
    """What is done to whom, in which order, on every cluster that can run here; docker must."""
    path = tmp_path / "faults.json"
    faults = [
        {"kind": kind, "start_s": 1 + number, "end_s": 5 + number, "args": TARGETS[kind]}
        for number, kind in enumerate(KINDS)
    ]
    faults.append({"kind": "clock", "start_s": 2, "end_s": 4, "args": {"nodes": ["n1"], "offset_s": -30}})
    path.write_text(json.dumps({"version": 1, "faults": faults}))
    seen = {}
    for name in sorted(CLUSTERS):
        why = servers.hindrance() if name == "ssh" else load(CLUSTERS[name]).unavailable()
        if name != "docker" and why is not None:
            continue
        where, options = tmp_path / name, {"hosts": str(servers.shared().hosts)} if name == "ssh" else {}
        report = simulation.run(
            cluster=name, seed=4, path=where, nodes=3, options=options, schedule=path, time_limit_s=10.0, recovery_s=5.0
        )
        assert report.results["verdict"] == "valid", simulation.why(report)
        seen[name] = sequence(where)
    assert len(seen["docker"]) == 2 * len(faults) + 1
    assert "sim" in seen
    assert all(told == seen["docker"] for told in seen.values())


def sequence(where: Path) -> list[Any]:
    """The nemesis's ops of the one run in this store: what, which fault, its arguments, whom it hit."""
    (run,) = store.runs(where)
    done: list[Any] = []
    open_ops: set[str] = set()
    for op in load_history(run.history):
        if not op.is_nemesis or op.f == "final":
            continue
        assert op.type is OpType.INFO
        value = op.value if isinstance(op.value, dict) else {}
        key = f"{op.f} {value.get('id')}"
        if key in open_ops:  # the completion
            done.append((op.f, *(value.get(field) for field in ("id", "kind", "args", "targets", "effects"))))
        open_ops.add(key)
    return done


@pytest.mark.parametrize("at_line", [1, 7, LINES - 4])
def test_a_controller_that_is_killed_leaves_nothing_after_a_heal(tmp_path: Path, at_line: int) -> None:
    death = die(tmp_path, at_line=at_line)
    assert death.status == -signal.SIGKILL
    assert {thing["kind"] for thing in death.healed["removed"]} <= {"container", "process"}
    assert len([thing for thing in death.healed["removed"] if thing["kind"] == "container"]) == 2 * 3
    assert at_line == 1 or death.operations > 0


def test_a_controller_that_is_killed_while_nodes_start_leaves_nothing_after_a_heal(tmp_path: Path) -> None:
    death = die(tmp_path, after_s=3.0)
    assert death.status == -signal.SIGKILL


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_controller_that_is_told_to_end_leaves_nothing_to_heal(tmp_path: Path, by: signal.Signals) -> None:
    death = die(tmp_path, at_line=6, by=by)
    assert death.status == 130
    assert death.healed["removed"] == []


def test_what_a_living_controller_has_made_is_never_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario() -> None:
        cluster = DockerCluster(spec(tmp_path))
        await cluster.start()
        try:
            with healing_only(os.getpid()):
                code = await asyncio.to_thread(run_command, ["heal", "--all", "--json", "--store", str(tmp_path)])
            assert code == 0
            healing = json.loads(capsys.readouterr().out)
            assert healing["removed"] == []
            kept = {thing["name"]: thing["why"] for thing in healing["kept"] if thing["run"] == str(tmp_path)}
            assert len(kept) == 2 * 3
            assert set(kept.values()) == {"its controller lives"}
            for node in cluster.nodes:
                assert await cluster.ask(node, {"type": "sb_ping"}, 30.0) is not None
        finally:
            await cluster.stop()

    asyncio.run(scenario())


def test_the_doctor_tries_every_fault_on_containers(capsys: pytest.CaptureFixture[str]) -> None:
    before = picture()
    assert run_command(["doctor", "--cluster", "docker", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["auto"] == "docker"
    assert document["clusters"] == [{"name": "docker", "works": True, "reason": ""}]
    assert len(document["cells"]) >= 9
    assert [cell for cell in document["cells"] if not cell["works"]] == []
    assert not left(before)
