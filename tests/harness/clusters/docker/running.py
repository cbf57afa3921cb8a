"""Starts docker clusters for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from harness.clusters.docker import Argv, DockerCluster, container_node
from tests.conformance.worlds import World, spec

INSIDE = "tests.harness.clusters.docker.inside:Inside"

_WHY_NOT = DockerCluster.unavailable()
needs_docker = [pytest.mark.docker, pytest.mark.skipif(_WHY_NOT is not None, reason=_WHY_NOT or "")]


def run(
    directory: Path,
    scenario: Callable[[World], Awaitable[Any]],
    *,
    argv: Argv = container_node,
    program: str = INSIDE,
    **options: Any,
) -> Any:
    """Start a cluster of three, play the scenario, stop the cluster whatever happened."""

    async def body() -> Any:
        cluster = DockerCluster(spec(directory, program=program, **options), argv)
        await cluster.start()
        try:
            return await scenario(World(cluster))
        finally:
            await cluster.stop()

    return asyncio.run(body())
