"""Whatever ends the controller in mid-fault: no node is left behind, and no operation that was sent is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.cli.main import run_command
from harness.formats import load_history

pytestmark = pytest.mark.process

PATIENCE_S = 60.0
SCHEDULE = {"version": 1, "faults": [{"kind": "pause", "start_s": 1, "end_s": 50, "args": {"nodes": ["n2"]}}]}


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition, not for a time."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"not in {PATIENCE_S} s: {what}"
        os.sched_yield()


def children_of(pid: int) -> set[int]:
    """All descendants of a process, now."""
    table = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in table.splitlines())}
    found = {pid}
    while fresh := {child for child, parent in parents.items() if parent in found} - found:
        found |= fresh
    return found - {pid}


def alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


@contextmanager
def controller(path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A controller in the middle of a pause of n2, and its run's directory."""
    (path / "faults.json").write_text(json.dumps(SCHEDULE))
    argv = [sys.executable, "-m", "harness.cli", "run", "kv/raft", "--cluster", "process", "--time-limit", "55"]
    argv += ["--schedule", str(path / "faults.json"), "--store", str(path / "store")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            journal = path / "store" / "latest" / "faults.jsonl"
            eventually(lambda: journal.exists() and '"verified"' in journal.read_text(), "the fault holds")
            yield process, (path / "store" / "latest").resolve()
        finally:
            process.kill()


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGINT])
def test_no_node_outlives_the_controller(death: signal.Signals, tmp_path: Path) -> None:
    with controller(tmp_path) as (process, run):
        nodes = children_of(process.pid)
        assert len(nodes) >= 5
        process.send_signal(death)
        said = process.communicate(timeout=PATIENCE_S)
        eventually(lambda: not any(map(alive, nodes)), "all nodes are gone, the paused one, too")
        if death is signal.SIGINT:
            assert process.returncode == 130
            assert said[1].strip().endswith("interrupted; all faults are healed and all nodes stopped")
    sent = (run / "history.jsonl").read_bytes().count(b'"type":"invoke"')
    assert run_command(["check", str(run), "--json"]) == 2  # nothing was healed, so nothing is proved
    assert len(load_history(run / "history.jsonl").calls()) == sent
