"""Starts local clusters for tests, and looks at the machine's processes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

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


def all_namespaces() -> set[str]:
    """Every namespace that any living process is in, and that we may see."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return {name for pid in pids for name in _namespaces(pid)}


async def until(condition: Callable[[], bool], patience_s: float = 30.0) -> None:
    """Wait for a condition; fails after a long time."""
    async with asyncio.timeout(patience_s):
        while not condition():
            await asyncio.sleep(0.005)
