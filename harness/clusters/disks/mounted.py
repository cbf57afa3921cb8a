"""The controller's side of nodes' disks: who serves each, what is asked of it, and what a cluster of real processes offers by it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from harness import rng
from harness.clusters.sim_disk import FATES
from harness.effects import DiskFault, Unsynced
from harness.errors import ClusterError
from harness.protocols import ClusterSpec

REPORT = "unsynced.jsonl"  # in a node's directory: what it had not synced, crash by crash


class Served(Protocol):
    """A disk's server, wherever it is."""

    async def call(self, do: str, **fields: Any) -> tuple[Mapping[str, Any], Any]:
        """Its answer, and what came with it. Raises OSError, ClusterError."""
        ...


class Disks:
    """The disks of a run's nodes; none unless the run asks for disks that can fail."""

    def __init__(self, spec: ClusterSpec) -> None:
        self.wanted = spec.disks
        self._home = spec.directory / "nodes"
        self._dice = {node: rng.stream(spec.seed, f"disk/{node}") for node in spec.nodes}
        self._servers: dict[str, Served] = {}

    def serve(self, servers: Mapping[str, Served]) -> None:
        """These nodes' disks are served there."""
        self._servers |= servers

    async def break_(self, node: str, faults: Sequence[DiskFault]) -> None:
        await self._server(node).call("break", faults=[asdict(fault) for fault in faults])

    async def damage(self, node: str, fault: DiskFault) -> None:
        await self._server(node).call("damage", fault=asdict(fault))

    async def hits(self, node: str, fault: DiskFault) -> int:
        answer, _ = await self._server(node).call("hits", fault=asdict(fault))
        return int(answer["hits"])

    async def crashed(self, node: str) -> None:
        """The node is dead, by a kill or by itself: its disk may lose what was not synced, as a machine's does that crashes with it.

        For a node that failed by itself that is due before it starts again, or what it finds there and builds on might be lost later.
        """
        if node in self._servers:
            await self.lose_power(node, self._dice[node].choice(FATES))

    async def lose_power(self, node: str, fate: str) -> list[Unsynced]:
        """The node is dead: its disk loses what was not synced. What that was also goes to the node's REPORT."""
        answer, _ = await self._server(node).call("crash", fate=fate)
        files = [Unsynced(**fields) for fields in answer["files"]]
        if files:
            line = {"t": round(asyncio.get_running_loop().time(), 6), "fate": fate, "files": answer["files"]}
            await asyncio.to_thread(_append, self._home / node / REPORT, json.dumps(line))
        return files

    def _server(self, node: str) -> Served:
        server = self._servers.get(node)
        if server is None:
            raise ClusterError(
                f"the data of {node} lie on a disk that cannot fail: the run was made without such disks"
            )
        return server


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


class DiskFaults:
    """The powers "disk" and "power", and what a kill does to a disk, for a cluster that has ``Disks`` and can ``_slay``."""

    _disks: Disks

    async def _slay(self, node: str) -> bool:
        """SIGKILL; returns when the node is certainly dead: whether it lived. Idempotent."""
        raise NotImplementedError

    async def kill(self, node: str) -> None:
        await self._slay(node)
        await self._disks.crashed(node)

    async def lose_power(self, nodes: Sequence[str], fate: str) -> Mapping[str, Sequence[Unsynced]]:
        async with asyncio.TaskGroup() as group:
            slain = {node: group.create_task(self._slay(node)) for node in nodes}
        lost = {node: await self._disks.lose_power(node, fate) for node in nodes}
        return {node: lost[node] for node, task in slain.items() if task.result()}

    async def break_disk(self, node: str, faults: Sequence[DiskFault]) -> None:
        await self._disks.break_(node, faults)

    async def damage_disk(self, node: str, fault: DiskFault) -> None:
        await self._disks.damage(node, fault)

    async def disk_hits(self, node: str, fault: DiskFault) -> int:
        return await self._disks.hits(node, fault)
