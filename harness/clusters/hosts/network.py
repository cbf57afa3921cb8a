"""Faults on what this host receives from other nodes: its own table of the packet filter. The agent's. Standard library alone."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from harness import mark
from harness.clusters.fabric import netlink_route as route
from harness.clusters.fabric.netlink import NETFILTER, open_socket
from harness.clusters.fabric.nft import INPUT, Filter
from harness.clusters.fabric.router import Router, told
from harness.clusters.hosts.probes import ProbePort
from harness.clusters.namespaces import supervisor
from harness.clusters.namespaces.conversation import Conversation
from harness.effects import Link, PacketShape
from harness.errors import ClusterError

# Queues of the packet filter that nobody else on a host is likely to serve.
FIRST_QUEUE = 51_320


class HostNetwork:
    """``own``: this host's node; ``peers``: the address of each node's host, this one's too. Raises OSError."""

    def __init__(self, own: str, peers: Mapping[str, str], seed: int) -> None:
        self._own, self._peers = own, peers
        self.probes = ProbePort(peers[own], peers)
        try:
            shaper, self._refused = supervisor.shaper(seed, FIRST_QUEUE)
            self._shaper = Conversation(shaper, "the shaper")
            place = {"table": mark.mine().name, "hook": INPUT, "queue": FIRST_QUEUE}
            self._filter = Filter(open_socket(NETFILTER), six=route.has_six(), place=place, owned=True)
            self._filter.setup()
        except BaseException:
            self.probes.close()
            raise
        self._router = Router(self._filter, self._tell, self._keys)

    def close(self) -> None:
        """Nothing is done to packets any more, and no rule of ours is left."""
        self.probes.close()
        with suppress(OSError):
            self._filter.remove()
        self._filter.close()
        self._shaper.close()

    def cut(self, sources: Sequence[str]) -> None:
        """What comes from these nodes is dropped. Raises ClusterError."""
        with told():
            self._router.cut(self._links(sources))

    def mend(self, sources: Sequence[str]) -> None:
        with told():
            self._router.mend(self._links(sources))

    async def shape(self, sources: Sequence[str], shape: Mapping[str, Any] | None) -> None:
        """What comes from these nodes suffers this; None: nothing any more. Raises ClusterError."""
        with told():
            if shape is None:
                await self._router.unshape(self._links(sources))
            else:
                await self._router.shape(self._links(sources), PacketShape(**shape))

    def slowest_s(self, source: str) -> float:
        """The longest that a packet from there is held back now."""
        return self._router.slowest_s((source, self._own))

    def _links(self, sources: Sequence[str]) -> list[Link]:
        return [(source, self._own) for source in sources]

    def _keys(self, link: Link) -> list[bytes]:
        return [b"".join(ipaddress.ip_address(self._peers[name]).packed for name in link)]

    async def _tell(self, do: str, **fields: Any) -> Any:
        if self._refused is not None:
            raise ClusterError(f"packets cannot be shaped here: {self._refused}")
        return await self._shaper.call(do, **fields)


def free_port(address: str, port: int) -> str | None:
    """Why nobody could listen there now; None if somebody could."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((address, port))
        except OSError as error:
            return f"{address} port {port}: {error.strerror}"
    return None
