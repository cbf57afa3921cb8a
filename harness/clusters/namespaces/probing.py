"""Probes of the fabric: datagrams from one node's network to another's, by the way that all packets take, timed by the kernel.

The sockets stand in the places of the nodes, and are read here: so a probe tells of the link, and not of the program on the node. Probes
carry no sum, so that a damaged one arrives as it is: it holds the same words several times, and one flipped bit spoils one of them. (A
bit of its header that flips makes it a lost one.)
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from harness import clock
from harness.clusters.fabric.probes import BURST, BURST_BYTES, REACH_PROBES, SPACING_S, Landing, figures, rate
from harness.clusters.namespaces import layout
from harness.clusters.namespaces.callers import take_socket
from harness.clusters.namespaces.conversation import Conversation
from harness.effects import Link

# A probe on a link that nothing slows is there within a tenth of a millisecond; a busy machine may take longer to deliver it. Who has
# not arrived by then counts as lost.
PATIENCE_S = 0.2
LINKS_AT_ONCE = 32  # a socket holds some 250 datagrams
SO_TIMESTAMPNS = 35  # socket(7); Python has no name for it
# No sum in what is sent, and none asked of what is received: socket(7), and udp.h of the kernel; Python has no names for them.
SO_NO_CHECK, UDP_NO_CHECK6_TX, UDP_NO_CHECK6_RX = 11, 101, 102
_WORDS = struct.Struct("=QI")  # flight, number
COPIES = 5  # of the words in a probe
_TIMESPEC = struct.Struct("=qq")


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
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            sock.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
            if version == 6:
                sock.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_TX, 1)
                sock.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_RX, 1)
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
            self._sockets[src].sendto((_WORDS.pack(flight, number) * COPIES).ljust(size, b"."), where)

    async def _until(self, there: Callable[[], bool], patience_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while not there():
                    self._landed.clear()
                    await self._landed.wait()

    def _read(self, sock: socket.socket) -> None:
        with suppress(BlockingIOError):
            while True:
                data, ancillary, _, _ = sock.recvmsg(_WORDS.size * COPIES, socket.CMSG_SPACE(_TIMESPEC.size))
                if len(data) < _WORDS.size * COPIES:
                    continue
                ((flight, number), copies), *_ = Counter(_WORDS.iter_unpack(data)).most_common(1)
                if flight not in self._flights:
                    continue
                if copies == COPIES:
                    self._flights[flight].append(Landing(number, _stamp(ancillary)))
                else:
                    self._damaged[flight] += 1
                self._landed.set()


def _stamp(ancillary: Sequence[tuple[int, int, bytes]]) -> float:
    """When the kernel received a datagram, in seconds since the epoch."""
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack(payload)
            return float(seconds) + float(nanoseconds) * 1e-9
    return clock.wall_s()
