"""What a run may leave on a machine, as one comparable picture: routes, packet filter, interfaces, mounts, namespaces, containers.

Other runs go on meanwhile and make such things, too. What belongs to another process that lives is no part of the picture; what one has
just left that died is seen in it, and waited for to go. What the engine mounts and links for a container goes with the container.
"""

from __future__ import annotations

import os
import re
import select
import socket
import struct
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness import mark
from harness.clusters.containers import labels
from harness.clusters.containers.engine import connect
from harness.clusters.fabric.netlink import (
    DUMP,
    NETFILTER,
    ROUTE,
    Netlink,
    Request,
    attribute,
    attributes,
    open_socket,
)
from harness.heal_machine import _mark_of
from harness.mark import Life, Mark
from tests.harness.clusters.local.running import namespaces_of

PATIENCE_S, LOOK_S = 60.0, 0.1
GET_ROUTES, GET_TABLES, GET_RULES = 26, 10 << 8 | 1, 10 << 8 | 7
# The way to SSH hosts of tests that run beside this one, by their process; and interfaces that the engine makes for a network.
OF_HOSTS, OF_ENGINE = re.compile(r"sbt(\d+)$"), re.compile(r"(br-[0-9a-f]{12}|veth[0-9a-f]{7})$")
# rtnetlink(7): where the attributes begin; those of the interface's number, and of how often a route was used
ROUTE_HEAD, OIF, CACHE = 12, 4, 12
# What only tests on containers make and remove, one at a time: there nothing is waited for.
AT_ONCE = {"containers", "networks", "volumes"}
# What comes and goes with runs, whosever they are: only what has come is looked for.
OF_RUNS = {"mounts", "interfaces to hosts", "ways to hosts", "namespaces"}

Picture = dict[str, frozenset[Any]]


def picture() -> Picture:
    """The machine now, without what belongs to another process that lives."""
    routes = dict(map(_told_of, _listed(ROUTE, GET_ROUTES, bytes(12))))
    interfaces = {entry.name for entry in Path("/sys/class/net").iterdir()}
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return {
        "routes": frozenset(route for route, name in routes.items() if _of_the_machine(name)),
        "ways to hosts": frozenset(route for route, name in routes.items() if _of_the_dead(name)),
        "tables": frozenset(_listed(NETFILTER, GET_TABLES, bytes(4)) if os.geteuid() == 0 else ()),
        "rules": frozenset(_listed(NETFILTER, GET_RULES, bytes(4)) if os.geteuid() == 0 else ()),
        "interfaces": frozenset(name for name in interfaces if _of_the_machine(name)),
        "interfaces to hosts": frozenset(filter(_of_the_dead, interfaces)),
        "mounts": frozenset(line.split(" ", 5)[4] for line in mounts if _counts(mark.in_name(line))),
        "namespaces": frozenset(namespaces_of({pid for pid in pids if _counts(_mark_of(pid))})),
        **_kept_by_the_engine(),
    }


def left(before: Picture) -> dict[str, Any]:
    """What is on the machine that was not before, or no longer, when others have had time to clean up: empty if nothing is."""
    until_s = time.monotonic() + PATIENCE_S
    while (found := _difference(before, picture())) and not found.keys() & AT_ONCE and time.monotonic() < until_s:
        select.select([], [], [], LOOK_S)
    return found


def _difference(before: Picture, after: Picture) -> dict[str, Any]:
    differ = {name: after[name] - was if name in OF_RUNS else after[name] ^ was for name, was in before.items()}
    return {name: sorted(things) for name, things in differ.items() if things}


def _listed(protocol: int, kind: int, head: bytes) -> list[bytes]:
    """What the kernel lists."""
    line = Netlink(open_socket(protocol))
    try:
        answers = line.dump(Request(kind=kind, flags=DUMP, payload=head, what="list"))
    finally:
        line.close()
    return [answer.payload for answer in answers]


def _told_of(route: bytes) -> tuple[bytes, str]:
    """A route without what the kernel counts of its use, and the name of the interface that it leads to, if that still has one."""
    fields = [(kind, value) for kind, value in attributes(route[ROUTE_HEAD:]) if kind != CACHE]
    name = ""
    with suppress(OSError, KeyError):
        name = socket.if_indextoname(*struct.unpack("I", dict(fields)[OIF]))
    return route[:ROUTE_HEAD] + b"".join(attribute(kind, value) for kind, value in fields), name


def _of_the_dead(interface: str) -> bool:
    """Whether it leads to hosts of a process that is gone."""
    found = OF_HOSTS.match(interface)
    return found is not None and not Path(f"/proc/{found[1]}").exists()


def _of_the_machine(interface: str) -> bool:
    return not (OF_HOSTS.match(interface) or OF_ENGINE.match(interface))


def _counts(owner: Mark | None) -> bool:
    """Whether what has this mark is ours, or left by who is dead."""
    return owner is not None and (owner == mark.mine() or owner.life() is not Life.LIVES)


def _kept_by_the_engine() -> Picture:
    def ours(found: Mapping[str, Any]) -> bool:
        owner = labels.controller(found["Labels"] or {})
        return owner is None or _counts(owner)

    client = connect()
    try:
        marked = client.containers(all=True, filters={"label": labels.OURS})
        return {
            "containers": frozenset(one["Id"] for one in filter(ours, marked)),
            "networks": frozenset(one["Name"] for one in filter(ours, client.networks())),
            "volumes": frozenset(one["Name"] for one in client.volumes()["Volumes"] or []),
        }
    finally:
        client.close()
