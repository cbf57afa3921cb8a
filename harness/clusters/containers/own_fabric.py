"""The run's own fabric, laid into the networks of containers: the router and the faults of the local cluster, other people's ends.

A place of this network joins a sandbox's network instead of making one; all else (cables, router, shaper, clients' place) is as in
``namespaces``, and ends with this process as it does there. It takes root, on the engine's own host.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from harness.clusters.containers import sandbox
from harness.clusters.containers.engine import Engine
from harness.clusters.containers.labels import Owner
from harness.clusters.fabric.router import Router, told
from harness.clusters.namespaces import layout
from harness.clusters.namespaces.conversation import Conversation
from harness.clusters.namespaces.launch import Namespaces
from harness.clusters.namespaces.place import Plan
from harness.effects import Link, PacketShape
from harness.errors import ClusterError


class OwnFabric:
    """Satisfies ``network.Fabric``."""

    caller_address = staticmethod(layout.client_address)

    def __init__(self, nodes: Sequence[str], version: int, *, tapped: bool = False) -> None:
        self.where: Mapping[str, layout.Address] = {
            name: layout.node_address(number) for number, name in enumerate(nodes, 1)
        }
        self._version, self._tapped = version, tapped
        self._namespaces = Namespaces()
        self._router: Router

    @property
    def places(self) -> Mapping[str, Conversation]:
        return self._namespaces.places

    @property
    def tap(self) -> socket.socket:
        return self._namespaces.tap

    @property
    def why_lost(self) -> str | None:
        return self._namespaces.why_lost

    async def prepare(self, engine: Engine, owner: Owner) -> None:
        """Nothing: the engine has no part in it."""

    def ground(self, node: str) -> sandbox.Ground:
        return sandbox.Ground()

    async def start(
        self, pairs: Mapping[str, sandbox.Pair], seed: int, address: Callable[[str], layout.Address]
    ) -> None:
        hosts = layout.hosts(tuple(self.where), self._version)
        plans = [Plan(name=name, address=where, directory=None, hosts=hosts) for name, where in self.where.items()]
        plans.append(Plan(name=layout.CLIENTS, address=None, directory=None, hosts=hosts))
        lent: dict[str, int] = {}
        try:
            for name, pair in pairs.items():
                lent[name] = sandbox.network_of(pair)
            await self._namespaces.start(plans, seed, lent, tap=self._tapped)
        finally:
            for descriptor in lent.values():
                os.close(descriptor)
        self._router = Router(
            self._namespaces.filter, self._tell_shaper, lambda link: layout.keys(*(address(name) for name in link))
        )

    async def stop(self) -> None:
        await self._namespaces.stop()

    async def cut(self, links: Iterable[Link]) -> None:
        with told():
            self._router.cut(list(links))

    async def mend(self, links: Iterable[Link]) -> None:
        with told():
            self._router.mend(list(links))

    async def shape(self, links: Iterable[Link], shape: PacketShape) -> None:
        with told():
            await self._router.shape(links, shape)

    async def unshape(self, links: Iterable[Link]) -> None:
        with told():
            await self._router.unshape(links)

    def slowest_s(self, link: Link) -> float:
        return self._router.slowest_s(link)

    async def counters(self) -> dict[Link, dict[str, int]]:
        return await self._router.counters()

    async def _tell_shaper(self, do: str, **fields: Any) -> Any:
        refused = self._namespaces.shaper_refused
        if refused is not None:
            raise ClusterError(f"packets cannot be shaped here: {refused}")
        return await self._namespaces.shaper.call(do, **fields)
