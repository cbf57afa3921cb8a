"""Addresses and names."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.namespaces import layout
from harness.errors import ClusterError


@given(st.integers(1, layout.NODES_MAX), st.integers(1, 2**22))
def test_nodes_and_clients_never_share_an_address_and_all_are_private(node: int, client: int) -> None:
    a, b = layout.node_address(node), layout.client_address(client)
    assert a.v4 != b.v4
    assert a.v6 != b.v6
    for address in (a, b):
        assert ipaddress.ip_address(address.v4) in ipaddress.ip_network(layout.ALL4)
        assert ipaddress.ip_address(address.v6) in ipaddress.ip_network(layout.ALL6)
        assert ipaddress.ip_address(address.v4).is_private
        assert ipaddress.ip_address(address.v6).is_private
    assert ipaddress.ip_address(b.v4) in ipaddress.ip_network(layout.CLIENTS4)
    assert ipaddress.ip_address(b.v6) in ipaddress.ip_network(layout.CLIENTS6)
    assert ipaddress.ip_address(a.v4) not in ipaddress.ip_network(layout.CLIENTS4)


def test_a_link_is_both_addresses_in_both_families() -> None:
    four, six = layout.keys(layout.node_address(1), layout.node_address(2))
    assert four == bytes([10, 0, 0, 1, 10, 0, 0, 2])
    assert six == ipaddress.ip_address("fd5b::1").packed + ipaddress.ip_address("fd5b::2").packed


def test_names_that_are_hosts_are_taken() -> None:
    layout.check_names(["n1", "n2", "data-node-3"])


@pytest.mark.parametrize(
    "name", ["", "../n1", "n/1", "N1", "n 1", "-n1", "n1-", "a" * 64, "clients", "n1;reboot", "né"]
)
def test_names_that_are_not_are_refused(name: str) -> None:
    with pytest.raises(ClusterError, match="cannot be called"):
        layout.check_names(["n1", name])


def test_a_name_belongs_to_one_node() -> None:
    with pytest.raises(ClusterError, match="name of its own"):
        layout.check_names(["n1", "n1"])


def test_hosts_know_every_node() -> None:
    assert layout.hosts(["n1", "n2"], 4).splitlines()[-2:] == ["10.0.0.1 n1", "10.0.0.2 n2"]
    assert layout.hosts(["n1"], 6).splitlines()[-1] == "fd5b::1 n1"
