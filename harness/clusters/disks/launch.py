"""Disks that fail on this machine's own tree, for containers: one server per node, a process of the run's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from harness import mark
from harness.clusters.namespaces import wire
from harness.clusters.namespaces.conversation import Conversation
from harness.clusters.namespaces.launch import environment
from harness.errors import ClusterError

# A server starts within a tenth of a second, and ends as soon as its conversation does.
BORN_S, LOOK_S, END_S = 20.0, 0.005, 5.0


class DiskServer:
    """The server of one node's disk, mounted over ``data``, which exists. Its mount is found by our mark if its process is killed."""

    def __init__(self, node: str, data: Path) -> None:
        self._name, self._born = f"the disk of {node}", asyncio.get_running_loop().create_future()
        ours, theirs = wire.pair()
        with theirs:
            argv = [sys.executable, "-S", "-m", "harness.clusters.disks.server", str(theirs.fileno())]
            self._process = subprocess.Popen(
                [*argv, str(data), f"{mark.mine().name}-disk-{node}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment(),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self.conversation = Conversation(ours, self._name, lambda message, _: self._born.set_result(message))

    async def ready(self) -> None:
        """Mounted and served. Raises ClusterError."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + BORN_S
        while not self._born.done():
            if self.conversation.why_ended is not None or loop.time() > until_s:
                raise ClusterError(f"{self._name} cannot be made: {self.conversation.why_ended or 'its server hangs'}")
            await asyncio.sleep(LOOK_S)

    async def end(self) -> None:
        """Unmount; returns when the server is gone. Nobody uses the disk any more."""
        self.conversation.close()
        loop = asyncio.get_running_loop()
        until_s = loop.time() + END_S
        while self._process.poll() is None:
            if loop.time() > until_s:
                self._process.kill()
            await asyncio.sleep(LOOK_S)
        if not self._born.done():
            self._born.cancel()


async def end_all(servers: list[DiskServer]) -> None:
    """End these, all of them."""
    for server in servers:
        with suppress(OSError):
            await server.end()
    servers.clear()
