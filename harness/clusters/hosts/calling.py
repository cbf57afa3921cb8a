"""Clients' connections to nodes on hosts: from this machine, by whatever way leads there."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable

from harness.clusters.namespaces import layout


def taker(version: int) -> Callable[[layout.Address], Awaitable[socket.socket]]:
    """What makes a client's sockets: any of this machine's, since clients have no addresses of their own here."""

    async def take(_own: layout.Address) -> socket.socket:
        sock = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        return sock

    return take
