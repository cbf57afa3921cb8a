"""Who has which address. Pure.

All of it lives in private namespaces that no route leads out of: the numbers are nobody else's business, and are the same in every run.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import ClusterError

# The router is reached by the same link-local address on every cable.
GATE4, GATE6 = "169.254.0.1", "fe80::1"
# Clients' addresses are not on the cable, so nobody there need answer for them: the way to them is by these.
CLIENTS_GATE4, CLIENTS_GATE6 = "169.254.0.2", "fe80::2"
ALL4, ALL6 = "10.0.0.0/8", "fd5b::/16"
CLIENTS4, CLIENTS6 = "10.128.0.0/9", "fd5b:0:0:c::/64"
_NODES4, _NODES6 = ipaddress.ip_address("10.0.0.0"), ipaddress.ip_address("fd5b::")

NODES_MAX = 2**16 - 2
NODE_PORT, PROBE_PORT = 7000, 7001
CLIENTS = "clients"  # the place where clients' sockets are

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Both addresses of a node or a client."""

    v4: str
    v6: str

    def host(self, version: int) -> str:
        return self.v6 if version == 6 else self.v4

    def packed(self) -> tuple[bytes, bytes]:
        return ipaddress.ip_address(self.v4).packed, ipaddress.ip_address(self.v6).packed


def node_address(number: int) -> Address:
    """Of the node with that number, from 1 on."""
    return Address(v4=str(_NODES4 + number), v6=str(_NODES6 + number))


def client_address(number: int) -> Address:
    """Of the client with that number, from 1 on."""
    four, six = ipaddress.ip_network(CLIENTS4), ipaddress.ip_network(CLIENTS6)
    return Address(v4=str(four.network_address + number), v6=str(six.network_address + number))


def keys(src: Address, dest: Address) -> list[bytes]:
    """How the packet filter looks up the link from one to the other, for both families."""
    return [a + b for a, b in zip(src.packed(), dest.packed(), strict=True)]


def check_names(names: Sequence[str]) -> None:
    """Raises ClusterError for a node that cannot be called that: names become host names and directories."""
    for name in names:
        if not _NAME.fullmatch(name) or name == CLIENTS:
            raise ClusterError(
                f"a node of the local cluster cannot be called {name!r}: small letters, digits and '-', at most 63, not {CLIENTS!r}"
            )
    if len(set(names)) < len(names) or len(names) > NODES_MAX:
        raise ClusterError(f"a local cluster has at most {NODES_MAX} nodes, each with a name of its own")


def hosts(names: Sequence[str], version: int) -> str:
    """The text of /etc/hosts in a place."""
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    lines += [f"{node_address(number).host(version)} {name}" for number, name in enumerate(names, 1)]
    return "\n".join(lines) + "\n"
