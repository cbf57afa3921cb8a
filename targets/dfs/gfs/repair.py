"""What the active server does about replicas that are missing, too many, badly spread or of no use (GFS 4.3 to 4.5)."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from targets.dfs.gfs.bugs import Bugs
from targets.dfs.gfs.config import Config
from targets.dfs.gfs.failover import Failover
from targets.dfs.gfs.leases import Leases
from targets.dfs.gfs.replicas import Replicas
from targets.node.env import Env, Refusal

REPAIRS_MAX = 16  # chunks that one round restores
UNEVEN = 3  # a difference in load from which on a chunk moves


class Repair:
    """One metadata server's part; only the active one acts."""

    def __init__(
        self, env: Env, config: Config, bugs: Bugs, *, failover: Failover, replicas: Replicas, leases: Leases
    ) -> None:
        self._env, self._config, self._bugs = env, config, bugs
        self._failover, self._replicas, self._leases = failover, replicas, leases
        self._namespace = failover.journal.namespace
        self._since_s = 0.0

    def begin(self) -> None:
        """This server has become active: data nodes are given time to report."""
        self._since_s = self._env.monotonic() + 2 * self._config.report_s

    async def watch(self) -> None:
        """As long as this node lives."""
        while True:
            await asyncio.sleep(self._config.repair_s)
            if self._bugs.collects_live_chunks:
                await self._collect()
            if self._failover.serving and self._env.monotonic() >= self._since_s:
                with suppress(Refusal):  # it is active no more
                    await self._failover.confirmed()
                    await self._restore()
                    if self._config.rebalance:
                        await self._rebalance()
                    await self._failover.confirmed()
                    await self._collect()

    async def _restore(self) -> None:
        """The chunks with the fewest replicas first."""
        config, found = self._config, []
        wanted = self._leases.wanted()
        for number, chunk in self._namespace.chunks.items():
            count = len(self._replicas.holders(number, chunk.safe))
            missing = count < wanted and config.rereplication and not self._bugs.replica_count_not_restored
            if chunk.version and count and (missing or count > config.replicas):
                found.append((count, number))
        for _, number in sorted(found)[:REPAIRS_MAX]:
            await self._changed(number)

    async def _changed(self, number: int, move_to: str | None = None) -> None:
        async with self._leases.lock(number):
            chunk = self._namespace.chunks.get(number)
            if chunk is not None and self._failover.serving:
                with suppress(Refusal):
                    await self._leases.restore(number, chunk, move_to=move_to)

    async def _rebalance(self) -> None:
        """Move one replica from the node that has the most to the one that has the fewest."""
        replicas = self._replicas
        live = sorted(replicas.live(), key=lambda name: (replicas.load(name), name))
        if not live or replicas.load(live[-1]) - replicas.load(live[0]) < UNEVEN:
            return
        poor, rich = live[0], live[-1]
        for number, chunk in self._namespace.chunks.items():
            holders = replicas.holders(number, chunk.safe)
            if rich in holders and poor not in holders and len(holders) == self._config.replicas:
                await self._changed(number, move_to=poor)
                return

    async def _collect(self) -> None:
        """Have data nodes drop what is in no file, and replicas that have missed something, once there are enough others (GFS 4.4)."""
        wanted = self._leases.wanted()
        for name in self._replicas.live():
            for number, version in list(self._replicas.nodes[name].chunks.items()):
                chunk = self._namespace.chunks.get(number)
                if chunk is not None and version < chunk.safe:
                    dropped = len(self._replicas.holders(number, chunk.safe)) >= wanted
                else:
                    dropped = chunk is None
                if dropped:
                    await self._leases.drop(name, number, version)
