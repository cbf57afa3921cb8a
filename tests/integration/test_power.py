"""Power lost on real clusters: a store that answers before it has synced is caught, one that syncs is not; no disk is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from harness import heal_machine, mark
from harness.clusters.docker import DockerCluster
from harness.clusters.local import LocalCluster
from harness.clusters.namespaces.launch import environment
from harness.mark import Life
from tests import simulation
from tests.harness.clusters.hosts import servers
from tests.harness.clusters.hosts.servers import needs_servers
from tests.mounted import mounted

TRIES = 3
RUN: dict[str, Any] = {"nodes": 3, "time_limit_s": 10.0, "recovery_s": 3.0, "progress_s": 3.0, "interval_s": 3.0}


def _on(name: str, cluster: Any, *marks: pytest.MarkDecorator) -> Any:
    why = cluster.unavailable() or cluster.lacks().get("power")
    return pytest.param(name, marks=[*marks, pytest.mark.skipif(why is not None, reason=f"{name}: {why}")])


@pytest.mark.parametrize(
    "cluster",
    [
        _on("local", LocalCluster, pytest.mark.root),
        _on("docker", DockerCluster, pytest.mark.docker),
        pytest.param("ssh", marks=[*needs_servers, mounted]),
    ],
)
def test_power_finds_a_raft_that_does_not_sync_and_spares_one_that_does(cluster: str, tmp_path: Path) -> None:
    def run(name: str, **wishes: Any) -> Any:
        options = {"hosts": str(servers.shared().hosts)} if cluster == "ssh" else {}
        return simulation.run(cluster=cluster, path=tmp_path / name, nemesis="power", options=options, **RUN, **wishes)

    for seed in range(TRIES):
        found = run(f"bug-{seed}", seed=seed, bug="no-fsync")
        if found.results["verdict"] == "invalid":
            assert "linearizable" in {anomaly["checker"] for anomaly in found.results["anomalies"]}
            break
    else:
        pytest.fail(f"not found in {TRIES} runs: {simulation.why(found)}")
    report = run("correct", seed=seed)
    assert report.results["verdict"] == "valid", simulation.why(report)
    assert all(fault["bit"] and fault["healed"] for fault in report.results["faults"])
    assert list((tmp_path / "correct").rglob("unsynced.jsonl"))


# A controller that makes a disk, says so, and waits for its end.
CONTROLLER = """\
import asyncio, sys
from pathlib import Path
from harness.clusters.disks.launch import DiskServer

async def main():
    server = DiskServer("n1", Path(sys.argv[1]))
    await server.ready()
    print(server._process.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def _wait(what: Any) -> None:
    until_s = time.monotonic() + 20
    while not what():
        assert time.monotonic() < until_s
        os.sched_yield()


@mounted
@pytest.mark.root
@pytest.mark.parametrize("server_too", [False, True])
def test_nothing_of_a_disk_is_left_by_a_killed_controller(server_too: bool, tmp_path: Path) -> None:
    """Its server unmounts it; if that was killed before, what remains is found by its mark, and removed."""
    argv = [sys.executable, "-c", CONTROLLER, str(tmp_path)]
    with subprocess.Popen(argv, env=environment(), stdout=subprocess.PIPE, text=True) as controller:
        assert controller.stdout is not None
        server = int(controller.stdout.readline())
        assert os.path.ismount(tmp_path)
        (tmp_path / "file").write_bytes(b"some data")
        if server_too:
            os.kill(server, signal.SIGKILL)
        controller.kill()
    if not server_too:
        _wait(lambda: not os.path.ismount(tmp_path))
        assert (tmp_path / "file").read_bytes() == b""
        return

    def left() -> list[Any]:
        return [thing for thing in heal_machine.mounts() if thing.name == str(tmp_path)]

    (thing,) = left()
    assert thing.owner.life() is Life.DEAD
    assert thing.owner != mark.mine()
    thing.remove()
    assert left() == []
