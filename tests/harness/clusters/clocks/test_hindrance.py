"""What is said where clocks cannot be set wrong: to who plans a run, and by the doctor."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterator

import pytest

from harness.cli import doctor
from harness.cli.main import run_command
from harness.clusters.clocks import clocks
from harness.clusters.local import LocalCluster
from harness.errors import EXIT_USAGE

NOT_HERE = "wall clocks are not faultable here, because"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """What was found out about this machine is kept; what these tests find out is not true of it."""
    clocks.hindrance.cache_clear()
    yield
    clocks.hindrance.cache_clear()


@pytest.fixture
def _arm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")


@pytest.mark.usefixtures("_arm")
def test_another_machine_is_named() -> None:
    why = clocks.hindrance()
    assert why is not None
    assert why.startswith(NOT_HERE)
    assert "this is Linux on aarch64" in why or "this is Darwin on aarch64" in why
    assert clocks.lacks() == {"skew": why}


def test_what_a_trial_met_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.CompletedProcess(
        [], 1, stdout="process 7 cannot be followed: Operation not permitted\n", stderr=""
    )
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(clocks.sys, "platform", "linux")
    monkeypatch.setattr(clocks.subprocess, "run", lambda *_args, **_options: done)
    assert clocks.hindrance() == f"{NOT_HERE} process 7 cannot be followed: Operation not permitted"


@pytest.mark.usefixtures("_arm")
@pytest.mark.skipif(LocalCluster.unavailable() is not None, reason="the local cluster cannot run here")
@pytest.mark.process
def test_a_run_that_needs_it_is_refused_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    code = run_command(["run", "kv/raft", "--cluster", "local", "--nemesis", "kill,clock"])
    assert code == EXIT_USAGE
    assert f"clock: {NOT_HERE}" in capsys.readouterr().err


@pytest.mark.usefixtures("_arm")
@pytest.mark.skipif(LocalCluster.unavailable() is not None, reason="the local cluster cannot run here")
@pytest.mark.process
def test_the_doctor_says_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "TRIALS", {"clock": doctor.TRIALS["clock"], "kill": doctor.TRIALS["kill"]})
    monkeypatch.setattr(doctor.tables, "faults", _Two)
    cells = {cell.fault: cell for cell in doctor.examine("local")}
    assert not cells["clock, bump"].works
    assert cells["clock, bump"].reason.startswith(NOT_HERE)
    assert cells["kill, crash"].works


class _Two:
    """The table of faults, cut down to what is looked at."""

    def names(self) -> list[str]:
        return ["clock", "kill"]

    def get(self, name: str) -> object:
        from nemesis.package import load_faults

        return load_faults()[name]
