"""Kills controllers of real runs and looks at what is left: ``python -m tests.integration.deaths --runs 50 --cluster local``.

Each controller runs ``kv/raft`` under faults of every kind and is killed with SIGKILL, in turn at a random moment from its start on, and
right after a line of its fault journal, each line in turn: a hundred runs meet all of them and fifty other moments.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.cli.main import run_command
from harness.formats import load_history
from tests.harness.clusters.local.running import descendants, lives, machine, namespaces_of, now_s, still_in, traces

PATIENCE_S, LOOK_S = 60.0, 0.002
ROOT = Path(__file__).parent.parent.parent
# Faults of every power that all clusters of real processes have, one after another and some at once, each with all of its steps.
FAULTS = (
    {"kind": "pause", "start_s": 1, "end_s": 3, "args": {"nodes": ["n2"]}},
    {"kind": "partition", "start_s": 1.5, "end_s": 4, "args": {"nodes": ["n1"]}},
    {"kind": "packet", "start_s": 3.5, "end_s": 6, "args": {"nodes": ["n3"], "delay_s": 0.02, "duplicate": 0.2}},
    {"kind": "kill", "start_s": 5, "end_s": 7, "args": {"nodes": ["n1"]}},
    {"kind": "throttle", "start_s": 7.5, "end_s": 55, "args": {"nodes": ["n2"], "share": 0.2}},
    {"kind": "clock", "start_s": 8, "end_s": 10, "args": {"nodes": ["n3"], "offset_s": -5}},
    {"kind": "term", "start_s": 10.5, "end_s": 12, "args": {"nodes": ["n1"]}},
    {"kind": "pause", "start_s": 12.5, "end_s": 50, "args": {"nodes": ["n1"]}},
)
# The lines that the fault journal has before the last faults end, which they do not in time: intent, applied, verified of all eight,
# healed of six.
STEPS = 3 * len(FAULTS) + 6
# What the log of kv/raft holds of a client's request: ["write",key,value,client,number], ["cas",key,old,new,client,number].
_WRITES = re.compile(rb'\["write",(-?\d+),(-?\d+),"[^"]*",\d+\]')
_SWAPS = re.compile(rb'\["cas",(-?\d+),(-?\d+),(-?\d+),"[^"]*",\d+\]')


# The processes that a controller had, their namespaces, and when it was killed.
Killed = tuple[set[int], set[str], float]


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition, not for a time."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"not in {PATIENCE_S} s: {what}"
        select.select([], [], [], LOOK_S)


class Controller:
    """A process that conducts a run of kv/raft on this cluster, below ``path``."""

    def __init__(self, process: subprocess.Popen[str], path: Path) -> None:
        self.process, self._path = process, path

    @property
    def run(self) -> Path | None:
        """The run's directory, once there is one."""
        link = self._path / "store" / "latest"
        return link.resolve() if link.exists() else None

    def journal(self) -> list[str]:
        """The states that the fault journal holds so far."""
        file = self.run / "faults.jsonl" if self.run is not None else None
        if file is None or not file.exists():
            return []
        whole = [line for line in file.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
        return [json.loads(line)["state"] for line in whole if '"state"' in line]

    def sent(self) -> int:
        """How many ops the history holds."""
        file = self.run / "history.jsonl" if self.run is not None else None
        return file.read_bytes().count(b'"type":"invoke"') if file is not None and file.exists() else 0

    def kill(self) -> Killed:
        """SIGKILL."""
        inside = descendants(self.process.pid)
        names = namespaces_of(inside)
        self.process.send_signal(signal.SIGKILL)
        ended_s = now_s()
        self.process.communicate(timeout=PATIENCE_S)
        return inside, names, ended_s


@contextmanager
def controller(path: Path, cluster: str) -> Iterator[Controller]:
    """One under way; it is killed at the end at the latest."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "faults.json").write_text(json.dumps({"version": 1, "faults": FAULTS}), encoding="utf-8")
    argv = [sys.executable, "-m", "harness.cli", "run", "kv/raft", "--cluster", cluster, "--nodes", "3"]
    argv += ["--time-limit", "60", "--schedule", str(path / "faults.json"), "--store", str(path / "store")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as process:
        try:
            yield Controller(process, path)
        finally:
            process.kill()


def unrecorded(run: Path) -> list[str]:
    """The clients' requests that are in some node's log, and of which the history knows nothing."""
    history = run / "history.jsonl"
    if not history.exists():
        return []
    ops = [json.loads(line) for line in history.read_bytes().splitlines()[1:] if line.endswith(b"}")]
    sent = {json.dumps([op["f"], op["key"], op["value"]]) for op in ops if op["type"] == "invoke"}
    found = set()
    for log in run.glob("nodes/*/data/log"):
        data = log.read_bytes()
        found |= {json.dumps(["write", int(key), int(value)]) for key, value in _WRITES.findall(data)}
        found |= {json.dumps(["cas", int(key), [int(old), int(new)]]) for key, old, new in _SWAPS.findall(data)}
    return sorted(found - sent)


def nothing_left(killed: Killed, path: Path) -> None:
    """Raises AssertionError unless all processes and namespaces of the run below ``path`` are gone, and nothing else is left of it."""
    inside, names, ended_s = killed
    eventually(lambda: not any(lives(pid) for pid in inside), "all processes are gone, those that stood still, too")
    assert not still_in(names, ended_s)
    assert traces(path) == []


def judged(run: Path) -> None:
    """Raises AssertionError unless the history of a killed run holds all that was sent, and is read and judged as unknown."""
    missing = unrecorded(run)
    assert not missing, f"sent, and not in the history: {missing[:5]}"
    sent = (run / "history.jsonl").read_bytes().count(b'"type":"invoke"')
    assert len(load_history(run / "history.jsonl").calls()) == sent
    assert run_command(["check", str(run), "--json"]) == 2  # nothing was healed, so nothing is proved


def _once(path: Path, cluster: str, dice: random.Random, step: int, *, at_random: bool, alone: bool) -> str:
    before = machine()
    with controller(path, cluster) as one:
        if at_random:
            wait_s = dice.uniform(0.0, 16.0)
            with suppress(subprocess.TimeoutExpired):
                one.process.wait(timeout=wait_s)
            what = f"after {wait_s:.2f} s"
        else:
            lines = 1 + step % STEPS
            eventually(lambda: len(one.journal()) >= lines, f"the fault journal has {lines} lines")
            what = f"after line {lines} of the fault journal ({one.journal()[lines - 1]})"
        killed = one.kill()
        nothing_left(killed, path)
        run = one.run
    assert not alone or machine() == before, "routes, rules, interfaces or mounts of the machine have changed"
    missing = unrecorded(run) if run is not None else []
    assert not missing, f"sent, and not in the history: {missing[:5]}"
    return f"{what}: {len(killed[0])} processes and {len(killed[1])} namespaces gone"


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Kills controllers at random moments; says what each left, and fails if anything."
    )
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--cluster", default="local")
    parser.add_argument("--seed", type=int, default=1)
    alone = "nobody else changes the machine: its routes, rules, interfaces and mounts must be byte for byte the same afterwards"
    parser.add_argument("--alone", action="store_true", help=alone)
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    for number in range(arguments.runs):
        with tempfile.TemporaryDirectory() as scratch:
            said = _once(
                Path(scratch), arguments.cluster, dice, number // 2, at_random=number % 2 == 0, alone=arguments.alone
            )
        sys.stdout.write(f"{number + 1}: {said}\n")
        sys.stdout.flush()
    sys.stdout.write(
        f"{arguments.runs} controllers killed on {arguments.cluster}: nothing is left, no operation is lost\n"
    )


if __name__ == "__main__":
    main()
