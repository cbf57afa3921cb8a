"""Wall clocks of programs in containers without a capability: any program, and the container knows nothing of it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.clusters.clocks.clocks import Clocks
from harness.clusters.containers import images
from harness.clusters.containers.engine import connect
from harness.effects import ClockSkew
from tests.harness.clusters.clocks.programs import Voice, command, needs_skew
from tests.harness.clusters.docker.running import needs_docker

pytestmark = [*needs_docker, *needs_skew]
NEAR_S = 0.2
# Pipes that have names reach into a container like any other file.
START = 'exec "$@" <ask >hear'


@contextmanager
def contained(argv: list[str], directory: Path) -> Iterator[tuple[int, Voice]]:
    """The program in a container of its own, on this machine's own libraries: its number here, and its voice."""
    for name in ("ask", "hear"):
        os.mkfifo(directory / name)
    own = [Path("/usr"), Path(sys.executable).resolve().parents[1], *Path("/etc").glob("java-*")]
    binds = {str(path): {"bind": str(path), "mode": "ro"} for path in own if path.exists()}
    client = connect()
    try:
        image = images.node_image(client, None, "targets.node.echo:Echo")
        confined = client.create_host_config(
            network_mode="none",
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            binds={**binds, str(directory): {"bind": str(directory), "mode": "rw"}},
        )
        what = ["sh", "-c", START, "sh", str(Path(shutil.which(argv[0]) or argv[0]).resolve()), *argv[1:]]
        container = client.create_container(image, what, host_config=confined, working_dir=str(directory))["Id"]
        try:
            client.start(container)
            pid = client.inspect_container(container)["State"]["Pid"]
            with (
                (directory / "ask").open("wb", buffering=0) as ask,
                (directory / "hear").open("rb", buffering=0) as hear,
            ):
                yield pid, Voice(ask, hear)
        finally:
            client.remove_container(container, v=True, force=True)
    finally:
        client.close()


@pytest.mark.parametrize("kind", ["go", "java", "python"])
def test_any_program_is_wrong_drifts_and_is_right_again(tmp_path: Path, kind: str) -> None:
    async def scenario(pid: int, voice: Voice) -> None:
        async def above(_node: str) -> int | None:
            return pid

        clocks = Clocks(above)
        try:
            assert abs(await voice.offset_s()) < NEAR_S
            await clocks.skew("n1", ClockSkew(offset_s=-60))
            assert await voice.offset_s() == pytest.approx(-60, abs=NEAR_S)
            await voice.drifts(clocks, 0.5, NEAR_S)
            await clocks.unskew("n1")
            assert abs(await voice.offset_s()) < NEAR_S
        finally:
            await clocks.stop()

    ahead_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    with contained(command(kind, tmp_path), tmp_path) as (pid, voice):
        status = Path(f"/proc/{pid}/status").read_text()
        assert "CapEff:\t0000000000000000" in status
        assert "NoNewPrivs:\t1" in status
        asyncio.run(scenario(pid, voice))
    assert abs(time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME) - ahead_ns) < NEAR_S * 1e9
