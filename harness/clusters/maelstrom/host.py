"""The host: a cluster whose nodes are one command line, started once per node, in whatever language it is written.

It is the process cluster, less what needs our own node runtime: such nodes know nothing of the harness's questions and might crash at
them, so whether a node lives is seen from outside, and clocks cannot be skewed. The network and its faults are the router's, as there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from harness import rng
from harness.clusters.maelstrom.latency import latency
from harness.clusters.maelstrom.services import services
from harness.clusters.maelstrom.settings import Settings
from harness.clusters.maelstrom.topology import topology
from harness.clusters.process import ProcessCluster
from harness.clusters.starts import NodeStart
from harness.effects import Link, PacketShape
from harness.errors import TargetError
from harness.protocols import Body, Channel, ClusterSpec

# The workload whose nodes are told their neighbours.
BROADCAST = "broadcast"
# A node that has started answers the topology within this.
TOPOLOGY_S = 10.0
# How often a process that stands still is looked at.
LOOK_S = 0.005
MS_PER_S = 1000


class MaelstromHost:
    """Child processes that speak Maelstrom's protocol: a ``Cluster`` with the powers cut, shape, kill, terminate, pause and throttle."""

    name = "process"
    logs_packets = True
    loop_factory = None
    unavailable = staticmethod(ProcessCluster.unavailable)

    def __init__(self, spec: ClusterSpec) -> None:
        self.nodes = tuple(spec.nodes)
        self._spec, self._settings = spec, Settings.of(spec.options)
        dice = rng.stream(spec.seed, "latency")
        self._cluster = ProcessCluster(
            spec,
            self._command,
            latency_s=latency(self._settings.latency_dist, self._settings.latency_ms / MS_PER_S, dice),
            services=services(spec.seed),
        )

    def _command(self, _start: NodeStart) -> Sequence[str]:
        return [self._settings.bin, *self._settings.args]

    async def start(self) -> None:
        await self._cluster.start()
        try:
            for node in self.nodes:
                await self._introduce(node)
        except BaseException:
            await self._cluster.stop()
            raise

    async def _introduce(self, node: str) -> None:
        """Tell a node its neighbours, if the workload has such; also one that starts again, for it may have kept nothing."""
        if self._spec.workload != BROADCAST:
            return
        neighbours = topology(self._settings.topology, self.nodes)
        reply = await self._cluster.ask(node, {"type": "topology", "topology": neighbours}, TOPOLOGY_S)
        if reply is None or reply.get("type") != "topology_ok":
            how = f"with {reply}" if reply else f"nothing within {TOPOLOGY_S:g} s"
            raise TargetError(f"node {node} of {self._spec.target} answered topology {how}; right is a topology_ok")

    async def stop(self) -> None:
        await self._cluster.stop()

    def channel(self, client: str) -> Channel:
        return self._cluster.channel(client)

    async def ask(self, node: str, body: Body, timeout_s: float) -> Body | None:
        """A ping is answered for a node as soon as its process runs; nothing else can be asked of it."""
        if body["type"] != "sb_ping":
            return None
        loop = asyncio.get_running_loop()
        until_s = loop.time() + timeout_s
        while not self._cluster.runs(node):
            if self._cluster.runs(node) is None or loop.time() > until_s:
                return None
            await asyncio.sleep(LOOK_S)  # it is stopped, perhaps for a moment alone: as one that is throttled
        return {"type": "sb_ping_ok"}

    def crashes(self) -> Mapping[str, str]:
        """The nodes that ended without having been killed, and how."""
        return self._cluster.crashes()

    # Powers

    async def cut(self, links: Iterable[Link]) -> None:
        await self._cluster.cut(links)

    async def mend(self, links: Iterable[Link]) -> None:
        await self._cluster.mend(links)

    async def reaches(self, links: Sequence[Link]) -> list[bool]:
        return await self._cluster.reaches(links)

    async def shape(self, links: Iterable[Link], shape: PacketShape) -> None:
        await self._cluster.shape(links, shape)

    async def unshape(self, links: Iterable[Link]) -> None:
        await self._cluster.unshape(links)

    async def measure(self, link: Link, probes_sent: int) -> Mapping[str, float]:
        return await self._cluster.measure(link, probes_sent)

    async def throughput(self, link: Link) -> float:
        return await self._cluster.throughput(link)

    async def kill(self, node: str) -> None:
        await self._cluster.kill(node)

    async def terminate(self, node: str) -> bool:
        return await self._cluster.terminate(node)

    async def restart(self, node: str) -> None:
        if self._cluster.runs(node) is None:
            await self._cluster.restart(node)
            await self._introduce(node)

    async def pause(self, node: str) -> None:
        await self._cluster.pause(node)

    async def resume(self, node: str) -> None:
        await self._cluster.resume(node)

    async def throttle(self, node: str, share: float) -> None:
        await self._cluster.throttle(node, share)

    async def unthrottle(self, node: str) -> None:
        await self._cluster.unthrottle(node)

    async def cpu_share(self, node: str) -> float | None:
        return await self._cluster.cpu_share(node)
