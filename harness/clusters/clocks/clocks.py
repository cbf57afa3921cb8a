"""The controller's end of wrong clocks: one keeper for a run, started when the first clock is set wrong."""

from __future__ import annotations

import asyncio
import platform
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import cache

from harness import clock, mark
from harness.clusters.clocks.page import Setting
from harness.clusters.namespaces import wire
from harness.clusters.namespaces.conversation import Conversation
from harness.clusters.namespaces.launch import environment
from harness.effects import ClockSkew
from harness.errors import ClusterError

# How often an end is looked for, and when it is forced.
LOOK_S, END_S = 0.002, 10.0
NOT_HERE = "wall clocks are not faultable here, because"


class Clocks:
    """The wall clocks of a run's nodes.

    ``pid(node)`` is the process above all of the node's, as this machine numbers it; None if the node is dead.
    """

    def __init__(self, pid: Callable[[str], Awaitable[int | None]]) -> None:
        self._pid = pid
        self._settings: dict[str, Setting] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: Conversation | None = None

    async def skew(self, node: str, skew: ClockSkew) -> None:
        """From now on, over restarts (``follow``), until ``unskew``. Raises ClusterError."""
        self._settings[node] = Setting(
            since_s=clock.wall_s(),
            offset_s=skew.offset_s,
            drift=skew.drift,
            strobe_period_s=skew.strobe_period_s,
        )
        await self.follow(node)

    async def follow(self, node: str) -> None:
        """A new life of the node has the clock that it is to have. Nothing if that is right. Raises ClusterError."""
        setting = self._settings.get(node)
        pid = await self._pid(node) if setting is not None else None
        if setting is None or pid is None:
            return
        try:
            await self._started().call("skew", node=node, pid=pid, setting=asdict(setting))
        except OSError as error:
            raise ClusterError(f"{NOT_HERE} {error.strerror or error}") from error

    async def unskew(self, node: str) -> None:
        """The node's clocks are right again. Idempotent. Raises ClusterError."""
        if self._settings.pop(node, None) is None or self._keeper is None:
            return
        try:
            await self._keeper.call("unskew", node=node)
        except OSError as error:
            raise ClusterError(f"the clock of {node} cannot be set right: {error.strerror or error}") from error

    def skewed(self, node: str) -> bool:
        """Whether the node's clock is to be wrong."""
        return node in self._settings

    async def stop(self) -> None:
        """All clocks are right, and nobody is followed any more. Idempotent."""
        self._settings.clear()
        keeper, self._keeper = self._keeper, None
        process, self._process = self._process, None
        if keeper is not None:
            keeper.close()
        if process is None:
            return
        loop = asyncio.get_running_loop()
        until_s = loop.time() + END_S
        while process.poll() is None:
            if loop.time() > until_s:
                process.kill()  # the kernel lets go of all whom it followed
            await asyncio.sleep(LOOK_S)

    def _started(self) -> Conversation:
        if self._keeper is None:
            ours, theirs = wire.pair()
            with theirs:
                # A session of its own: the terminal's interrupt is for us. Blocks for the milliseconds of a fork.
                self._process = subprocess.Popen(
                    [
                        sys.executable,
                        "-S",
                        "-m",
                        "harness.clusters.clocks.keeper",
                        str(theirs.fileno()),
                        str(mark.mine()),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=environment(),
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            self._keeper = Conversation(ours, "the keeper of the clocks")
        return self._keeper


@cache
def hindrance() -> str | None:
    """Why no process's wall clock can be set wrong on this machine, as a sentence; None if it can. Tries it on a process of its own."""
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64"):
        here = f"{platform.system()} on {platform.machine()}"
        return f"{NOT_HERE} splitbrain edits the clock functions of Linux on x86-64, and this is {here}"
    try:
        tried = subprocess.run(
            [sys.executable, "-S", "-m", "harness.clusters.clocks.trial"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment(),
            timeout=END_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{NOT_HERE} a trial did not end within {END_S:g} s"
    words = (tried.stdout or tried.stderr).strip().splitlines()
    return None if tried.returncode == 0 else f"{NOT_HERE} {words[-1] if words else 'a trial failed'}"


def lacks() -> dict[str, str]:
    """The powers that a cluster whose clocks these are does not have on this machine, each with the reason."""
    why = hindrance()
    return {} if why is None else {"skew": why}
