"""A node on the network: messages to and from other nodes and clients travel over TCP, one a line.

Standard input and output stay the harness's own line to the node (``stdio``), in JSON whatever the codec of the others: no fault of the
network reaches them, and whoever is neither a node nor a client that has called is answered there.

A node calls another one when it has something to send, and receives on connections that others made; a client gets its answers on the
connection that it made. What is sent while there is no connection waits for it; what a connection that breaks had not delivered is
lost, and never sent again: a message arrives once or not at all. A connection on which nothing is acknowledged is given up early
(``UNACKED_S``): after a partition of a minute, TCP's own next attempt would come a minute late.

With the option ``security=tls`` every connection is mutual TLS (``tls``): a node is who its certificate says, and whoever shows none of the
run's is cut off, and told in the log of intrusions.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from targets.node import stdio
from targets.node.codecs import DEFAULT, Codec, codec_named
from targets.node.codecs.limits import MESSAGE_BYTES_MAX
from targets.node.env import Body
from targets.node.guard import TLS, Bugs
from targets.node.tls import Credentials, Session

# A connection that is not made within this is tried anew: the kernel itself would next try after one, three, seven seconds.
CONNECT_S = 1.0
# After a refusal, so long until the next attempt: a node that is down is not called in a tight loop.
REFUSED_S = 0.02
# Data that the other end does not acknowledge for this long breaks the connection (RFC 5482).
UNACKED_S = 1.5
# What may wait for one connection; beyond it messages are lost, as in the queues of a network.
WAITING_BYTES_MAX = 16 * 1024 * 1024
# Whoever calls and does not complete the handshake within this is cut off.
HANDSHAKE_S = 5.0
# The first byte of whoever speaks TLS: a record of the handshake (RFC 8446 section 5.1).
HANDSHAKE_RECORD = 0x16

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
        self.bugs = Bugs.of(seat.options)
        self.secure = seat.options.get("security") == TLS
        self.credentials: Credentials | None = None  # with ``init``, if there is to be TLS

    def line_received(self, line: bytes, codec: Codec) -> None:
        """From the harness."""
        message = self._read(line, codec)
        if message is None:
            return
        if self.secure and message["body"]["type"] == "init":
            self.credentials = Credentials(message["body"]["secrets"], asks=not self.bugs.peer_certificate_unchecked)
        self._runtime.receive(message)

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
        if not self._may_say(caller, src):
            self.alarm(caller, f"{caller.peer or 'a caller'} calls itself {src}", message["body"])
            caller.cut_off()
            return
        trusted = src in self._book.peers
        if not trusted:
            caller.names.add(src)
            self._callers[src] = caller
        self._runtime.receive(message, trusted=trusted)

    def _may_say(self, caller: _Caller, src: str) -> bool:
        """Whether that caller may speak in this name: a node in its own alone, a client in that of no node. Without TLS nobody knows."""
        if not self.secure or self.bugs.peer_certificate_unchecked or self.bugs.certificate_name_unchecked:
            return True
        return src == caller.peer if caller.peer in self._book.peers else src not in self._book.peers

    def alarm(self, caller: _Caller, why: str, body: Body | None = None) -> None:
        """Somebody has tried to get in who may not."""
        if self._runtime.guard is not None:
            self._runtime.guard.alarm(caller.where, why, body)

    def unwelcome(self, caller: _Caller, why: str) -> None:
        """A connection has failed before anything was said on it."""
        if not self.bugs.handshake_not_logged:
            self.alarm(caller, why)

    def hung_up(self, caller: _Caller) -> None:
        """The connection is gone; who called by it stays known, and what is sent to it is lost."""
        for name in caller.names:
            if self._callers.get(name) is caller:
                self._callers[name] = None

    def _transmit(self, dest: str, body: Body) -> None:
        if dest in self._book.peers and dest != self._runtime.node_id:
            outbox = self._outboxes.get(dest)
            if outbox is None:
                outbox = self._outboxes[dest] = _Outbox(self._book.peers[dest], lambda: self._calling(dest))
            outbox.send(self._packed(dest, body, self._codec))
        elif dest in self._callers:
            caller = self._callers[dest]
            if caller is not None:
                caller.send(self._packed(dest, body, self._codec))
        else:
            super()._transmit(dest, body)

    def _calling(self, dest: str) -> Session | None:
        return self.credentials.calling(dest) if self.credentials is not None else None


class _Wire(asyncio.Protocol):
    """One connection: writes of one round of the loop leave together. With a ``session`` it is TLS."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._outgoing: list[bytes] = []
        self._size = 0
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        impatient(transport.get_extra_info("socket"))
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = self._session = None
        self._outgoing, self._size = [], 0

    def send(self, line: bytes) -> None:
        waiting = self._size + (self._transport.get_write_buffer_size() if self._transport is not None else 0)
        if waiting + len(line) > WAITING_BYTES_MAX:
            return
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(line)
        self._size += len(line)

    def cut_off(self) -> None:
        """What has been said is still sent; nothing more is heard."""
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        if self._transport is None or not self._outgoing or (self._session is not None and not self._session.ready):
            return
        data, self._outgoing, self._size = b"".join(self._outgoing), [], 0
        if self._session is not None:
            self._session.seal(data)
            data = self._session.outgoing()
        self._transport.write(data)

    def _opened(self, data: bytes) -> bytes:
        """What the other end says by these bytes of a session. Raises ssl.SSLError, having sent why."""
        assert self._session is not None
        try:
            return self._session.feed(data)
        finally:
            answer = self._session.outgoing()
            if answer and self._transport is not None:
                self._transport.write(answer)
            self._flush()  # what waited for the session to be ready


