"""The directory of a run, written in stages, and the store of runs around it.

store/<target>/<timestamp>/    plan.json       before anything starts
                               controller.json before anything starts: which process conducts the run
                               history.jsonl   while it runs (see journal)
                               faults.jsonl    while it runs (see journal)
                               nodes/<node>/   logs, and what the target left; nodes/clock.json: how their time and the history's meet
                               packets.jsonl   if it was asked for: who sent what to whom (see clusters.message_log, fabric.packet_log)
                               results.json    after the check
                               report.html     after the check
store/latest, store/<target>/latest            links to the newest run
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import mark
from harness.errors import ClusterError, PlanError
from harness.messages import PACKETS, Message, read_messages
from harness.plan import Plan

PLAN, HISTORY, FAULTS, RESULTS, REPORT, NODES = (
    "plan.json",
    "history.jsonl",
    "faults.jsonl",
    "results.json",
    "report.html",
    "nodes",
)
CLOCK = "clock.json"
VERIFICATIONS, VERIFICATION = (
    "verify",
    "verification.json",
)  # the directory of verifications in a store, and the document of each
CONTROLLER = "controller.json"


@dataclass(frozen=True, slots=True)
class Run:
    """One run's directory."""

    path: Path

    @property
    def history(self) -> Path:
        return self.path / HISTORY

    @property
    def faults(self) -> Path:
        return self.path / FAULTS

    @property
    def report(self) -> Path:
        return self.path / REPORT

    @property
    def results(self) -> Path:
        return self.path / RESULTS

    def plan(self) -> Plan:
        """The plan of this run. Raises PlanError if it is missing or broken."""
        path = self.path / PLAN
        try:
            document = json.loads(path.read_text())
        except OSError as error:
            raise PlanError(f"{path}: cannot be read ({error.strerror}): not the directory of a run") from error
        except ValueError as error:
            raise PlanError(f"{path}: not a JSON document ({error})") from error
        if not isinstance(document, dict):
            raise PlanError(f"{path}: a plan is a JSON object")
        return Plan.from_json(document, str(path))

    def note_boot(self, boot_s: float) -> None:
        """Remember that the history's time began ``boot_s`` seconds after the nodes' logs began to count."""
        write(self.path / NODES / CLOCK, json.dumps({"version": 1, "boot_s": boot_s}) + "\n")

    def note_controller(self) -> None:
        """Remember that this process conducts the run: who finds the run later can tell whether it still goes on."""
        write(self.path / CONTROLLER, json.dumps({"version": 1, "mark": str(mark.mine())}) + "\n")

    def controller(self) -> mark.Mark | None:
        """Who conducts the run, or did; None if that is not told."""
        try:
            return mark.parse(json.loads((self.path / CONTROLLER).read_text())["mark"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def node_logs(self) -> dict[str, list[dict[str, Any]]]:
        """Each node's log lines, in order, "t" in seconds of the history's time (before 0 while the nodes boot).

        A line that is not JSON comes as {"t": None, "line": text}.
        """
        boot_s = self._boot_s()
        return {path.parent.name: _log_lines(path, boot_s) for path in sorted(self.path.glob(f"{NODES}/*/node.log"))}

    def messages(self) -> list[Message]:
        """The messages of the run; none if it kept no packet log."""
        try:
            with (self.path / PACKETS).open(encoding="utf-8", errors="replace") as lines:
                return read_messages(lines, self._boot_s())
        except OSError:
            return []

    def _boot_s(self) -> float:
        try:
            return float(json.loads((self.path / NODES / CLOCK).read_text())["boot_s"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0  # the controller died before the run began: the two clocks are as good as one


def create(store: Path, plan: Plan) -> Run:
    """A new directory for ``plan``, with plan.json in it and the ``latest`` links pointing to it. Raises ClusterError."""
    parent = store / plan.target
    try:
        path = _fresh_directory(parent)
        (path / NODES).mkdir()
        write(path / PLAN, plan.dumps())
        _link_latest(store / "latest", path)
        _link_latest(parent / "latest", path)
    except OSError as error:
        raise ClusterError(f"cannot create a run in {store}: {error.strerror}: choose another --store") from error
    return Run(path)


def is_run(path: Path) -> bool:
    return (path / PLAN).is_file()


def runs(store: Path) -> Iterator[Run]:
    """Every run in the store, oldest first by the time in its name."""
    found = [plan.parent for plan in store.glob(f"**/{PLAN}") if not plan.parent.is_symlink()]
    return (Run(path) for path in sorted(found, key=lambda path: (path.name, str(path))))


def write(path: Path, text: str) -> None:
    """``path`` holds ``text`` afterwards, or what it held before: never a part. Raises ClusterError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise ClusterError(f"cannot write {path}: {error.strerror}") from error


def _fresh_directory(parent: Path) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    while True:
        # Microseconds, so that runs started side by side rarely meet; if they do, the second one tries again.
        path = parent / datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path


def _link_latest(link: Path, path: Path) -> None:
    temporary = link.with_name(f".latest.{os.getpid()}.{path.name}")
    temporary.symlink_to(os.path.relpath(path, link.parent))
    temporary.replace(link)


def _log_lines(path: Path, boot_s: float) -> list[dict[str, Any]]:
    return [_log_line(text, boot_s) for text in path.read_text(encoding="utf-8", errors="replace").splitlines()]


def _log_line(text: str, boot_s: float) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except ValueError:
        line = None
    if isinstance(line, Mapping) and "event" in line:
        told_s = line.get("t")
        return {**line, "t": round(told_s - boot_s, 6) if isinstance(told_s, int | float) else None}
    return {"t": None, "line": text}
