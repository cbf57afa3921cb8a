"""The node's program on this host, over its lives: its process, its pauses, its clock, its disk. The agent's. Standard library alone."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from harness.clusters.child import Child
from harness.clusters.clocks.clocks import Clocks
from harness.clusters.disks import doctor
from harness.clusters.disks.launch import DiskServer
from harness.clusters.duty import Pacemaker
from harness.clusters.guardian import Guardian
from harness.clusters.namespaces.launch import environment
from harness.clusters.starts import LAUNCH
from harness.effects import ClockSkew
from harness.errors import ClusterError

NODE = "node"  # there is one here
LAUNCHER = [sys.executable, "-I", "-S", "-c", LAUNCH]


class HostNode:
    """``tell(message)`` hears of its lines and of its end. ``home`` is the node's directory."""

    def __init__(self, home: Path, tell: Callable[[Mapping[str, Any]], None]) -> None:
        self._home, self._tell = home, tell
        self.log, self.data = home / "node.log", home / "data"
        self._child: Child | None = None
        self._begun = False  # whether the launcher has its command, so that what follows is for the program
        loop = asyncio.get_running_loop()
        stop, go = partial(self._signal, signal.SIGSTOP), partial(self._signal, signal.SIGCONT)
        self.pacemaker = Pacemaker(loop.time, loop.call_at, stop, go)
        self.clocks = Clocks(self._pid)
        self._guardian = Guardian()
        self._disk: DiskServer | None = None

    async def lay_disk(self) -> None:
        """From now on its data lie on a disk that can fail. Raises ClusterError."""
        why = doctor.unavailable()
        if why is not None:
            raise ClusterError(f"{why}; or leave the faults of disks (power, disk, corrupt) out of --nemesis")
        self.data.mkdir(parents=True)
        self._disk = DiskServer(NODE, self.data)
        await self._disk.ready()

    async def ask_disk(self, do: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer of the disk's server. Raises OSError, ClusterError."""
        if self._disk is None:
            raise ClusterError("the disk here cannot fail: the run was made without such disks")
        answer, _ = await self._disk.conversation.call(do, **fields)
        return answer

    async def spawn(self, argv: Sequence[str]) -> None:
        """Begin a life; its clock is as it is to be before the program's first instruction. Raises TargetError, ClusterError."""
        self.data.mkdir(parents=True, exist_ok=True)
        child = Child(lambda line: self._tell({"line": line.decode(errors="replace")}), self._ended)
        await child.spawn(LAUNCHER, directory=self._home, log=self.log, env=environment(), guardian=self._guardian)
        self._child, self._begun = child, False
        self.pacemaker.reborn()
        await self.clocks.follow(NODE)
        child.write(json.dumps(list(argv)).encode() + b"\n")
        self._begun = True

    def _ended(self, status: int) -> None:
        self._child = None
        self._tell({"ended": status})

    def write(self, line: str) -> None:
        if self._child is not None and self._begun:
            self._child.write(line.encode() + b"\n")

    async def kill(self) -> None:
        """Returns when it is dead. Idempotent."""
        if self._child is not None:
            await self._child.kill()

    async def end(self, grace_s: float) -> bool:
        """SIGTERM first; whether it ended by itself."""
        return self._child is None or await self._child.end(grace_s)

    async def skew(self, skew: Mapping[str, float]) -> None:
        await self.clocks.skew(NODE, ClockSkew(**skew))

    async def unskew(self) -> None:
        await self.clocks.unskew(NODE)

    def runs(self) -> bool | None:
        """Whether it is not stopped; None if it is dead."""
        if self._child is not None:
            with suppress(OSError):
                line = Path(f"/proc/{self._child.pid}/stat").read_text(encoding="ascii", errors="replace")
                return line.rpartition(")")[2].split()[0] not in "Tt"
        return None

    async def close(self) -> None:
        """It is dead, its clock right, nobody guards or follows it, and its disk is the host's again."""
        self.pacemaker.end()
        try:
            await self.kill()
        finally:
            await self.clocks.stop()
            self._guardian.dismiss()
            if self._disk is not None:
                await self._disk.end()

    async def _pid(self, _node: str) -> int | None:
        return self._child.pid if self._child is not None else None

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None:
            self._child.signal(number)


def piece_of(path: Path, at: int, size: int) -> bytes:
    """Of a file; empty at its end, or if there is none."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(at, os.SEEK_SET)
        return file.read(size)
    return b""
