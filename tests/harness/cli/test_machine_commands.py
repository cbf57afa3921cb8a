"""The commands that look at the machine: heal, doctor, image; and how a command is ended from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness import store
from harness.cli import doctor
from harness.cli.main import run_command
from harness.plan import Plan
from tests.harness.test_heal import dead_run
from tests.healing import healing_only
from tests.integration.test_controller_death import eventually


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")


@pytest.mark.usefixtures("no_engine")
def test_healing_makes_the_runs_of_a_store_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = dead_run(tmp_path)
    run.faults.write_text('{"splitbrain": "faults", "version": 1}\n{"time": 1, "state": "applied", "id": 3}\n')
    with healing_only(os.getpid()):
        assert run_command(["heal", "--store", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == [{"run": str(run.path), "operations": 0, "faults": [3]}]
    assert run_command(["heal", str(run.path), "--store", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == []


@pytest.mark.usefixtures("no_engine")
def test_what_is_no_run_cannot_be_healed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["heal", str(tmp_path)]) == 254
    assert "is not the directory of a run" in capsys.readouterr().err


def test_the_doctor_tries_every_fault_for_real(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["doctor", "--cluster", "sim", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {cell["fault"].split(",")[0] for cell in document["cells"]} >= {
        "partition",
        "packet",
        "kill",
        "pause",
        "clock",
    }
    assert all(cell["reason"] for cell in document["cells"])
    assert all(cell["works"] or "does not have the power" in cell["reason"] for cell in document["cells"])
    assert len([cell for cell in document["cells"] if cell["works"]]) >= 9


@pytest.mark.usefixtures("no_engine")
def test_the_doctor_says_what_would_enable_a_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["doctor", "--cluster", "docker"]) == 255
    said = capsys.readouterr().out
    assert "apt-get install docker.io" in said
    assert "yes" not in said
    assert run_command(["doctor", "--cluster", "dokcer"]) == 254
    assert "did you mean 'docker'?" in capsys.readouterr().err


def test_the_doctor_believes_only_a_fault_that_bites(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.clusters.sim import SimCluster

    async def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(SimCluster, "cut", nothing)
    cells = {cell.fault: cell.works for cell in doctor.examine("sim")}
    assert not cells["partition, two ways"]
    assert cells["kill, crash"]


@pytest.mark.process
@pytest.mark.parametrize("ignoring", [False, True])
def test_sigterm_ends_a_run_as_an_interrupt_does(tmp_path: Path, ignoring: bool) -> None:
    """Also where interrupts are ignored, as in what a shell runs in the background."""
    argv = [sys.executable, "-m", "harness.cli", "run", "kv/raft", "--cluster", "process", "--nemesis", "pause"]
    argv += ["--nodes", "3", "--time-limit", "60", "--interval", "2", "--store", str(tmp_path)]

    if ignoring:
        argv = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *argv]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as run:
        journal = tmp_path / "latest" / "faults.jsonl"
        eventually(lambda: journal.exists() and '"verified"' in journal.read_text(), "a fault holds")
        run.terminate()
        _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert said.strip().endswith("interrupted; all faults are healed and all nodes stopped")
    states = {}
    for line in journal.read_text().splitlines()[1:]:
        entry = json.loads(line)
        states[entry["id"]] = entry["state"]
    assert set(states.values()) == {"healed"}


def test_handlers_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert run_command(["list", "clusters", "--json"]) == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_only_real_runs_tell_who_conducts_them(tmp_path: Path) -> None:
    plan = Plan(target="kv/raft", workload="register", cluster="sim", nodes=("n1",), seed=7)
    run = store.create(tmp_path, plan)
    assert run.controller() is None
    run.note_controller()
    owner = run.controller()
    assert owner is not None
    assert owner.pid == os.getpid()
