"""A node on the network: messages to and from other nodes and clients travel over TCP, one a line.

Standard input and output stay the harness's own line to the node (``stdio``), in JSON whatever the codec of the others: no fault of the
network reaches them, and whoever is neither a node nor a client that has called is answered there.

A node calls another one when it has something to send, and receives on connections that others made; a client gets its answers on the
connection that it made. What is sent while there is no connection waits for it; what a connection that breaks had not delivered is
lost, and never sent again: a message arrives once or not at all. A connection on which nothing is acknowledged is given up early
(``UNACKED_S``): after a partition of a minute, TCP's own next attempt would come a minute late.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from targets.node import stdio
from targets.node.codecs import DEFAULT, codec_named
from targets.node.codecs.limits import MESSAGE_BYTES_MAX
from targets.node.env import Body

# A connection that is not made within this is tried anew: the kernel itself would next try after one, three, seven seconds.
CONNECT_S = 1.0
# After a refusal, so long until the next attempt: a node that is down is not called in a tight loop.
REFUSED_S = 0.02
# Data that the other end does not acknowledge for this long breaks the connection (RFC 5482).
UNACKED_S = 1.5
# What may wait for one connection; beyond it messages are lost, as in the queues of a network.
WAITING_BYTES_MAX = 16 * 1024 * 1024

Place = tuple[str, int]  # host and port


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Where this node listens, and where the others do."""

    listen: Place
    peers: Mapping[str, Place]


def place(text: str) -> Place:
    """``HOST:PORT``, an IPv6 host with or without brackets. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not 0 <= int(port) < 65536:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def peer(text: str) -> tuple[str, Place]:
    """``NAME=HOST:PORT``. Raises ValueError."""
    name, equals, where = text.partition("=")
    if not name or not equals:
        raise ValueError(f"{text!r} is not NAME=HOST:PORT")
    return name, place(where)


class TcpNode(stdio.Node):
    """One node: its pipes, its listener, its connections, and its runtime between them."""

    def __init__(self, seat: stdio.Seat, book: Book) -> None:
        super().__init__(seat, codec_named(DEFAULT))
        self._book = book
        self._outboxes: dict[str, _Outbox] = {}
        self._callers: dict[
            str, _Caller | None
        ] = {}  # clients: the connection that each called by last; None: it has broken
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """From now on others can call. Raises OSError."""
        host, port = self._book.listen
        self._server = await self._loop.create_server(lambda: _Caller(self), host, port, reuse_address=True)

    def received(self, caller: _Caller, line: bytes) -> None:
        """A line came in on a connection that somebody made."""
        message = self._read(line, self._codec)
        if message is None:
            return
        src = message["src"]
        if src not in self._book.peers:
            caller.names.add(src)
            self._callers[src] = caller
        self._runtime.receive(message)

    def hung_up(self, caller: _Caller) -> None:
        """The connection is gone; who called by it stays known, and what is sent to it is lost."""
        for name in caller.names:
            if self._callers.get(name) is caller:
                self._callers[name] = None

    def _transmit(self, dest: str, body: Body) -> None:
        if dest in self._book.peers and dest != self._runtime.node_id:
            outbox = self._outboxes.get(dest)
            if outbox is None:
                outbox = self._outboxes[dest] = _Outbox(self._book.peers[dest])
            outbox.send(self._packed(dest, body, self._codec))
        elif dest in self._callers:
            caller = self._callers[dest]
            if caller is not None:
                caller.send(self._packed(dest, body, self._codec))
        else:
            super()._transmit(dest, body)


class _Wire(asyncio.Protocol):
    """One connection: writes of one round of the loop leave together."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._outgoing: list[bytes] = []
        self._size = 0
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        impatient(transport.get_extra_info("socket"))
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._outgoing, self._size = [], 0

    def send(self, line: bytes) -> None:
        waiting = self._size + (self._transport.get_write_buffer_size() if self._transport is not None else 0)
        if waiting + len(line) > WAITING_BYTES_MAX:
            return
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(line)
        self._size += len(line)

    def _flush(self) -> None:
        if self._transport is not None and self._outgoing:
            data, self._outgoing, self._size = b"".join(self._outgoing), [], 0
            self._transport.write(data)


class _Caller(_Wire):
    """A connection that somebody made to this node."""

    def __init__(self, node: TcpNode) -> None:
        super().__init__()
        self._node, self._rest = node, b""
        self.names: set[str] = set()  # the clients that called by it

    def send(self, line: bytes) -> None:
        if self._transport is not None:
            super().send(line)

    def data_received(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._node.received(self, line)
        if len(self._rest) > MESSAGE_BYTES_MAX and self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._node.hung_up(self)


class _Outbox(_Wire):
    """The way to one other node: a connection that is made when there is something to send."""

    def __init__(self, where: Place) -> None:
        super().__init__()
        self._where = where
        self._calling: asyncio.Task[None] | None = None

    def send(self, line: bytes) -> None:
        super().send(line)
        if self._transport is None and self._calling is None:
            self._calling = self._loop.create_task(self._call())

    async def _call(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._loop.create_connection(lambda: self, *self._where)
        except OSError:  # also TimeoutError: what waited for this connection is lost
            self._outgoing, self._size = [], 0
            await asyncio.sleep(REFUSED_S)
            self._outgoing, self._size = [], 0
        finally:
            self._calling = None

    def data_received(self, data: bytes) -> None:
        """Nothing is expected here: answers come by the other node's own connection."""


def impatient(sock: socket.socket) -> None:
    """Give up early on an end that does not acknowledge. Not every system can be told to."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, option, int(UNACKED_S * 1000))


async def _live(seat: stdio.Seat, book: Book) -> None:
    node = TcpNode(seat, book)
    await node.listen()
    await asyncio.get_running_loop().connect_read_pipe(lambda: node, sys.stdin.buffer)
    await node.ended


def run(seat: stdio.Seat, book: Book) -> int:
    """Run one node on the network until its standard input ends. Returns the exit status; what fails here is told on standard error."""
    with asyncio.Runner() as runner:
        runner.run(_live(seat, book))
    return 0
