"""Wall clocks of nodes that are no Python, on the clusters themselves: wrong, drifting, and right again, restarted or not."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.clusters.docker import DockerCluster
from harness.clusters.local import LocalCluster
from harness.effects import ClockSkew
from tests.conformance.worlds import NODES, World
from tests.harness.clusters.clocks.nodes import GO, node
from tests.harness.clusters.clocks.programs import go, needs_skew
from tests.harness.clusters.docker import running as on_docker
from tests.harness.clusters.local import running as on_local

pytestmark = needs_skew
ECHO = "targets.node.echo:Echo"
NEAR_S = 0.25


async def is_wrong_drifts_and_is_right_again(world: World) -> None:
    cluster: Any = world.cluster

    async def offsets_s() -> list[float]:
        return [await cluster.clock_offset(name) for name in NODES]

    assert await offsets_s() == pytest.approx([0, 0, 0], abs=NEAR_S)
    await cluster.skew("n2", ClockSkew(offset_s=-60))
    assert await offsets_s() == pytest.approx([0, -60, 0], abs=NEAR_S)
    await cluster.kill("n2")
    await cluster.restart("n2")
    assert await offsets_s() == pytest.approx([0, -60, 0], abs=NEAR_S)
    began_s = time.monotonic()
    await cluster.skew("n2", ClockSkew(drift=0.5))
    set_s = time.monotonic()
    await asyncio.sleep(1)
    asked_s = time.monotonic()
    gained_s = await cluster.clock_offset("n2")
    assert 0.5 * (asked_s - set_s) - NEAR_S < gained_s < 0.5 * (time.monotonic() - began_s) + NEAR_S
    await cluster.unskew("n2")
    assert await offsets_s() == pytest.approx([0, 0, 0], abs=NEAR_S)


@contextmanager
def the_hosts_clock_does_not_move() -> Iterator[None]:
    ahead_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    yield
    assert abs(time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME) - ahead_ns) < NEAR_S * 1e9


@pytest.mark.root
@pytest.mark.skipif(LocalCluster.unavailable() is not None, reason=str(LocalCluster.unavailable()))
@pytest.mark.parametrize("kind", ["go", "java", "python"])
def test_on_local(kind: str, tmp_path: Path) -> None:
    (tmp_path / "program").mkdir()
    foreign = {} if kind == "python" else {"argv": lambda *_: argv}
    argv = [] if kind == "python" else node(kind, tmp_path / "program")
    with the_hosts_clock_does_not_move():
        on_local.run(tmp_path, is_wrong_drifts_and_is_right_again, program=ECHO, **foreign)


@pytest.mark.docker
@pytest.mark.skipif(DockerCluster.unavailable() is not None, reason=str(DockerCluster.unavailable()))
def test_a_static_program_on_docker(tmp_path: Path) -> None:
    """Its containers have no capability; a JVM's, which no image here has, see test_clocks_in_containers."""
    (tmp_path / "program").mkdir()
    program = go(GO, tmp_path / "program")
    for name in NODES:
        home = tmp_path / "nodes" / name / "data"
        home.mkdir(parents=True)
        shutil.copy(program, home / "node")
    with the_hosts_clock_does_not_move():
        on_docker.run(tmp_path, is_wrong_drifts_and_is_right_again, program=ECHO, argv=lambda *_: ["/data/node"])
