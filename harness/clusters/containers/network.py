"""The run's own fabric, laid into the networks of containers: the router and the faults of the local cluster, other people's ends.

A place of this network joins a sandbox's network instead of making one; all else (cables, router, shaper, clients' place, probes) is as
in ``namespaces``, and ends with this process as it does there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from harness.clusters.fabric.router import Router
from harness.clusters.namespaces import layout
from harness.clusters.namespaces.callers import Caller, Switchboard
from harness.clusters.namespaces.launch import Namespaces
from harness.clusters.namespaces.place import Plan
from harness.clusters.namespaces.probing import Prober
from harness.effects import Link, PacketShape
from harness.errors import ClusterError


@contextmanager
def _told() -> Iterator[None]:
    """What the kernel refuses becomes a sentence for people."""
    try:
        yield
    except OSError as error:
        raise ClusterError(f"the fabric of the run: {error.strerror or error}") from error


class Network:
    """The nodes' network. ``check(node)`` raises if there is no such node or the run is over; ``on_babble`` hears of broken lines."""

    def __init__(
        self,
        nodes: Sequence[str],
        version: int,
        check: Callable[[str], None],
        on_babble: Callable[[str, bytes], None],
    ) -> None:
        self.where = {name: layout.node_address(number) for number, name in enumerate(nodes, 1)}
        self._version, self._check, self._on_babble = version, check, on_babble
        self._namespaces = Namespaces()
        self._callers: dict[str, Caller] = {}
        self._prober = Prober()
        self._router: Router
        self._board: Switchboard

    def host(self, node: str) -> str:
        """The address of a node."""
        return self.where[node].host(self._version)

    def listen(self, node: str) -> str:
        """HOST:PORT of a node."""
        host = self.host(node)
        return f"[{host}]:{layout.NODE_PORT}" if self._version == 6 else f"{host}:{layout.NODE_PORT}"

    async def start(self, lent: Mapping[str, int], seed: int) -> None:
        """Lay a cable to each node, whose network is ``lent`` by its descriptor. Raises ClusterError."""
        hosts = layout.hosts(tuple(self.where), self._version)
        plans = [Plan(name=name, address=address, directory=None, hosts=hosts) for name, address in self.where.items()]
        plans.append(Plan(name=layout.CLIENTS, address=None, directory=None, hosts=hosts))
        await self._namespaces.start(plans, seed, lent)
        self._router = Router(self._namespaces.filter, self._tell_shaper, self._keys)
        self._board = Switchboard(
            place=self._namespaces.places[layout.CLIENTS],
            where=self.where,
            version=self._version,
            check=self._check,
            on_babble=self._on_babble,
        )
        with _told():
            await self._prober.open(self._namespaces.places, self.where, self._version, self._router.slowest_s)

    async def stop(self) -> None:
        """End it, whatever state it is in. Idempotent."""
        try:
            self._prober.close()
            for caller in self._callers.values():
                await caller.close()
        finally:
            await self._namespaces.stop()

    @property
    def why_lost(self) -> str | None:
        """Why there is no network any more; None while there is."""
        return self._namespaces.why_lost

    def channel(self, client: str) -> Caller:
        """A client's connections to the nodes."""
        caller = self._callers.get(client)
        if caller is None:
            for other in self._callers.values():
                other.tidy()
            caller = self._callers[client] = Caller(client, len(self._callers) + 1, self._board)
        return caller

    # Faults

    def cut(self, links: Iterable[Link]) -> None:
        with _told():
            self._router.cut(list(links))

    def mend(self, links: Iterable[Link]) -> None:
        with _told():
            self._router.mend(list(links))

    async def reaches(self, links: Sequence[Link]) -> list[bool]:
        return await self._prober.reaches(links)

    async def shape(self, links: Iterable[Link], shape: PacketShape) -> None:
        with _told():
            await self._router.shape(links, shape)

    async def unshape(self, links: Iterable[Link]) -> None:
        with _told():
            await self._router.unshape(links)

    async def measure(self, link: Link, probes: int) -> Mapping[str, float]:
        return await self._prober.measure(link, probes)

    async def throughput(self, link: Link) -> float:
        return await self._prober.throughput(link)

    async def counters(self) -> dict[Link, dict[str, int]]:
        """Per link, how many packets met each fault so far: see ``Router.counters``."""
        return await self._router.counters()

    def _keys(self, link: Link) -> list[bytes]:
        src, dest = (self._address(name) for name in link)
        return layout.keys(src, dest)

    def _address(self, name: str) -> layout.Address:
        """Of a node, or of a client that has a channel."""
        caller = self._callers.get(name)
        if caller is not None:
            return caller.address
        self._check(name)
        return self.where[name]

    async def _tell_shaper(self, do: str, **fields: Any) -> Any:
        refused = self._namespaces.shaper_refused
        if refused is not None:
            raise ClusterError(f"packets cannot be shaped here: {refused}")
        return await self._namespaces.shaper.call(do, **fields)
