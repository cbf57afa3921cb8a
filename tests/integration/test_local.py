"""Whole runs on the local cluster, and what is left of it on the machine: nothing, whoever dies, as root and as an ordinary user."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from nemesis import FAULTS, NAMED_ONLY
from tests import simulation
from tests.harness.clusters.local.running import (
    descendants,
    lives,
    namespaces_of,
    needs_namespaces,
    now_s,
    still_in,
    until,
)
from tests.integration.ordinary_user import run_as_ordinary_user

pytestmark = needs_namespaces

ROOT = Path(__file__).parent.parent.parent
LIVES = "tests.integration.local_lives"


@pytest.mark.parametrize("version", [4, 6])
def test_a_raft_under_all_faults(tmp_path: Path, version: int) -> None:
    report = simulation.run(
        cluster="local",
        seed=7,
        path=tmp_path,
        nodes=3,
        options={"ip": version},
        nemesis="all",
        time_limit_s=20.0,
        recovery_s=5.0,
        interval_s=3.0,
    )
    results = report.results
    assert results["verdict"] == "valid", simulation.why(report)
    assert {fault["kind"] for fault in results["faults"]} == set(FAULTS) - NAMED_ONLY
    assert all(fault["bit"] and fault["healed"] for fault in results["faults"])


@pytest.mark.parametrize("bug", ["stale-local-read", "no-fsync"])
def test_a_seeded_bug_is_invalid(tmp_path: Path, bug: str) -> None:
    report = simulation.caught(
        cluster="local",
        path=tmp_path,
        bug=bug,
        time_limit_s=12.0,
        interval_s=2.0,
        recovery_s=5.0,
    )
    assert report.results["anomalies"][0]["checker"] == "linearizable"


def test_what_asynchronous_replication_loses_is_counted(tmp_path: Path) -> None:
    report = simulation.caught(
        "kv/primary-async",
        cluster="local",
        path=tmp_path,
        nemesis="partition,kill",
        time_limit_s=15.0,
        recovery_s=5.0,
    )
    (judged,) = [one for one in report.results["checkers"] if one["checker"] == "set"]
    assert 0 < judged["stats"]["lost_acknowledged"] < judged["stats"]["acknowledged"]
    assert judged["reason"].startswith(f"lost {judged['stats']['lost']} of ")


def test_an_interrupt_ends_a_run_and_all_that_it_started(tmp_path: Path) -> None:
    argv = ["run", "kv/raft", "--cluster", "local", "--nodes", "3", "--store", str(tmp_path), "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "harness.cli", *argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=_environment(),
        process_group=0,
    ) as program:

        def under_way() -> bool:
            return any(path.stat().st_size > 1000 for path in tmp_path.rglob("history.jsonl"))

        asyncio.run(until(under_way))
        inside = descendants(program.pid)
        names = namespaces_of(inside)
        os.killpg(program.pid, signal.SIGINT)  # as a terminal does
        output, _ = program.communicate(timeout=60)
        ended_s = now_s()
    assert program.returncode == 130
    assert json.loads(output)["exit_code"] == 130
    assert not any(lives(pid) for pid in inside)
    assert not still_in(names, ended_s)
    assert not list(tmp_path.rglob("results.json"))


@pytest.mark.parametrize("victim", ["controller", "launcher", "supervisor"])
def test_whoever_is_killed_takes_everything_along(tmp_path: Path, victim: str) -> None:
    command = [sys.executable, "-m", LIVES, "hold", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=_environment()) as controller:
        assert controller.stdout is not None
        launcher = int(controller.stdout.readline())
        inside = descendants(launcher)
        names = namespaces_of(inside)
        assert len(inside) == 1 + 1 + 4 + 3  # the supervisor, the shaper, an init for each place, the nodes
        supervisor = min(inside)
        ended_s = now_s()
        os.kill({"controller": controller.pid, "launcher": launcher, "supervisor": supervisor}[victim], signal.SIGKILL)
        asyncio.run(until(lambda: not any(lives(pid) for pid in {launcher, *inside})))
        assert not still_in(names, ended_s)
        controller.kill()


def test_twenty_lives_leave_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", LIVES, "row", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=_environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["lives"] == [{"namespaces": 5 * (1 + 4), "changed": False, "still": []}] * 20
    assert seen["after"] == seen["before"]
    assert seen["traces"] == []


def test_an_ordinary_user_has_every_power() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o777)  # the other user writes there
        done = run_as_ordinary_user([sys.executable, "-m", LIVES, "tour", f"{scratch}/run"], _environment(), ROOT)
        if "Permission denied" in done.stderr and "local_lives" not in done.stderr:
            pytest.skip(
                f"an ordinary user cannot read the interpreter or the source tree: {done.stderr.splitlines()[-1]}"
            )
        assert done.returncode == 0, done.stderr
        seen: dict[str, Any] = json.loads(done.stdout)
        if seen["user"] != os.geteuid():
            owners = {entry.owner() for entry in Path(scratch).rglob("*.log")}
            assert owners == {Path(f"{scratch}/run").owner()}
    assert seen["user"] != 0
    assert seen["unavailable"] is None
    assert (seen["relays"], seen["paused"], seen["restarted"]) == (True, False, True)
    assert seen["lacks"] == []
    assert seen["lost"] == [{"path": "log", "written": 10, "kept": 0}]
    assert seen["cut"] == [False] + [True] * 5
    assert seen["mended"] == [True] * 6
    assert seen["shaped"]["delay_s"] >= 0.05
    assert seen["shaped"]["duplicated"] > 0
    assert seen["skewed"] == pytest.approx(-60, abs=1)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
