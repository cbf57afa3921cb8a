"""A network for programs that only speak TCP, where there are neither namespaces nor root: a proxy per directed pair, in this process.

Each node is told that every other one listens at a port of ours; what it sends there goes on to the other's real port, and what comes
back belongs to the link of the other direction. Bytes wait while their link is cut (a stream cannot lose some), and are late or the
connection breaks where packets would be lost: see ``flow``. Ports are on the loopback of this machine, and closed with the run.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from harness.clusters.fabric.flow import GIVEN_UP_S, Flow
from harness.clusters.fabric.links import Line, Links
from harness.clusters.message_log import Arrived, Sent, unnoted
from harness.effects import Link

HOST = "127.0.0.1"
# What a sender may have under way before it is told to wait: about what the kernel buffers for a connection.
WAITING_BYTES_MAX = 1 << 20


class Pipe:
    """One direction of a connection: bytes go in, and come out as the link has it. ``None`` stands for the end of the stream.

    ``flow_control(full)`` is told to stop the sender and to let it go on; ``broken`` that the connection is given up, as a sender does
    that has sent a segment again and again.
    """

    def __init__(
        self,
        line: Line,
        deliver: Callable[[bytes | None], None],
        broken: Callable[[], None],
        flow_control: Callable[[bool], None] = lambda _full: None,
    ) -> None:
        self._line, self.flow = line, Flow(line)
        self._deliver, self._broken, self._flow_control = deliver, broken, flow_control
        self._waiting: deque[bytes | None] = deque()  # not on the link yet
        self._aloft: deque[tuple[float, bytes | None]] = deque()  # with the time of arrival
        self._breaks_s: float | None = None  # when the connection is given up
        self._size, self._full, self._closed = 0, False, False
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self.held = False  # by the receiver, who does not take more

    def carry(self, data: bytes | None) -> None:
        """Send this over the link."""
        if self._line.cuts and data:
            self._line.fates(
                self._loop.time(), len(data)
            )  # this copy is lost, and counted; the next is sent when the link is mended
        self._waiting.append(data)
        self._size += len(data or b"")
        self.pump()

    def pump(self) -> None:
        """Move what can be moved now, and look again when more can. To be called when the link has changed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now_s = self._loop.time()
        while not self._closed and not self._line.cuts:
            next_s = self._send(now_s)
            if self._breaks_s is not None and self._breaks_s <= now_s:
                self.close()
                self._broken()
                return
            arrived = bool(self._aloft) and self._aloft[0][0] <= now_s and not self.held
            if not arrived:
                if next_s < float("inf"):
                    self._timer = self._loop.call_at(next_s, self.pump)
                break
            self._arrive()
        self._control()

    def _send(self, now_s: float) -> float:
        """Put on the link what there is room for; the time when to look again (never: infinity)."""
        room_s = 0.0
        while self._waiting and self._breaks_s is None and (room_s := self.flow.room_s(now_s)) <= 0:
            data = self._waiting.popleft()
            arrives_s = self.flow.arrives_s(now_s, len(data)) if data else self.flow.arrives_s(now_s, 1)
            if arrives_s is None:
                self._breaks_s = now_s + GIVEN_UP_S
            else:
                self._aloft.append((arrives_s, data))
        arrives_s = self._aloft[0][0] if self._aloft and not self.held else float("inf")
        goes_on_s = now_s + room_s if self._waiting else float("inf")
        return min(arrives_s, goes_on_s if self._breaks_s is None else self._breaks_s)

    def _arrive(self) -> None:
        _, data = self._aloft.popleft()
        self._size -= len(data or b"")
        self._deliver(data)

    def _control(self) -> None:
        full = self._size > WAITING_BYTES_MAX
        if full != self._full and not self._closed:
            self._full = full
            self._flow_control(full)

    def close(self) -> None:
        """Nothing comes out any more. Idempotent."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _End(asyncio.Protocol):
    """One end of a proxied connection: what comes in here leaves by ``pipe``, what comes out of the other's is written here."""

    def __init__(self, on_made: Callable[[_End], None]) -> None:
        self._on_made = on_made
        self.transport: asyncio.Transport | None = None
        self.pipe: Pipe | None = None  # from here
        self.back: Pipe | None = None  # to here
        self.sent: Callable[[bytes], None] | None = None  # is told what leaves from here

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._on_made(self)

    def data_received(self, data: bytes) -> None:
        assert self.pipe is not None
        assert self.sent is not None
        self.sent(data)
        self.pipe.carry(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self.back is not None:
            self.back.close()
        if self.pipe is not None:
            self.pipe.carry(None)

    def pause_writing(self) -> None:
        if self.back is not None:
            self.back.held = True

    def resume_writing(self) -> None:
        if self.back is not None:
            self.back.held = False
            self.back.pump()

    def write(self, data: bytes | None) -> None:
        """Out of the other's pipe; None: it has hung up."""
        if self.transport is None:
            return
        if data is None:
            self.transport.close()
        else:
            self.transport.write(data)

    def flow_control(self, full: bool) -> None:
        if self.transport is not None and not self.transport.is_closing():
            (self.transport.pause_reading if full else self.transport.resume_reading)()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class Proxies:
    """All proxies of a run over the state of its ``links``; ``pump`` when that has changed. ``sent`` is told of what leaves."""

    def __init__(self, nodes: Sequence[str], links: Links, sent: Sent = unnoted) -> None:
        self._nodes, self._links, self._sent = tuple(nodes), links, sent
        self.ports: dict[str, int] = {}  # where the nodes listen themselves
        self._reserved: list[socket.socket] = []
        self._servers: dict[Link, asyncio.Server] = {}
        self._pipes: set[Pipe] = set()
        self._ends: set[_End] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Choose the nodes' ports and listen for each of them to be called by each other. Raises OSError."""
        for node in self._nodes:
            self.ports[node] = self._reserve()
        loop = asyncio.get_running_loop()
        for link in ((src, dest) for src in self._nodes for dest in self._nodes if src != dest):
            self._servers[link] = await loop.create_server(partial(self._called, link), HOST, 0)

    def _reserve(self) -> int:
        """A port that nobody else is given. Held by a socket that does not listen, beside which Linux lets the node have it too."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, 0))
        port: int = sock.getsockname()[1]
        if sys.platform == "linux":
            self._reserved.append(sock)
        else:
            sock.close()
        return port

    def book(self, node: str) -> Mapping[str, str]:
        """HOST:PORT of every node as this one is to know them: its own is real."""
        found = {}
        for other in self._nodes:
            port = self.ports[other] if other == node else self._servers[node, other].sockets[0].getsockname()[1]
            found[other] = f"{HOST}:{port}"
        return found

    def _called(self, link: Link) -> _End:
        """A connection by which the source of the link calls its destination."""

        def made(near: _End) -> None:
            assert near.transport is not None
            near.transport.pause_reading()  # until there is somebody to read for
            task = asyncio.get_running_loop().create_task(self._connect(link, near))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return _End(made)

    async def _connect(self, link: Link, near: _End) -> None:
        """The call goes through when both ways of the link are open, as a handshake would."""
        self._ends.add(near)
        there, back = self._links.line(link), self._links.line((link[1], link[0]))
        far = _End(lambda _end: None)
        try:
            await self._cross(there)
            await self._cross(back)
            _, _ = await asyncio.get_running_loop().create_connection(lambda: far, HOST, self.ports[link[1]])
        except OSError:
            near.abort()
            self._ends.discard(near)
            return
        self._ends.add(far)
        if near.transport is None or far.transport is None:  # one has hung up meanwhile
            near.abort()
            far.abort()
            self._ends -= {near, far}
            return
        self._join(near, far, link)
        self._join(far, near, (link[1], link[0]))
        near.flow_control(False)

    async def _cross(self, line: Line) -> None:
        """Until one segment has crossed the link. Raises TimeoutError if none does."""
        crossed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        pipe = Pipe(line, lambda _data: crossed.set_result(True), lambda: crossed.set_result(False))
        self._pipes.add(pipe)
        try:
            pipe.carry(b".")
            if not await crossed:
                raise TimeoutError
        finally:
            self._pipes.discard(pipe)
            pipe.close()

    def _join(self, source: _End, sink: _End, link: Link) -> None:
        aloft: deque[Arrived] = deque()  # of each piece that is on its way: what comes out is what went in, in order

        def sent(data: bytes) -> None:
            aloft.append(self._sent(*link, data))

        def deliver(data: bytes | None) -> None:
            if data is not None:
                aloft.popleft()()
            sink.write(data)
            if data is None:
                self._pipes.discard(pipe)
                self._ends.discard(source)

        def broken() -> None:
            self._pipes.discard(pipe)
            source.abort()
            sink.abort()

        pipe = source.pipe = sink.back = Pipe(self._links.line(link), deliver, broken, source.flow_control)
        source.sent = sent
        self._pipes.add(pipe)

    def pump(self) -> None:
        """The state of links has changed."""
        for pipe in list(self._pipes):
            pipe.pump()

    def probe(self, link: Link, landed: Callable[[bytes | None], None]) -> Pipe:
        """A stream over the link that begins and ends here; ``forget`` it in the end."""
        pipe = Pipe(self._links.line(link), landed, lambda: None)
        self._pipes.add(pipe)
        return pipe

    def forget(self, pipe: Pipe) -> None:
        """Close a probe's stream."""
        self._pipes.discard(pipe)
        pipe.close()

    async def stop(self) -> None:
        """Close all connections and ports. Idempotent."""
        servers, self._servers = self._servers, {}
        for server in servers.values():
            server.close()
        for task in list(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for end in list(self._ends):
            end.abort()
        for pipe in list(self._pipes):
            self.forget(pipe)
        reserved, self._reserved = self._reserved, []
        for sock in reserved:
            sock.close()
        await asyncio.sleep(0)  # transports close in the loop's next round
