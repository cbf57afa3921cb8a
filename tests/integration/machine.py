"""What a run may leave on a machine, as one comparable picture: routes, packet filter, interfaces, mounts, namespaces, containers.

Namespaces are those of containers and of processes whose controller is dead: other runs may go on meanwhile.
"""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.clusters.containers import labels
from harness.clusters.containers.engine import connect
from harness.clusters.fabric.netlink import DUMP, NETFILTER, ROUTE, Netlink, Request, open_socket
from harness.heal_machine import _mark_of
from harness.mark import Life
from tests.harness.clusters.local.running import namespaces_of

GET_ROUTES, GET_TABLES, GET_RULES = 26, 10 << 8 | 1, 10 << 8 | 7
# Of things that a run makes; what the engine itself or somebody else mounts meanwhile is none of ours.
WHOSE = ("splitbrain", "overlay2/", "containers/", "netns/")
# SSH hosts of tests that run beside this one: namespaces by the mark of their process, and its interface to them.
OF_HOSTS = re.compile(r"splitbrain-(\d+)-|sbt(\d+)$")
ROUTE_HEAD, OIF = 12, 4  # rtnetlink(7): before the attributes; which of them is the interface's number


def _others(name: str) -> bool:
    """Whether it belongs to another process that lives."""
    found = OF_HOSTS.search(name)
    pid = int(found[1] or found[2]) if found else os.getpid()
    return pid != os.getpid() and Path(f"/proc/{pid}").exists()


def _way_of_others(route: bytes) -> bool:
    at = ROUTE_HEAD
    while at + 4 <= len(route):
        size, kind = struct.unpack_from("HH", route, at)
        if kind == OIF:
            with suppress(OSError):
                return _others(socket.if_indextoname(*struct.unpack_from("I", route, at + 4)))
        at += max(4, size + 3 & ~3)
    return False


def listed(protocol: int, kind: int, head: bytes, but: Callable[[bytes], bool] = lambda _: False) -> bytes:
    """A list of the kernel's, in an order of its own, without what is to be left out."""
    line = Netlink(open_socket(protocol))
    try:
        answers = line.dump(Request(kind=kind, flags=DUMP, payload=head, what="list"))
    finally:
        line.close()
    return b"".join(sorted(answer.payload for answer in answers if not but(answer.payload)))


def picture() -> dict[str, Any]:
    """The machine now."""
    return {
        "routes": listed(ROUTE, GET_ROUTES, bytes(12), _way_of_others),
        "tables": listed(NETFILTER, GET_TABLES, bytes(4)) if os.geteuid() == 0 else b"",
        "rules": listed(NETFILTER, GET_RULES, bytes(4)) if os.geteuid() == 0 else b"",
        "interfaces": sorted(entry.name for entry in Path("/sys/class/net").iterdir() if not _others(entry.name)),
        "mounts": sorted(
            line.split(" ", 5)[4]
            for line in Path("/proc/self/mountinfo").read_text().splitlines()
            if any(word in line for word in WHOSE) and not _others(line.split(" ", 5)[4])
        ),
        "namespaces": namespaces_of({pid for pid in _pids() if _of_a_dead_run(pid) or _in_a_container(pid)}),
        **_kept_by_the_engine(),
    }


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _of_a_dead_run(pid: int) -> bool:
    owner = _mark_of(pid)
    return owner is not None and owner.life() is not Life.LIVES


def _in_a_container(pid: int) -> bool:
    try:
        return "docker" in Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii")
    except OSError:
        return False


def _kept_by_the_engine() -> dict[str, Any]:
    client = connect()
    try:
        ours = {"label": labels.OURS}
        return {
            "containers": sorted(found["Id"] for found in client.containers(all=True, filters=ours)),
            "networks": sorted(found["Name"] for found in client.networks()),
            "volumes": sorted(found["Name"] for found in client.volumes()["Volumes"] or []),
        }
    finally:
        client.close()
