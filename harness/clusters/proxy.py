"""The proxy cluster: nodes are child processes that speak TCP on ports of this machine; between each two of them stands a proxy of ours.

For programs that only speak TCP, where there are neither namespaces nor root; any POSIX system. A program is told an address for each of
its peers, and must call them there. Processes are as on the process cluster, whose pipes remain the harness's own line to them: kill,
pause and throttle are real signals. Links are cut and shaped by the proxies (``fabric.proxies``), which see streams and not packets: a cut
is silence, loss is a stall or a reset, duplicates and reordering vanish, as TCP would have it. Clients call nodes directly: only links
between nodes can be broken. With ``packet_log`` each piece of a stream is a message (``message_log``); a client's arrives as it leaves.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict

from harness.clusters import codecs
from harness.clusters.fabric import probes
from harness.clusters.fabric.links import slowest_s
from harness.clusters.fabric.proxies import HOST, Pipe, Proxies
from harness.clusters.namespaces import layout
from harness.clusters.namespaces.callers import Callers, Switchboard
from harness.clusters.namespaces.lives import Argv, tcp_node
from harness.clusters.process import ProcessCluster
from harness.clusters.starts import NodeStart
from harness.effects import Link, PacketShape
from harness.errors import TargetError
from harness.protocols import Channel, ClusterSpec

# Who has not arrived by then, beyond what the shape of the link holds it back, does not: a busy machine may need a moment.
PATIENCE_S = 0.2
# So much later if segments are lost, which are sent again after 0.2 s, after 0.4 s more, and so on. Nemeses wait for probes, so no longer.
AGAIN_S = 1.0


class ProxyCluster(ProcessCluster):
    """Nodes as child processes on TCP, proxies between them. Needs nothing; any POSIX system."""

    name = "proxy"

    def __init__(self, spec: ClusterSpec, argv: Argv = tcp_node) -> None:
        super().__init__(spec, self._command, wire=codecs.JSON)
        self._tcp_argv = argv
        self._proxies = Proxies(self.nodes, self._links, self._messages.sent)
        # Clients have no address of their own.
        self._callers = Callers(lambda _: layout.Address(v4=HOST, v6="::1"))
        self._shapes: dict[Link, PacketShape] = {}
        self._callers.board = Switchboard(
            take=self._take,
            where=self._where,
            check=self._check,
            on_babble=self._babbled,
            wire=codecs.wire(spec.options),
            said=lambda src, dest, line: self._messages.sent(src, dest, line)(),
        )

    def _command(self, start: NodeStart) -> Sequence[str]:
        book = self._proxies.book(start.node)
        return self._tcp_argv(start, book[start.node], book)

    async def start(self) -> None:
        try:
            await super().start()
        except BaseException:
            await self._proxies.stop()
            raise

    async def _lay_lines(self) -> None:
        await self._proxies.start()

    async def stop(self) -> None:
        try:
            await self._callers.close()
            await super().stop()
        finally:
            await self._proxies.stop()

    # Clients

    def _line(self, client: str) -> Channel:
        return self._callers.called(client)

    async def _take(self, _mine: layout.Address) -> socket.socket:
        sock = socket.socket()
        sock.setblocking(False)
        return sock

    def _where(self, node: str) -> tuple[str, int]:
        return HOST, self._proxies.ports[node]

    def _check(self, node: str) -> None:
        self._raise_violation()
        self._node(node)

    def _babbled(self, name: str, line: bytes) -> None:
        self._violate(self._node(name), line, "on a client's connection")

    # Faults of the network

    def _known(self, links: Iterable[Link]) -> list[Link]:
        links = list(links)
        for name in (name for link in links for name in link if name not in self.nodes):
            raise TargetError(f"only links between nodes can be broken on the proxy cluster, and {name!r} is no node")
        return links

    async def cut(self, links: Iterable[Link]) -> None:
        await super().cut(self._known(links))

    async def mend(self, links: Iterable[Link]) -> None:
        await super().mend(self._known(links))
        self._proxies.pump()

    async def shape(self, links: Iterable[Link], shape: PacketShape) -> None:
        links = self._known(links)
        self._shapes.update(dict.fromkeys(links, shape))
        await super().shape(links, shape)
        self._proxies.pump()

    async def unshape(self, links: Iterable[Link]) -> None:
        links = self._known(links)
        for link in links:
            self._shapes.pop(link, None)
        await super().unshape(links)
        self._proxies.pump()

    async def reaches(self, links: Sequence[Link]) -> list[bool]:
        arrived: set[int] = set()
        flight = _Flight(lambda: len(arrived) == len(links))

        def heard(place: int) -> Callable[[bytes | None], None]:
            def landed(_data: bytes | None) -> None:
                arrived.add(place)
                flight.look()

            return landed

        # Streams of their own: the first of one that is lost holds back all behind it.
        pipes = [
            self._proxies.probe(link, heard(place))
            for place, link in enumerate(self._known(links))
            for _ in range(probes.REACH_PROBES)
        ]
        try:
            for pipe in pipes:
                pipe.carry(b"." * probes.PROBE_BYTES)
            await flight.wait(self._patience_s(links))
        finally:
            for pipe in pipes:
                self._proxies.forget(pipe)
        return [place in arrived for place in range(len(links))]

    async def measure(self, link: Link, probes_sent: int) -> Mapping[str, float]:
        """Shares are those of the first copies of segments; the delay is that of the stream, with all that was sent again."""
        landed, sent_s, pipe = await self._fly(link, probes_sent, probes.PROBE_BYTES, probes.SPACING_S)
        found = probes.figures(landed, sent_s, 0)
        shares = {name: count / probes_sent for name, count in asdict(pipe.flow.met).items()}
        return {**found, **shares}

    async def throughput(self, link: Link) -> float:
        landed, _, _ = await self._fly(link, probes.BURST, probes.BURST_BYTES, 0.0)
        return probes.rate(landed, probes.BURST_BYTES)

    async def _fly(
        self, link: Link, count: int, size: int, spacing_s: float
    ) -> tuple[list[probes.Landing], list[float], Pipe]:
        """Send probes over the link as one stream; which arrived when, and when they were sent."""
        time_s = asyncio.get_running_loop().time
        landed: list[probes.Landing] = []
        sent_s: list[float] = []
        flight = _Flight(lambda: len(landed) == count)
        (known,) = self._known([link])

        def land(_data: bytes | None) -> None:
            landed.append(probes.Landing(len(landed), time_s()))
            flight.look()

        pipe = self._proxies.probe(known, land)
        try:
            for _ in range(count):
                sent_s.append(time_s())
                pipe.carry(b"." * size)
                if spacing_s:
                    await asyncio.sleep(spacing_s)
            await flight.wait(self._patience_s([link]))
        finally:
            self._proxies.forget(pipe)
        return landed, sent_s, pipe

    def _patience_s(self, links: Iterable[Link]) -> float:
        """After this, what has not arrived over these links does not."""
        shapes = [self._shapes[link] for link in links if link in self._shapes]
        slowest = max((slowest_s(shape, probes.BURST * probes.BURST_BYTES) for shape in shapes), default=0.0)
        again = max((shape.loss > 0 or shape.corrupt > 0 for shape in shapes), default=False)
        return PATIENCE_S + slowest + again * AGAIN_S


class _Flight:
    """Probes that are under way until all of them are ``there``."""

    def __init__(self, there: Callable[[], bool]) -> None:
        self._there, self._landed = there, asyncio.Event()

    def look(self) -> None:
        """One has landed, and is noted."""
        if self._there():
            self._landed.set()

    async def wait(self, patience_s: float) -> None:
        """At most that long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._landed.wait()
