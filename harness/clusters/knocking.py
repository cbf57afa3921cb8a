"""An impostor at the sockets of nodes that speak TLS: without a certificate, with a wrong one, without TLS, with garbage.

A node that refuses says so by hanging up. So does a node that dies, which is told from it by its number of lives: only what a node has
done that lives on is known to be its doing.

A node that lets somebody in may answer late, or to somebody else: to whom it takes him for. So whoever has a connection says a second thing
on it, which has no token: a node that still listens to him refuses that at once, and has thereby told that it let the first one pass.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from harness.clusters.codecs import Wire
from harness.clusters.impostor import BELIEVED, CLOSED, Answer, Impostor
from harness.clusters.namespaces.callers import Caller, Switchboard
from harness.clusters.security import Authority
from harness.effects import IMPOSTOR
from harness.errors import ClusterError
from harness.protocols import Body, ClusterSpec
from targets.node.codecs import Malformed
from targets.node.tls import context_for

PATIENCE_S = 2.0
PLAIN, GARBAGE, NAMED = "plain-tcp", "garbage", "named-as-node"
CALLER = "x"  # what an impostor calls itself who does not pretend to be a node


@dataclass(slots=True, kw_only=True)
class Knocker:
    """``take`` makes a socket where clients' are; ``where`` says where a node listens; ``life`` in which of its lives a node is (None: it
    does not answer).
    """

    authority: Authority
    nodes: tuple[str, ...]
    take: Callable[[], Awaitable[socket.socket]]
    where: Callable[[str], tuple[str, int]]
    life: Callable[[str], Awaitable[int | None]]
    wire: Wire
    _lives: dict[str, int | None] = field(default_factory=dict)
    _contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)

    async def __call__(self, kind: str, node: str, body: Body) -> tuple[str, Answer]:
        """(from where the node was called, what it answered): see ``impostor``."""
        if node not in self._lives:
            self._lives[node] = await self.life(node)
        sock, by = None, ""
        try:
            async with asyncio.timeout(PATIENCE_S):
                sock = await self.take()
                await asyncio.get_running_loop().sock_connect(sock, self.where(node))
                host, port = sock.getsockname()[:2]
                by = f"{host}:{port}"
                line = await self._talk(sock, kind, node, body)
        except (TimeoutError, ClusterError):
            return by, None
        except OSError:  # ssl.SSLError, too
            line = b""
        finally:
            if sock is not None:
                sock.close()
        if not by:
            return by, None  # nobody listened
        return by, await self._meaning(node, line)

    async def _talk(self, sock: socket.socket, kind: str, node: str, body: Body) -> bytes:
        """The first line of what the node answers; empty if it hangs up."""
        secure = kind not in (PLAIN, GARBAGE)
        context = self._context(kind) if secure else None
        reader, writer = await asyncio.open_connection(sock=sock, ssl=context, server_hostname=node if secure else None)
        try:
            writer.write(_garbage(body) if kind == GARBAGE else self._messages(kind, node, body))
            await writer.drain()
            return await reader.readline()
        finally:
            writer.transport.abort()

    def _messages(self, kind: str, node: str, body: Body) -> bytes:
        """The attempt, and what is refused to whoever was let in. The second caller's name is his alone: so is the answer."""
        number = int(body["seq"])
        src = next((other for other in self.nodes if other != node), node) if kind == NAMED else CALLER
        if kind == NAMED:
            body = {name: value for name, value in body.items() if name != "token"}
        second = {"type": body["type"], "key": body["key"], "value": body["value"], "client": body["client"]}
        said = (
            {"src": src, "dest": node, "body": {**body, "msg_id": 2 * number}},
            {"src": f"{CALLER}-{number}", "dest": node, "body": {**second, "msg_id": 2 * number + 1}},
        )
        return b"".join(self.wire.encode(message) + b"\n" for message in said)

    def _context(self, kind: str) -> ssl.SSLContext:
        if kind not in self._contexts:
            made = self.authority.certificates
            own = made.clients if kind == NAMED else made.bad.get(kind)
            self._contexts[kind] = context_for(made.authority, own)
        return self._contexts[kind]

    async def _meaning(self, node: str, line: bytes) -> Answer:
        with suppress(Malformed):
            if line:
                _, _, raw = self.wire.frame(line.rstrip(b"\n"))
                body = self.wire.body(raw)
                if int(body.get("in_reply_to", 0)) % 2:
                    return BELIEVED
                return int(body.get("code", 0)) if body.get("type") == "error" else "ok"
        before, now = self._lives[node], await self.life(node)
        self._lives[node] = now
        return CLOSED if now is not None and now == before else None


def _garbage(body: Body) -> bytes:
    """Bytes that differ from attempt to attempt; every other time what a browser would send."""
    number = int(body["seq"])
    return b"GET / HTTP/1.0\r\n\r\n" if number % 2 else hashlib.sha256(str(number).encode()).digest() + b"\n"


def impostor_of(
    authority: Authority,
    spec: ClusterSpec,
    board: Switchboard,
    caller: Callable[[str], Caller],
    *,
    ask: Callable[[str, Body, float], Awaitable[Body | None]],
    began_s: float,
) -> Impostor:
    """The impostor of a cluster whose nodes listen on sockets. ``caller`` makes a client's line, with an address of its own."""
    time_s = asyncio.get_running_loop().time

    async def take() -> socket.socket:
        return await board.take(caller(CALLER).address)

    async def life(node: str) -> int | None:
        answer = await ask(node, {"type": "sb_ping"}, PATIENCE_S)
        return answer.get("life") if answer is not None else None

    knocker = Knocker(
        authority=authority, nodes=tuple(spec.nodes), take=take, where=board.where, life=life, wire=board.wire
    )
    log = spec.directory / "nodes" / IMPOSTOR / "node.log"
    return Impostor(authority, caller, log, lambda: time_s() - began_s, knocker)
