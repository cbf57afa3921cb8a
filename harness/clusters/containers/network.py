"""The nodes' network as the docker cluster uses it: clients' lines, probes and faults, over a fabric that is one of two.

``own_fabric``: cables of the run's own, where the controller is root on the engine's host. ``helped_fabric``: networks that the engine
makes, with one helper container between them, for everybody else who may speak to the engine.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from harness.clusters.codecs import Wire
from harness.clusters.containers import sandbox
from harness.clusters.containers.engine import Engine
from harness.clusters.containers.labels import Owner
from harness.clusters.fabric.router import told
from harness.clusters.namespaces import layout
from harness.clusters.namespaces.callers import Caller, Callers, Switchboard, streams
from harness.clusters.namespaces.conversation import Conversation
from harness.clusters.namespaces.probing import Prober
from harness.effects import Link, PacketShape


class Fabric(Protocol):
    """What carries the nodes' packets, and what does to them what faults do."""

    @property
    def where(self) -> Mapping[str, layout.Address]:
        """The nodes' addresses."""
        ...

    @property
    def places(self) -> Mapping[str, Conversation]:
        """Who hands out sockets of each node's network, and of the clients'."""
        ...

    @property
    def tap(self) -> socket.socket:
        """What hears all packets on their way, if that was asked for. Raises ClusterError where nothing can."""
        ...

    @property
    def why_lost(self) -> str | None:
        """Why there is no network any more; None while there is."""
        ...

    def caller_address(self, number: int) -> layout.Address:
        """Of the client with that number."""
        ...

    async def prepare(self, engine: Engine, owner: Owner) -> None:
        """Before the sandboxes are made. Raises ClusterError."""
        ...

    def ground(self, node: str) -> sandbox.Ground:
        """What the node's sandbox is to stand on."""
        ...

    async def start(
        self, pairs: Mapping[str, sandbox.Pair], seed: int, address: Callable[[str], layout.Address]
    ) -> None:
        """The sandboxes run: connect them. ``address(name)`` is a node's or a client's. Raises ClusterError."""
        ...

    async def stop(self) -> None:
        """End it, whatever state it is in. Idempotent."""
        ...

    async def cut(self, links: Iterable[Link]) -> None: ...

    async def mend(self, links: Iterable[Link]) -> None: ...

    async def shape(self, links: Iterable[Link], shape: PacketShape) -> None: ...

    async def unshape(self, links: Iterable[Link]) -> None: ...

    def slowest_s(self, link: Link) -> float:
        """The longest that a packet is held back on this link now, in seconds."""
        ...

    async def counters(self) -> dict[Link, dict[str, int]]:
        """Per link, how many packets met each fault so far: see ``Router.counters``."""
        ...


class Network:
    """``check(node)`` raises if there is no such node or the run is over; ``on_babble`` hears of broken lines."""

    def __init__(
        self,
        fabric: Fabric,
        version: int,
        check: Callable[[str], None],
        on_babble: Callable[[str, bytes], None],
        *,
        wire: Wire,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.fabric, self._wire, self._tls = fabric, wire, tls
        self._version, self._check, self._on_babble = version, check, on_babble
        self._callers = Callers(self.fabric.caller_address)
        self.names: dict[bytes, str] = {}  # of nodes and clients, by their addresses
        self._prober = Prober()
        self.board: Switchboard

    def host(self, node: str) -> str:
        """The address of a node."""
        return self.fabric.where[node].host(self._version)

    def listen(self, node: str) -> str:
        """HOST:PORT of a node."""
        host = self.host(node)
        return f"[{host}]:{layout.NODE_PORT}" if self._version == 6 else f"{host}:{layout.NODE_PORT}"

    async def start(self, pairs: Mapping[str, sandbox.Pair], seed: int) -> None:
        """Connect the nodes with these containers. Raises ClusterError."""
        await self.fabric.start(pairs, seed, self._address)
        self.names |= {half: name for name, where in self.fabric.where.items() for half in where.packed()}
        self.board = self._callers.board = Switchboard(
            take=streams(self.fabric.places[layout.CLIENTS], self._version),
            where=lambda node: (self.host(node), layout.NODE_PORT),
            check=self._check,
            on_babble=self._on_babble,
            wire=self._wire,
            tls=self._tls,
        )
        with told():
            await self._prober.open(self.fabric.places, self.fabric.where, self._version, self.fabric.slowest_s)

    async def stop(self) -> None:
        """End it, whatever state it is in. Idempotent."""
        try:
            self._prober.close()
            await self._callers.close()
        finally:
            await self.fabric.stop()

    def channel(self, client: str) -> Caller:
        """A client's connections to the nodes."""
        caller = self._callers.called(client)
        self.names.update(dict.fromkeys(caller.address.packed(), client))
        return caller

    def _address(self, name: str) -> layout.Address:
        """Of a node, or of a client that has a channel."""
        address = self._callers.address(name)
        if address is not None:
            return address
        self._check(name)
        return self.fabric.where[name]

    # Probes

    async def reaches(self, links: Sequence[Link]) -> list[bool]:
        return await self._prober.reaches(links)

    async def measure(self, link: Link, probes: int) -> Mapping[str, float]:
        return await self._prober.measure(link, probes)

    async def throughput(self, link: Link) -> float:
        return await self._prober.throughput(link)