class _Caller(_Wire):
    """A connection that somebody made to this node."""

    def __init__(self, node: TcpNode) -> None:
        super().__init__()
        self._node, self._rest = node, b""
        self.names: set[str] = set()  # the clients that called by it
        self.where = ""  # from where it comes, HOST:PORT
        self._untold = False  # whether it has said something that was no handshake yet

    @property
    def peer(self) -> str:
        """The name in the certificate of the other end, if there is one."""
        return self._session.peer if self._session is not None else ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self._transport is not None
        self.where = ":".join(map(str, transport.get_extra_info("peername")[:2]))
        if not self._node.secure:
            return
        if self._node.credentials is None:
            self._transport.abort()  # not initialised yet
            return
        self._session = self._node.credentials.called()
        self._loop.call_later(HANDSHAKE_S, self._too_late)

    def _too_late(self) -> None:
        if self._session is not None and not self._session.ready and self._transport is not None:
            self._untold = True
            self._transport.abort()

    def send(self, line: bytes) -> None:
        if self._transport is not None:
            super().send(line)

    def data_received(self, data: bytes) -> None:
        if self._session is not None and not self._untold and self._node.bugs.plain_port_open:
            self._session = self._session if self._session.ready or data[0] == HANDSHAKE_RECORD else None
        if self._session is not None:
            self._untold = not self._session.ready
            try:
                data = self._opened(data)
            except ssl.SSLError as error:
                self._refused(error)
                return
            self._untold = not self._session.ready
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._node.received(self, line)
        if len(self._rest) > MESSAGE_BYTES_MAX and self._transport is not None:
            self._transport.abort()

    def _refused(self, error: ssl.SSLError) -> None:
        if self._untold:
            self._untold = False
            self._node.unwelcome(self, f"no TLS of ours: {error.reason or error}")
        self.cut_off()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._untold:
            self._node.unwelcome(self, "no TLS of ours: it ended within the handshake")
        super().connection_lost(exc)
        self._node.hung_up(self)


class _Outbox(_Wire):
    """The way to one other node: a connection that is made when there is something to send. ``session`` begins its TLS, if there is any."""

    def __init__(self, where: Place, session: Callable[[], Session | None] = lambda: None) -> None:
        super().__init__()
        self._where, self._begin = where, session
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

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._session = self._begin()
        super().connection_made(transport)
        if self._session is not None:
            self.data_received(b"")  # who calls speaks first

    def data_received(self, data: bytes) -> None:
        """Nothing but the session's own is expected here: answers come by the other node's own connection."""
        if self._session is not None:
            try:
                self._opened(data)
            except ssl.SSLError:
                self.cut_off()


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
