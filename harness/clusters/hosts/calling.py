"""Clients' connections to nodes on hosts: from this machine, by whatever way leads there."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.clusters.namespaces import layout
from harness.clusters.namespaces.callers import connected


@dataclass(frozen=True, slots=True, kw_only=True)
class HostBoard:
    """Satisfies ``callers.Board``. ``where``: the address of each node."""

    where: Mapping[str, str]
    check: Callable[[str], None]
    on_babble: Callable[[str, bytes], None]

    async def connect(self, node: str, own: layout.Address) -> socket.socket:
        """A connection to a node; clients have no addresses of their own here. Raises OSError."""
        host = self.where[node]
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        return await connected(sock, host)
