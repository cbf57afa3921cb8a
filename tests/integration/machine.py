"""What a run may leave on a machine, as one comparable picture: routes, packet filter, interfaces, mounts, namespaces, containers.

Other runs go on meanwhile and make such things, too, all but containers, on which one test works at a time. What belongs to somebody who
lives is no part of the picture; what somebody has just left that died is seen in it, and waited for to go.
"""

from __future__ import annotations

import os
import re
import select
import socket
import struct
import time
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
from harness.mark import Life
from tests.harness.clusters.local.running import namespaces_of

PATIENCE_S, LOOK_S = 60.0, 0.1
GET_ROUTES, GET_TABLES, GET_RULES = 26, 10 << 8 | 1, 10 << 8 | 7
# Of things that the engine makes for containers; those of a run carry its mark. What else is mounted meanwhile is none of ours.
OF_CONTAINERS = ("overlay2/", "containers/", "netns/")
# The way to SSH hosts of tests that run beside this one, by their process.
OF_HOSTS = re.compile(r"sbt(\d+)$")
ROUTE_HEAD, OIF, CACHE = (
    12,
    4,
    12,
)  # rtnetlink(7): before the attributes; those of the interface's number, and of how often it was used
# What only tests on containers make and remove, one at a time: there nothing is waited for.
AT_ONCE = {"containers", "networks", "volumes"}
# What comes and goes with runs, whosever they are: only what has come is looked for.
OF_RUNS = {"marked mounts", "interfaces to hosts", "ways to hosts", "namespaces"}

Picture = dict[str, frozenset[Any]]


def picture() -> Picture:
    """The machine now, without what belongs to another process that lives."""
    routes = dict(map(_told_of, _listed(ROUTE, GET_ROUTES, bytes(12))))
    interfaces = {entry.name for entry in Path("/sys/class/net").iterdir()}
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return {
        "routes": frozenset(route for route, name in routes.items() if not OF_HOSTS.match(name)),
        "ways to hosts": frozenset(route for route, name in routes.items() if _of_the_dead(name)),
        "tables": frozenset(_listed(NETFILTER, GET_TABLES, bytes(4)) if os.geteuid() == 0 else ()),
        "rules": frozenset(_listed(NETFILTER, GET_RULES, bytes(4)) if os.geteuid() == 0 else ()),
        "interfaces": frozenset(name for name in interfaces if not OF_HOSTS.match(name)),
        "interfaces to hosts": frozenset(filter(_of_the_dead, interfaces)),
        "mounts": frozenset(
            _place(line) for line in mounts if any(word in line for word in OF_CONTAINERS) and not mark.in_name(line)
        ),
        "marked mounts": frozenset(
            _place(line) for line in mounts if (owner := mark.in_name(line)) and _is_left(owner.life())
        ),
        "namespaces": frozenset(namespaces_of({pid for pid in pids if _of_a_dead_run(pid) or _in_a_container(pid)})),
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


def _place(mount: str) -> str:
    return mount.split(" ", 5)[4]


def _is_left(life: Life) -> bool:
    return life is not Life.LIVES


def _of_a_dead_run(pid: int) -> bool:
    owner = _mark_of(pid)
    return owner is not None and _is_left(owner.life())


def _in_a_container(pid: int) -> bool:
    try:
        return "docker" in Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii")
    except OSError:
        return False


def _kept_by_the_engine() -> Picture:
    client = connect()
    try:
        ours = {"label": labels.OURS}
        return {
            "containers": frozenset(found["Id"] for found in client.containers(all=True, filters=ours)),
            "networks": frozenset(found["Name"] for found in client.networks()),
            "volumes": frozenset(found["Name"] for found in client.volumes()["Volumes"] or []),
        }
    finally:
        client.close()
