"""Ends the controller of a run on containers at a chosen moment, heals, and says what was left: nothing, or it raises.

A moment is a number of lines of the fault journal, or (None) a time after the start; the latter also hits runs that are still starting.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import store
from harness.clusters.containers import labels
from harness.clusters.containers.engine import connect
from harness.formats import load_history
from tests.integration.machine import left, picture

PATIENCE_S = 120.0
ROOT = Path(__file__).parent.parent.parent
KINDS = ("partition", "pause", "packet", "kill")
TARGETS = {
    "partition": {"shape": "halves"},
    "pause": {"nodes": ["n2"]},
    "packet": {"delay_s": 0.05},
    "kill": {"nodes": ["n3"]},
}
# Faults that overlap, one after the other begins; each has intent, applied, verified, healed: 16 lines and the heading.
SCHEDULE = {
    "version": 1,
    "faults": [
        {"kind": kind, "start_s": 1 + number, "end_s": 6 + number, "args": TARGETS[kind]}
        for number, kind in enumerate(KINDS)
    ],
}
LINES = 1 + 4 * len(KINDS)
# What a server of raft keeps of a client's operation, wherever in its files.
_ENTRY = re.compile(rb'\["(write|cas)",(\d+),(\d+),(?:(\d+),)?"c\d+",\d+\]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """How it went: lines of the fault journal and operations at the end, and what ``splitbrain heal`` said. ``others`` names what else
    has changed on the machine, by somebody else, since nothing of it carries this controller's mark.
    """

    others: tuple[str, ...]
    lines: int
    operations: int
    healed: dict[str, Any]
    status: int


def die(
    directory: Path,
    *,
    at_line: int | None = None,
    after_s: float = 0.0,
    by: signal.Signals = signal.SIGKILL,
    fabric: str = "own",
    alone: bool = True,
) -> Death:
    """One run and its end. Raises AssertionError, saying what was left.

    ``alone``: nobody else changes the machine meanwhile, so that it must be as before, whatever carries a mark.
    """
    before = picture()
    (directory / "faults.json").write_text(json.dumps(SCHEDULE))
    where = directory / "store"
    argv = [
        "run",
        "kv/raft",
        "--cluster",
        "docker",
        "--nodes",
        "3",
        "--seed",
        "3",
        "--time-limit",
        "12",
        "--recovery",
        "5",
    ]
    argv += ["--progress", "5", "--schedule", str(directory / "faults.json"), "--store", str(where)]
    argv += ["--option", f"fabric={fabric}"]
    with subprocess.Popen(
        [sys.executable, "-m", "harness.cli", *argv],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as controller:
        try:
            if at_line is None:
                with suppress(subprocess.TimeoutExpired):
                    controller.wait(after_s)
            else:
                journal = where / "latest" / "faults.jsonl"
                until(lambda: lines_in(journal) >= at_line or controller.poll() is not None, f"line {at_line}")
            controller.send_signal(by)
            said = controller.communicate(timeout=PATIENCE_S)[1]
        finally:
            controller.kill()
    if at_line is not None:
        assert controller.returncode in (-by, 130), f"it ended by itself: {said}"
    until(lambda: not running(controller.pid), "the nodes have ended, those that stood still, too")
    healed = heal(where, controller.pid)
    changed = left(before)
    assert not (changed and alone), f"after {by.name} at line {at_line}, {after_s:g} s: left {changed}"
    again = heal(where, controller.pid)["removed"]
    assert not again, f"what was healed is found again: {again}"
    lines, operations = judge_records(where)
    return Death(others=tuple(changed), lines=lines, operations=operations, healed=healed, status=controller.returncode)


def running(pid: int) -> list[str]:
    """The nodes' containers of this controller that have not ended, be they paused."""
    client = connect()
    try:
        filters = {"label": f"{labels.OURS}={labels.PROGRAM}"}
        found = [
            (one["Labels"], f"{one['Id']} is {one['State']}") for one in client.containers(all=True, filters=filters)
        ]
    finally:
        client.close()
    return [
        state
        for marks, state in found
        if marks[labels.CONTROLLER].startswith(f"{pid}-") and not state.endswith(("exited", "created", "dead"))
    ]


def heal(where: Path, pid: int) -> dict[str, Any]:
    """``splitbrain heal`` as another process, of what this controller has left."""
    argv = [sys.executable, "-m", "tests.healing", str(pid), "--store", str(where), "--json"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def judge_records(where: Path) -> tuple[int, int]:
    """Lines of the fault journal and operations of the history, which holds every operation that any node has ever heard of."""
    runs = list(store.runs(where))
    if not runs or not runs[-1].history.exists():
        return 0, 0
    history = load_history(runs[-1].history)
    calls = history.calls()
    assert all(calls.completion(row) is not None for row in range(len(calls))), "an operation is still open"
    invoked = {(op.f, op.key, json.dumps(op.value)) for op in history if op.type == "invoke" and not op.is_nemesis}
    heard = set()
    for kept in runs[-1].path.glob("nodes/*/data/log"):
        for f, key, first, second in _ENTRY.findall(kept.read_bytes()):
            value = [int(first), int(second)] if second else int(first)
            heard.add((f.decode(), int(key), json.dumps(value)))
    assert heard <= invoked, (
        f"nodes carried out operations that the history does not hold: {sorted(heard - invoked)[:5]}"
    )
    journal = runs[-1].faults
    if journal.exists():
        states = {
            line["id"]: line["state"] for line in map(json.loads, journal.read_text().splitlines()) if "id" in line
        }
        assert set(states.values()) <= {"healed"}, f"faults that are not healed: {states}"
    return lines_in(journal), len(calls)


def lines_in(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition, not for a time."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"not in {PATIENCE_S:g} s: {what}"
        os.sched_yield()
