"""Probes of the fabric: datagrams from one node's network to another's, by the way that all packets take, timed by the kernel.

The sockets stand in the places of the nodes, and are read here: so a probe tells of the link, and not of the program on the node.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from harness import clock
from harness.clusters.fabric import datagrams
from harness.clusters.fabric.probes import BURST, BURST_BYTES, REACH_PROBES, SPACING_S, Landing, figures, rate
from harness.clusters.namespaces import layout
from harness.clusters.namespaces.callers import take_socket
from harness.clusters.namespaces.conversation import Conversation
from harness.effects import Link

# A probe on a link that nothing slows is there within a tenth of a millisecond; a busy machine may take longer to deliver it. Who has
# not arrived by then counts as lost.
PATIENCE_S = 0.2
LINKS_AT_ONCE = 32  # a socket holds some 250 datagrams


class Prober:
    """Sends and catches probes between the nodes."""

    def __init__(self) -> None:
        self._slowest_s: Callable[[Link], float] = lambda _link: 0.0
        self._sockets: dict[str, socket.socket] = {}
        self._where: Mapping[str, layout.Address] = {}
        self._version = 4
        self._flights: dict[int, list[Landing]] = {}
        self._damaged: Counter[int] = Counter()  # per flight
        self._flown = 0
        self._landed = asyncio.Event()

    async def open(
        self,
        places: Mapping[str, Conversation],
        where: Mapping[str, layout.Address],
        version: int,
        slowest_s: Callable[[Link], float],
    ) -> None:
        """Place a socket at each node. ``slowest_s(link)`` is the longest that the link's shape holds a packet back. Raises OSError."""
        self._where, self._version, self._slowest_s = where, version, slowest_s
        for node, address in where.items():
            host = address.host(version)
            sock = await take_socket(places[node], socket.SOCK_DGRAM, version, host, layout.PROBE_PORT)
            datagrams.prepare(sock)
            self._sockets[node] = sock
            asyncio.get_running_loop().add_reader(sock.fileno(), self._read, sock)

    def close(self) -> None:
        """Take the sockets away again. Idempotent."""
        sockets, self._sockets = self._sockets, {}
        for sock in sockets.values():
            asyncio.get_running_loop().remove_reader(sock.fileno())
            sock.close()

    async def reaches(self, links: Sequence[Link]) -> list[bool]:
        """For each link, whether one of some probes came through."""
        flights = [self._depart() for _ in links]
        for place, (flight, link) in enumerate(zip(flights, links, strict=True)):
            for number in range(REACH_PROBES):
                self._send(link, flight, number)
            if place % LINKS_AT_ONCE == LINKS_AT_ONCE - 1:
                await asyncio.sleep(0)  # read what has come: it must not overflow the sockets
        slowest_s = max((self._slowest_s(link) for link in links), default=0.0)
        await self._until(lambda: all(self._flights[flight] for flight in flights), PATIENCE_S + slowest_s)
        return [bool(self._flights.pop(flight)) for flight in flights]

    async def measure(self, link: Link, probes: int) -> Mapping[str, float]:
        """What became of ``probes`` probes: see ``probes.figures``."""
        flight, sent_s = self._depart(), []
        for number in range(probes):
            sent_s.append(clock.wall_s())
            self._send(link, flight, number)
            await asyncio.sleep(SPACING_S)
        slowest_s = self._slowest_s(link)
        if slowest_s:  # second copies come later than the first: only time tells that there is none
            await self._until(lambda: False, PATIENCE_S + slowest_s)
        else:
            await self._until(lambda: len(self._flights[flight]) >= probes, PATIENCE_S)
        return figures(self._flights.pop(flight), sent_s, self._damaged.pop(flight, 0))

    async def throughput(self, link: Link) -> float:
        """The rate in bytes per second at which a burst of probes leaves the link: see ``probes.rate``."""
        flight = self._depart()
        for number in range(BURST):
            self._send(link, flight, number, BURST_BYTES)
        await self._until(lambda: len(self._flights[flight]) >= BURST, PATIENCE_S + self._slowest_s(link))
        self._damaged.pop(flight, None)
        return rate(self._flights.pop(flight), BURST_BYTES)

    def _depart(self) -> int:
        self._flown += 1
        self._flights[self._flown] = []
        return self._flown

    def _send(self, link: Link, flight: int, number: int, size: int = 0) -> None:
        src, dest = link
        with suppress(OSError):  # no room in the queue of the interface: a probe that is lost
            where = self._where[dest].host(self._version), layout.PROBE_PORT
            self._sockets[src].sendto(datagrams.packed(flight, number, size), where)

    async def _until(self, there: Callable[[], bool], patience_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while not there():
                    self._landed.clear()
                    await self._landed.wait()

    def _read(self, sock: socket.socket) -> None:
        for flight, number, at_s, whole in datagrams.received(sock):
            if flight not in self._flights:
                continue
            if whole:
                self._flights[flight].append(Landing(number, at_s))
            else:
                self._damaged[flight] += 1
            self._landed.set()
