"""A node that is a child process, over its lives; what such processes are given, and whether one runs."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import targets
from harness import mark
from harness.clusters.child import Child
from harness.clusters.duty import Pacemaker
from targets.node.wallclock import Skew


class Node:
    """What outlasts a node's lives."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name, self.directory, self.log = name, directory, directory / "node.log"
        self.child: Child | None = None  # None: dead
        self.up = False  # whether it has answered ``init`` in this life
        self.lives = 0
        self.skew: Skew | None = None
        self.crash: str | None = None  # how its last life ended, if nobody killed it
        self.asked = False  # to end
        self.pacemaker: Pacemaker

    def signal(self, number: signal.Signals) -> None:
        if self.child is not None:
            self.child.signal(number)

    def why(self, otherwise: str) -> str:
        """How it ended if it did so by itself."""
        return self.crash or otherwise


def environment() -> dict[str, Any]:
    """Ours, marked, with a path on which the node runtime is found when it is not installed but run from its source tree."""
    root = str(Path(targets.__file__).resolve().parent.parent)
    path = os.environ.get("PYTHONPATH")
    return mark.marked({**os.environ, "PYTHONPATH": os.pathsep.join([root, path] if path else [root])})


def is_running(pid: int) -> bool | None:
    """Whether a process is not stopped; None if there is none."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        return line.rpartition(")")[2].split()[0] not in "Tt"
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    # A system without /proc. Blocks for the milliseconds of a small program.
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return not listed.startswith("T") if listed.strip() else None
