"""Requests of rtnetlink: virtual cables, addresses, routes. Pure encoders; see rtnetlink(7).

IPv4 and IPv6 alike: an address is its text, and the text says the family.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterable
from pathlib import Path

from harness.clusters.fabric.netlink import (
    ACK,
    CREATE,
    DUMP,
    EXCLUSIVE,
    Answer,
    Request,
    attribute,
    attributes,
    nested,
)

NEW_LINK, NEW_ADDRESS, LIST_ADDRESSES, NEW_ROUTE = 16, 20, 22, 24

LINK_NAME, LINK_INFO, LINK_NAMESPACE = 3, 18, 28
INFO_KIND, INFO_DATA, VETH_PEER = 1, 2, 1
UP = 1

ADDRESS, LOCAL, ADDRESS_FLAGS = 1, 2, 8
NO_DUPLICATE_DETECTION = 0x02  # an address that only we give out is usable at once

DESTINATION, OUTPUT, GATEWAY = 1, 4, 5
MAIN_TABLE, LOCAL_TABLE = 254, 255
BY_BOOT = 3  # the routing protocol number of routes that nobody's daemon owns
UNICAST, LOCAL_ROUTE, UNREACHABLE = 1, 2, 7
UNIVERSE, LINK, HOST = 0, 253, 254  # scopes

_LINK = struct.Struct("=BxHiII")  # family, type, index, flags, mask
_ADDRESS = struct.Struct("=BBBBI")  # family, prefix, flags, scope, index
_ROUTE = struct.Struct("=BBBBBBBBI")  # family, prefix to, prefix from, tos, table, protocol, scope, type, flags


def has_six() -> bool:
    """Whether this kernel has IPv6 at all: some machines are started without it."""
    return Path("/proc/net/if_inet6").exists()


def possible(requests: Iterable[Request], *, six: bool) -> list[Request]:
    """Those of ``requests`` that a kernel with or without IPv6 understands."""
    return [request for request in requests if six or request.payload[0] != socket.AF_INET6]


def family(text: str) -> int:
    """The socket family of an address or a network, given as text."""
    return socket.AF_INET6 if ":" in text else socket.AF_INET


def cable(name: str, peer: str, namespace: int) -> Request:
    """A pair of virtual interfaces: ``name`` here, ``peer`` in the namespace of that descriptor."""
    far = (
        _LINK.pack(0, 0, 0, 0, 0) + attribute(LINK_NAME, peer) + attribute(LINK_NAMESPACE, struct.pack("=I", namespace))
    )
    info = nested(LINK_INFO, attribute(INFO_KIND, "veth"), nested(INFO_DATA, attribute(VETH_PEER, far)))
    payload = _LINK.pack(0, 0, 0, 0, 0) + attribute(LINK_NAME, name) + info
    return Request(kind=NEW_LINK, flags=ACK | CREATE | EXCLUSIVE, payload=payload, what=f"lay the cable {name}")


def up(index: int) -> Request:
    """Switch the interface of that index on."""
    return Request(
        kind=NEW_LINK, flags=ACK, payload=_LINK.pack(0, 0, index, UP, UP), what=f"switch interface {index} on"
    )


def address(index: int, text: str) -> Request:
    """Give an interface one address, of a network of its own (/32, /128)."""
    packed = ipaddress.ip_address(text).packed
    payload = _ADDRESS.pack(family(text), 8 * len(packed), 0, UNIVERSE, index) + attribute(LOCAL, packed)
    payload += attribute(ADDRESS, packed) + attribute(ADDRESS_FLAGS, struct.pack("=I", NO_DUPLICATE_DETECTION))
    return Request(
        kind=NEW_ADDRESS, flags=ACK | CREATE, payload=payload, what=f"give interface {index} the address {text}"
    )


def list_addresses() -> Request:
    """Ask for all addresses of IPv4 that interfaces here have; ``listed_addresses`` reads the answers."""
    return Request(
        kind=LIST_ADDRESSES, flags=DUMP, payload=_ADDRESS.pack(socket.AF_INET, 0, 0, 0, 0), what="list the addresses"
    )


def listed_addresses(answers: Iterable[Answer]) -> dict[str, int]:
    """The index of the interface that has each address. Pure."""
    found = {}
    for answer in answers:
        *_, index = _ADDRESS.unpack_from(answer.payload)
        fields = dict(attributes(answer.payload[_ADDRESS.size :]))
        found[socket.inet_ntop(socket.AF_INET, fields[LOCAL])] = index
    return found


def route(network: str, index: int, *, via: str | None = None) -> Request:
    """Packets to ``network`` ("10.0.0.1/32") leave by that interface, to the gateway ``via`` if there is one."""
    tail = attribute(OUTPUT, struct.pack("=I", index))
    if via is not None:
        tail += attribute(GATEWAY, ipaddress.ip_address(via).packed)
    scope = LINK if via is None and family(network) == socket.AF_INET else UNIVERSE
    return _route(network, UNICAST, MAIN_TABLE, scope, tail)


def own(network: str, index: int) -> Request:
    """Every address of ``network`` is one of this machine's own, on that interface (the loopback, as a rule)."""
    return _route(network, LOCAL_ROUTE, LOCAL_TABLE, HOST, attribute(OUTPUT, struct.pack("=I", index)))


def unreachable(network: str) -> Request:
    """Packets to ``network`` for which there is no better route end here, with an error for who sent them."""
    return _route(network, UNREACHABLE, MAIN_TABLE, UNIVERSE, b"")


def _route(network: str, kind: int, table: int, scope: int, tail: bytes) -> Request:
    parsed = ipaddress.ip_network(network)
    head = _ROUTE.pack(family(network), parsed.prefixlen, 0, 0, table, BY_BOOT, scope, kind, 0)
    to = attribute(DESTINATION, parsed.network_address.packed) if parsed.prefixlen else b""
    return Request(kind=NEW_ROUTE, flags=ACK | CREATE, payload=head + to + tail, what=f"add the route to {network}")
