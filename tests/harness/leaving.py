"""Leaves marked things in namespaces of its own, heals, and prints what it saw as JSON: ``python -m tests.harness.leaving``.

Run as root it changes nothing outside: its mounts, tables and named namespaces are those of namespaces that end with it.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from harness import mark
from harness.clusters.fabric.netlink import ACK, CREATE, NETFILTER, Netlink, Request, attribute, open_socket
from harness.clusters.fabric.nft import NEW_TABLE, SUBSYSTEM
from harness.clusters.namespaces import kernel
from harness.heal import Finder, Leftover, sweep
from harness.heal_machine import BATCH_BEGIN, BATCH_END, FINDERS, NAMED_NAMESPACES, TABLE_NAME

BRIDGE, INET = 7, 1
KINDS = ("mounts", "namespaces", "tables of the packet filter")


def make_table(family: int, name: str) -> None:
    edge = struct.pack(">BBH", 0, 0, SUBSYSTEM >> 8)
    payload = struct.pack(">BBH", family, 0, 0) + attribute(TABLE_NAME, name)
    netlink = Netlink(open_socket(NETFILTER))
    netlink.transact(
        [
            Request(kind=BATCH_BEGIN, flags=0, payload=edge),
            Request(kind=SUBSYSTEM | NEW_TABLE, flags=ACK | CREATE, payload=payload, what=f"make the table {name}"),
            Request(kind=BATCH_END, flags=0, payload=edge),
        ]
    )
    netlink.close()


def finders(*owners: mark.Mark) -> dict[str, Finder]:
    """Those of KINDS, for things of ``owners`` alone: a new mount namespace starts with a copy of what runs beside have mounted."""

    def only(find: Finder) -> Iterator[Leftover]:
        return (thing for thing in find() if thing.owner in owners)

    return {kind: partial(only, FINDERS[kind]) for kind in KINDS}


def found(finders: Mapping[str, Finder]) -> dict[str, list[str]]:
    return {kind: sorted(thing.name for thing in find()) for kind, find in finders.items()}


def main() -> None:
    kernel.unshare(kernel.NEW_MOUNT | kernel.NEW_NET)
    kernel.mount("none", "/", flags=kernel.PRIVATE | kernel.RECURSIVE)
    kernel.mount("tmpfs", "/run", "tmpfs")
    NAMED_NAMESPACES.mkdir()
    ours = mark.mine()
    dead = replace(ours, started=ours.started + 1)
    for owner in (ours, dead):
        for place in (Path("/run") / owner.name, Path("/run") / f"a place of {owner.name}"):
            place.mkdir()
            kernel.mount("tmpfs", str(place), "tmpfs")
        handle = NAMED_NAMESPACES / f"{owner.name}-n1"
        handle.touch()
        kernel.mount("/proc/self/ns/net", str(handle), flags=kernel.BIND)
        make_table(INET, owner.name)
        make_table(BRIDGE, f"{owner.name}-cut")
    (NAMED_NAMESPACES / "somebody-elses").touch()
    make_table(INET, "splitbrain")
    search = finders(ours, dead)
    seen: dict[str, Any] = {"dead": dead.name, "ours": ours.name, "before": found(search)}
    healing = sweep(search)
    seen["failed"] = healing.failed
    seen["after"] = found(search)
    seen["names"] = sorted(entry.name for entry in NAMED_NAMESPACES.iterdir())
    seen["again"] = len(sweep(search).removed)
    sys.stdout.write(json.dumps(seen) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
