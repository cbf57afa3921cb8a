"""Requests of rtnetlink, field by field as rtnetlink(7) has them."""

from __future__ import annotations

import socket
import struct

import pytest

from harness.clusters.fabric import netlink_route as route
from harness.clusters.fabric import tbf
from harness.clusters.fabric.netlink import ACK, CREATE, EXCLUSIVE, REPLACE, attributes


def test_a_cable_has_an_end_here_and_an_end_there() -> None:
    request = route.cable("to0", "eth0", 7)
    assert (request.kind, request.flags) == (16, ACK | CREATE | EXCLUSIVE)
    fields = dict(attributes(request.payload[16:]))
    assert fields[3] == b"to0\0"
    info = dict(attributes(fields[18]))
    assert info[1] == b"veth\0"
    peer = dict(attributes(info[2]))[1]
    assert dict(attributes(peer[16:])) == {3: b"eth0\0", 28: struct.pack("=I", 7)}


@pytest.mark.parametrize(
    ("text", "family", "bits"), [("10.0.0.1", socket.AF_INET, 32), ("fd5b::1", socket.AF_INET6, 128)]
)
def test_an_address_stands_alone_and_is_usable_at_once(text: str, family: int, bits: int) -> None:
    request = route.address(3, text)
    assert struct.unpack_from("=BBBBI", request.payload) == (family, bits, 0, 0, 3)
    fields = dict(attributes(request.payload[8:]))
    packed = socket.inet_pton(family, text)
    assert fields == {1: packed, 2: packed, 8: struct.pack("=I", 0x02)}


def test_a_route_to_a_neighbour() -> None:
    request = route.route("10.0.0.1/32", 5)
    assert request.payload[:12] == struct.pack("=BBBBBBBBI", socket.AF_INET, 32, 0, 0, 254, 3, 253, 1, 0)
    assert dict(attributes(request.payload[12:])) == {1: bytes([10, 0, 0, 1]), 4: struct.pack("=I", 5)}


def test_a_route_by_a_gateway_to_everywhere() -> None:
    request = route.route("::/0", 5, via="fe80::1")
    assert request.payload[:12] == struct.pack("=BBBBBBBBI", socket.AF_INET6, 0, 0, 0, 254, 3, 0, 1, 0)
    assert dict(attributes(request.payload[12:])) == {
        4: struct.pack("=I", 5),
        5: socket.inet_pton(socket.AF_INET6, "fe80::1"),
    }


def test_own_and_unreachable_networks() -> None:
    own, nowhere = route.own("10.128.0.0/9", 1), route.unreachable("10.0.0.0/8")
    assert own.payload[:12] == struct.pack("=BBBBBBBBI", socket.AF_INET, 9, 0, 0, 255, 3, 254, 2, 0)
    assert nowhere.payload[:12] == struct.pack("=BBBBBBBBI", socket.AF_INET, 8, 0, 0, 254, 3, 0, 7, 0)
    assert "10.0.0.0/8" in nowhere.what


def test_a_rate_is_a_bucket_that_the_kernel_times_itself() -> None:
    request = tbf.limit(4, 1_000_000)
    assert (request.kind, request.flags) == (36, ACK | CREATE | REPLACE)
    assert struct.unpack_from("=BxxxiIII", request.payload) == (0, 4, 0x10000, 0xFFFFFFFF, 0)
    fields = dict(attributes(request.payload[20:]))
    options = dict(attributes(fields[2]))
    assert fields[1] == b"tbf\0"
    assert struct.unpack_from("=BBHhHI", options[1]) == (0, 1, 0, -1, 0, 1_000_000)
    limit, buffer, _ = struct.unpack_from("=III", options[1], 24)
    assert limit == tbf.BURST_BYTES + 50_000  # what may wait for 50 ms
    assert buffer * 64e-9 == pytest.approx(tbf.BURST_BYTES / 1_000_000, rel=1e-6)  # seconds that a full bucket lasts
    assert options[6] == struct.pack("=I", tbf.BURST_BYTES)


@pytest.mark.parametrize("rate", [0, -1, 2**32])
def test_a_rate_that_is_none(rate: int) -> None:
    with pytest.raises(ValueError, match="a rate is 1 to"):
        tbf.limit(4, rate)


def test_a_kernel_without_ipv6_is_asked_for_ipv4_alone() -> None:
    requests = [route.up(1), route.address(1, "10.0.0.1"), route.address(1, "fd5b::1"), route.unreachable("fd5b::/16")]
    assert route.possible(requests, six=True) == requests
    assert route.possible(requests, six=False) == requests[:2]
