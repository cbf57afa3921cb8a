"""A node of the simulator: what outlasts its lives, and one life of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from harness.clusters.duty import Pacemaker
from harness.clusters.owners import Owner
from harness.clusters.sim_disk import Disk, Mount
from targets.node.runtime import Runtime
from targets.node.wallclock import WallClock

# Log lines are kept in memory up to this many, then written.
LOG_LINES_KEPT = 10_000

_encode_log = msgspec.json.Encoder(enc_hook=str).encode


class Life:
    """One life of a node, from boot to death."""

    __slots__ = ("mount", "owner", "runtime")

    def __init__(self, owner: Owner, mount: Mount) -> None:
        self.owner, self.mount = owner, mount
        self.runtime: Runtime | None = None

    def deliver(self, message: Mapping[str, Any]) -> None:
        assert self.runtime is not None
        self.runtime.receive(dict(message))


class Node:
    """What outlasts a node's lives: its disk, its clock, its log."""

    def __init__(self, name: str, log: Path, true_s: Callable[[], float], dice: random.Random) -> None:
        self.name, self.disk, self.clock = name, Disk(dice, self._wait_for_disk), WallClock(true_s)
        self.stalled_until_s = 0.0  # what it sends before then leaves then: it waits for its disk
        self.life: Life | None = None  # None: dead
        self.lives = 0
        self.crash: str | None = None  # what ended the last life, if the program did
        self.log, self._lines = log, list[bytes]()
        self.pacemaker: Pacemaker
        self.time_s: Callable[[], float]

    def _wait_for_disk(self, delay_s: float) -> None:
        self.stalled_until_s = max(self.stalled_until_s, self.time_s()) + delay_s
        self.pacemaker.stall(self.stalled_until_s)

    def why(self, otherwise: str) -> str:
        """How it ended if it did so by itself."""
        return self.crash or otherwise

    def write(self, t_s: float, fields: Mapping[str, Any]) -> None:
        self._lines.append(_encode_log({"t": round(t_s, 6), **fields}))
        if len(self._lines) >= LOG_LINES_KEPT:
            self.flush()

    def flush(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as file:
            file.writelines(line + b"\n" for line in self._lines)
        self._lines.clear()
