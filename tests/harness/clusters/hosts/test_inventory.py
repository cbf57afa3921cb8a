"""The file that names the hosts: both forms, and all that is wrong in it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.clusters.hosts import inventory
from harness.clusters.hosts.inventory import Host, parse
from harness.errors import PlanError


def test_both_forms_say_the_same(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch()
    toml = f"""
        [defaults]
        user = "root"
        key = "{key}"
        [[hosts]]
        host = "10.0.0.1"
        [[hosts]]
        host = "db.example"
        port = 2222
        user = "admin"
        data = "/srv/sb"
        sudo = true
        python = "/opt/python/bin/python3"
        address = "10.0.0.2"
    """
    lines = f"""
        # the first
        root@10.0.0.1 key={key}
        admin@db.example:2222 key={key} data=/srv/sb sudo=true python=/opt/python/bin/python3 address=10.0.0.2
    """
    expected = [
        Host(host="10.0.0.1", user="root", key=key),
        Host(
            host="db.example",
            port=2222,
            user="admin",
            key=key,
            data="/srv/sb",
            sudo=True,
            python="/opt/python/bin/python3",
            address="10.0.0.2",
        ),
    ]
    assert parse(toml, "f", toml=True) == parse(lines, "f", toml=False) == expected
    assert [host.name for host in expected] == ["10.0.0.1", "[db.example]:2222"]


@pytest.mark.parametrize(
    ("line", "host", "port"),
    [("h", "h", 22), ("h:7", "h", 7), ("[::1]:7", "::1", 7), ("[::1]", "::1", 22), ("::1", "::1", 22)],
)
def test_a_host_with_or_without_a_port(line: str, host: str, port: int) -> None:
    (read,) = parse(line, "f", toml=False)
    assert (read.host, read.port) == (host, port)


@pytest.mark.parametrize(
    ("text", "toml", "sentence"),
    [
        ("", False, "no host is named in it"),
        ("[[hosts", True, "not TOML"),
        ("nodes = 1", True, "unknown 'nodes'"),
        ("hosts = 1", True, "not tables"),
        ('[[hosts]]\nhots = "a"', True, "host 1: unknown field 'hots': did you mean 'host'?"),
        ("[[hosts]]\nport = 22", True, "host 1: host is the name or the address of a host, not None"),
        ("a:b", False, "line 1: port is 1 to 65535, not 'b'"),
        ("a:70000", False, "line 1: port is 1 to 65535, not 70000"),
        ("a colour", False, "line 1: 'colour' is not NAME=VALUE"),
        ("a data=here", False, "line 1: data is an absolute path, not 'here'"),
        ("a sudo=maybe", False, "line 1: sudo is true or false, not 'maybe'"),
        ("a key=/nowhere/key", False, "line 1: there is no key /nowhere/key"),
        ("a address=next-door", False, "line 1: address is an IP address, not 'next-door'"),
        ("-oProxyCommand=x", False, "line 1: host is the name or the address of a host"),
        ("a user=;rm", False, "line 1: user is the name of a user, not ';rm'"),
        ("a 'b", False, "line 1: No closing quotation"),
        ("a\na", False, "a: named twice"),
        ("a address=10.0.0.1\nb address=10.0.0.1", False, "address 10.0.0.1: of two hosts"),
    ],
)
def test_what_is_wrong_is_said(text: str, toml: bool, sentence: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse(text, "hosts.txt", toml=toml)
    assert str(caught.value).startswith("--hosts hosts.txt: ")
    assert sentence in str(caught.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(PlanError) as caught:
        parse("a:0\nb sudo=perhaps\nc colour=red", "f", toml=False)
    assert all(f"line {number}: " in str(caught.value) for number in (1, 2, 3))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="nowhere: No such file"):
        inventory.read(tmp_path / "nowhere")
