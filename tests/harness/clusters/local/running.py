"""Starts local clusters for tests, and looks at the machine's processes."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from harness.clusters.fabric.netlink import DUMP, NETFILTER, ROUTE, Netlink, Request, open_socket
from harness.clusters.local import Argv, LocalCluster, tcp_node
from tests.conformance.worlds import World, spec

INSIDE = "tests.harness.clusters.local.inside:Inside"

_WHY_NOT = LocalCluster.unavailable()
needs_namespaces = [pytest.mark.root, pytest.mark.skipif(_WHY_NOT is not None, reason=_WHY_NOT or "")]


def run(
    directory: Path,
    scenario: Callable[[World], Awaitable[Any]],
    *,
    argv: Argv = tcp_node,
    program: str = INSIDE,
    **options: Any,
) -> Any:
    """Start a cluster of three, play the scenario, stop the cluster whatever happened."""

    async def body() -> Any:
        cluster = LocalCluster(spec(directory, program=program, **options), argv)
        await cluster.start()
        try:
            return await scenario(World(cluster))
        finally:
            await cluster.stop()

    return asyncio.run(body())


def descendants(pid: int) -> set[int]:
    """All living processes that this one has started, and those that they have."""
    found: set[int] = set()
    fresh = {pid}
    while fresh:
        fresh = {child for parent in fresh for child in children(parent)} - found
        found |= fresh
    return found


def children(pid: int) -> list[int]:
    """The processes that this one has started itself, and those that it has inherited."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
    except FileNotFoundError:
        pass
    return found


def lives(pid: int) -> bool:
    """False for a process that is gone, or dead and only waits to be reaped."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
            not in "ZX"
        )
    except (FileNotFoundError, ProcessLookupError):
        return False


def namespaces_of(pids: set[int]) -> set[str]:
    """The namespaces that these processes are in and we are not."""
    ours = _namespaces(os.getpid())
    return {name for pid in pids for name in _namespaces(pid)} - ours


def _namespaces(pid: int) -> set[str]:
    try:
        return {str(entry.readlink()) for entry in Path(f"/proc/{pid}/ns").iterdir()}
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return set()


def still_in(names: set[str], ended_s: float) -> set[int]:
    """The processes in these namespaces that were there when they ought to have ended: at ``ended_s`` of the boot clock.

    The kernel gives a namespace's number to a later one: who has started since then belongs to that, and so does who has somebody
    living above it outside, since all who were above ours are gone.
    """
    pids = {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    there = {pid for pid in pids if _namespaces(pid) & names and _started_s(pid) < ended_s}
    return {pid for pid in there if _above(pid, there) in {0, 1, os.getpid()}}


def _above(pid: int, below: set[int]) -> int:
    """The first of its ancestors that is not one of those."""
    while pid in below:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return -1  # gone
        pid = int(stat.rpartition(")")[2].split()[1])
    return pid


def now_s() -> float:
    """By the clock that processes' starts are told by."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _started_s(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return float("inf")
    return int(stat.rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")


def machine() -> list[bytes]:
    """The machine's routes and packet filter, as the kernel lists them; and its interfaces and mounts."""
    listings = []
    asked = [(ROUTE, 26, bytes(12))]  # RTM_GETROUTE, of all families
    if os.geteuid() == 0:  # others cannot even look at the filter: NFT_MSG_GETTABLE, NFT_MSG_GETRULE
        asked += [(NETFILTER, 10 << 8 | 1, bytes(4)), (NETFILTER, 10 << 8 | 7, bytes(4))]
    for protocol, kind, head in asked:
        line = Netlink(open_socket(protocol))
        try:
            answers = line.dump(Request(kind=kind, flags=DUMP, payload=head, what="list"))
        finally:
            line.close()
        listings.append(b"".join(sorted(answer.payload for answer in answers)))
    listings.append(" ".join(sorted(_interfaces())).encode())
    listings.append(Path("/proc/self/mountinfo").read_bytes())
    return listings


def _interfaces() -> list[str]:
    """Of the network that this process is in: /sys would tell of the one in which it was mounted."""
    return [name for _, name in socket.if_nameindex()]


def traces(directory: Path) -> list[str]:
    """What only a run in this directory can have left outside its namespaces: mounts below it, ends of its cables."""
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    cables = [name for name in _interfaces() if re.fullmatch(r"to\d+", name)]
    return [line for line in mounts if str(directory) in line] + cables


async def until(condition: Callable[[], bool], patience_s: float = 30.0) -> None:
    """Wait for a condition; fails after a long time."""
    async with asyncio.timeout(patience_s):
        while not condition():
            await asyncio.sleep(0.005)
