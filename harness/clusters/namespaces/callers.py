"""Clients' connections to nodes: real sockets in the clients' place, each client with an address of its own, messages on lines."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from harness.clusters.channels import Line
from harness.clusters.codecs import Wire
from harness.clusters.message_log import unnoted
from harness.clusters.namespaces import layout
from harness.clusters.namespaces.conversation import Conversation
from harness.errors import ClusterError
from harness.protocols import Body, NotSent
from targets.node.codecs import Malformed
from targets.node.tcp import CONNECT_S, impatient

# A client that has not asked for so long has been given up, as a rule: its worker goes on under another name after an op in doubt.
IDLE_S = 30.0
# A node that stands still completes no handshake; one on a busy machine takes some hundredths of a second.
HANDSHAKE_S = 2.0

FAMILIES: Mapping[int, socket.AddressFamily] = {4: socket.AF_INET, 6: socket.AF_INET6}


async def take_socket(
    place: Conversation, kind: socket.SocketKind, version: int, host: str, port: int = 0
) -> socket.socket:
    """A socket of that place's network, bound there; it stays there. Raises OSError."""
    family = FAMILIES[version]
    _, descriptors = await place.call("socket", family=int(family), type=int(kind), host=host, port=port)
    sock = socket.socket(fileno=descriptors[0])
    sock.setblocking(False)
    return sock


def streams(place: Conversation, version: int) -> Callable[[layout.Address], Awaitable[socket.socket]]:
    """How callers whose sockets are in that place take them."""

    async def take(mine: layout.Address) -> socket.socket:
        return await take_socket(place, socket.SOCK_STREAM, version, mine.host(version))

    return take


class _Connection(asyncio.Protocol):
    """One connection of a client to a node."""

    def __init__(self, on_line: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self.transport: asyncio.Transport
        self._on_line, self._on_end, self._rest = on_line, on_end, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._on_line(line)

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_end()


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchboard:
    """What all callers of a run share: ``take`` makes a socket with a caller's address, ``where`` says where a node listens.

    ``check(node)`` raises if there is no such node, or if the run cannot be judged any more; ``on_babble`` is told of a node's line
    that is no message. ``wire`` is how lines are written, ``tls`` what connections are made with (None: plain). ``said`` is told each line,
    from whom and to whom, as it leaves a caller or comes to it.
    """

    take: Callable[[layout.Address], Awaitable[socket.socket]]
    where: Callable[[str], tuple[str, int]]
    check: Callable[[str], None]
    on_babble: Callable[[str, bytes], None]
    wire: Wire
    tls: ssl.SSLContext | None = None
    said: Callable[[str, str, bytes], object] = unnoted


class Caller:
    """One client. Satisfies ``harness.protocols.Channel``: the calls that it makes are connections over the fabric."""

    def __init__(self, name: str, address: layout.Address, board: Switchboard) -> None:
        self.name, self.address, self._board = name, address, board
        self._asking, self._used_s = 0, 0.0
        self._line = Line(self._transmit)
        self._connections: dict[str, _Connection] = {}
        self._calling: dict[str, asyncio.Task[str | None]] = {}

    async def rpc(self, node: str, body: Body, timeout_s: float) -> Body:
        """See the Protocol."""
        self._board.check(node)
        loop = asyncio.get_running_loop()
        until_s = loop.time() + timeout_s
        self._asking += 1
        try:
            if node not in self._connections:
                await self._call(node, timeout_s)
            return await self._line.rpc(node, body, max(0.0, until_s - loop.time()))
        finally:
            self._asking -= 1
            self._used_s = loop.time()

    async def _call(self, node: str, timeout_s: float) -> None:
        """Have a connection. Raises NotSent."""
        calling = self._calling.get(node)
        if calling is None:
            calling = self._calling[node] = asyncio.get_running_loop().create_task(self._connect(node))
            calling.add_done_callback(lambda _: self._calling.pop(node, None))
        done, _ = await asyncio.wait([calling], timeout=timeout_s)
        why = (
            (calling.result() if not calling.cancelled() else "the cluster was stopped")
            if done
            else "no answer to the call"
        )
        if why is not None:
            raise NotSent(f"no connection to node {node}: {why}")

    async def _connect(self, node: str) -> str | None:
        """Why there is no connection, or None."""
        sock = None
        try:
            sock = await self._board.take(self.address)
            impatient(sock)
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(CONNECT_S):
                await loop.sock_connect(sock, self._board.where(node))
            _, connection = await loop.create_connection(
                lambda: _Connection(lambda line: self._received(node, line), lambda: self._broken(node)),
                sock=sock,
                ssl=self._board.tls,
                server_hostname=node if self._board.tls is not None else None,
                ssl_handshake_timeout=HANDSHAKE_S if self._board.tls is not None else None,
            )
        except (OSError, ClusterError) as error:
            if sock is not None:
                sock.close()
            return str(error) or type(error).__name__
        except BaseException:
            if sock is not None:
                sock.close()
            raise
        self._connections[node] = connection
        return None

    def _transmit(self, node: str, body: Body) -> None:
        connection = self._connections.get(node)
        if connection is None or connection.transport.is_closing():
            raise NotSent(f"the connection to node {node} has just broken")
        line = self._board.wire.encode({"src": self.name, "dest": node, "body": body})
        self._board.said(self.name, node, line)
        connection.transport.write(line + b"\n")

    def _received(self, node: str, line: bytes) -> None:
        self._board.said(node, self.name, line)
        try:
            _, _, raw = self._board.wire.frame(line)
            body = self._board.wire.body(raw)
        except Malformed:
            self._board.on_babble(node, line)
        else:
            self._line.deliver(body)

    def _broken(self, node: str) -> None:
        self._connections.pop(node, None)
        self._line.hang_up(node)

    def tidy(self) -> None:
        """Hang up if nothing was said for long. What was said is still delivered, and a new call can be made."""
        if not self._asking and asyncio.get_running_loop().time() - self._used_s > IDLE_S:
            for connection in list(self._connections.values()):
                connection.transport.close()

    async def close(self) -> None:
        """Hang up everywhere."""
        for calling in list(self._calling.values()):
            calling.cancel()
            await asyncio.wait([calling])
        for connection in list(self._connections.values()):
            connection.transport.abort()


class Callers:
    """The clients of a run, each made when it is first asked for. ``address(number)`` is that of the client of this number, from 1."""

    board: Switchboard  # there when the run has started

    def __init__(self, address: Callable[[int], layout.Address]) -> None:
        self._address = address
        self._known: dict[str, Caller] = {}

    def called(self, name: str) -> Caller:
        caller = self._known.get(name)
        if caller is None:
            for other in self._known.values():
                other.tidy()
            caller = self._known[name] = Caller(name, self._address(len(self._known) + 1), self.board)
        return caller

    def address(self, name: str) -> layout.Address | None:
        """None: nobody is called so, or has not asked anything yet."""
        caller = self._known.get(name)
        return caller.address if caller is not None else None

    async def close(self) -> None:
        """All hang up."""
        for caller in self._known.values():
            await caller.close()
