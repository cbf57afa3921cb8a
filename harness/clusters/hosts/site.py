"""One host of a run, as the controller knows it: its connection, its agent, the node there over its lives."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import paramiko

from harness import clock
from harness.clusters.hosts import bundle
from harness.clusters.hosts.connection import Connection
from harness.clusters.hosts.inventory import Host
from harness.clusters.hosts.line import AgentLine, open_agent
from harness.errors import ClusterError

READINGS = 5  # of the host's clock: the one that was answered soonest counts
FETCH_S = 10.0
PATIENCE_S = 60.0  # for the agent's beginning: it may have to clean up


class Site:
    """See the module. ``directory`` is the node's own in the run's directory here."""

    def __init__(self, node: str, host: Host, directory: Path) -> None:
        self.node, self.host, self.log = node, host, directory / "node.log"
        self.address, self.python, self.data = "", host.python, ""
        self.lives, self.up = 0, False
        self.crash: str | None = None  # how its last life ended, if nobody killed it
        self.ahead_s = 0.0  # the host's clock minus ours
        self.mono_ahead_s = 0.0  # its monotonic clock minus our loop's
        self._connection: Connection | None = None
        self._line: AgentLine | None = None

    def why(self, otherwise: str) -> str:
        """How the node ended if it did so by itself."""
        return self.crash or otherwise

    @property
    def agent(self) -> AgentLine:
        if self._line is None:
            raise ClusterError(f"{self.host.name}: the run on it has not begun, or has ended")
        return self._line

    async def connect(self, keys: paramiko.HostKeys) -> None:
        """Raises ClusterError."""
        self._connection = await asyncio.to_thread(Connection, self.host, keys)
        self.address = self.host.address or self._connection.address

    async def begin(
        self,
        peers: Mapping[str, str],
        seed: int,
        program: str,
        lease_s: float,
        *,
        disk: bool,
        on_line: Callable[[bytes], None],
        on_end: Callable[[int], None],
        on_lost: Callable[[str], None],
    ) -> None:
        """The runtime is there, an agent of ours runs, and its clocks are known. Raises ClusterError."""
        assert self._connection is not None
        self.log.parent.mkdir(parents=True, exist_ok=True)
        runtime = await asyncio.to_thread(bundle.upload, self._connection, program)
        channel = await asyncio.to_thread(open_agent, self._connection, runtime, lease_s)
        log = self.log.with_name("agent.log")
        name = f"{self.node} on {self.host.name}"
        self._line = AgentLine(channel, name, log, on_line=on_line, on_end=on_end, on_lost=on_lost)
        await self._line.ask("begin", PATIENCE_S, node=self.node, peers=dict(peers), seed=seed, disk=disk)
        where = await self._line.ask("where")
        self.data, self.python = where["data"], where["python"]
        await self._compare_clocks(self._line)

    async def _compare_clocks(self, line: AgentLine) -> None:
        time_s = asyncio.get_running_loop().time
        best_s = float("inf")
        for _ in range(READINGS):
            asked_s, asked_wall_s = time_s(), clock.wall_s()
            told = await line.ask("time")
            took_s = time_s() - asked_s
            if took_s < best_s:
                best_s = took_s
                self.ahead_s = told["wall_s"] - (asked_wall_s + took_s / 2)
                self.mono_ahead_s = told["mono_s"] - (asked_s + took_s / 2)

    async def call(self, do: str, **fields: Any) -> tuple[Mapping[str, Any], None]:
        """Ask the server of the node's disk (see ``disks.mounted.Served``). Raises ClusterError."""
        return await self.agent.ask("disk", ask=do, fields=fields), None

    async def end(self) -> None:
        """Fetch the node's log; the agent heals all and ends; hang up. Idempotent."""
        self.up = False
        line, self._line = self._line, None
        connection, self._connection = self._connection, None
        try:
            if line is not None:
                try:
                    if not line.why_lost:
                        await self._fetch_log(line)
                finally:
                    line.end()
                    if not line.why_lost:
                        await line.ended()
        finally:
            if connection is not None:
                await asyncio.to_thread(connection.close)

    async def _fetch_log(self, line: AgentLine) -> None:
        with self.log.open("wb") as file:
            while True:
                answer = await line.ask("log", FETCH_S, at=file.tell())
                piece = base64.b64decode(answer["piece"])
                if not piece:
                    return
                file.write(piece)
