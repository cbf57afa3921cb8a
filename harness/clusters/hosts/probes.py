"""Datagrams between hosts, by the way that all packets take. The agent's end. Standard library alone."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress

from harness import clock
from harness.clusters.fabric import datagrams
from harness.clusters.fabric.probes import REACH_PROBES, SPACING_S
from harness.clusters.namespaces.layout import PROBE_PORT


class ProbePort:
    """Sends probes to other hosts, and keeps what comes from them, by flight. Raises OSError if the port is taken."""

    def __init__(self, own: str, peers: Mapping[str, str]) -> None:
        self._peers = peers
        six = ":" in own
        self._socket = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            datagrams.prepare(self._socket)
            self._socket.bind((own, PROBE_PORT))
        except BaseException:
            self._socket.close()
            raise
        self._socket.setblocking(False)
        self._landed: dict[int, list[tuple[int, float]]] = {}
        self._damaged: Counter[int] = Counter()
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()

    def reach(self, flights: Sequence[tuple[int, str]]) -> None:
        """A few probes for each of these flights, to the node that stands with it."""
        for number in range(REACH_PROBES):
            for flight, dest in flights:
                self._send(flight, number, dest, 0)

    async def send(self, flight: int, dest: str, probes: int, size: int) -> list[float]:
        """So many probes, and by this host's clock when each left: one by one, or with a ``size`` (bytes) all at once."""
        sent_s = []
        for number in range(probes):
            sent_s.append(clock.wall_s())
            self._send(flight, number, dest, size)
            if not size:
                await asyncio.sleep(SPACING_S)
        return sent_s

    async def landed(
        self, flights: Sequence[int], probes: int, patience_s: float
    ) -> dict[int, list[tuple[int, float]]]:
        """What has come of these flights, by number and time, once ``probes`` of each have or the patience is over; then forgotten."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while any(len(self._landed.get(flight, ())) < probes for flight in flights):
                    self._news.clear()
                    await self._news.wait()
        return {flight: self._landed.pop(flight, []) for flight in flights}

    def damaged(self, flight: int) -> int:
        """How many of the flight came damaged; then forgotten."""
        return self._damaged.pop(flight, 0)

    def _send(self, flight: int, number: int, dest: str, size: int) -> None:
        with suppress(OSError):  # no room in the queue of the interface: a probe that is lost
            self._socket.sendto(datagrams.packed(flight, number, size), (self._peers[dest], PROBE_PORT))

    def _read(self) -> None:
        # Not the kernel's time of their arrival, which is that at the interface: they are shaped behind it.
        for flight, number, _, whole in datagrams.received(self._socket):
            if whole:
                self._landed.setdefault(flight, []).append((number, clock.wall_s()))
            else:
                self._damaged[flight] += 1
            self._news.set()
