"""Runs on containers whose controller is not root: one helper breaks the network, with the least that it takes, and ends with us."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from harness.clusters.containers import labels
from harness.clusters.containers.engine import address, connect
from harness.clusters.containers.helped_fabric import CAPABILITIES
from harness.errors import ClusterError
from tests.conformance.worlds import NODES, World
from tests.harness.clusters.docker.running import needs_docker, run
from tests.harness.clusters.docker.test_containers import containers_of
from tests.harness.clusters.local.running import until
from tests.integration.container_deaths import LINES, die
from tests.integration.machine import Picture, left, picture
from tests.integration.ordinary_user import run_as_ordinary_user

pytestmark = needs_docker
KINDS = {"partition", "packet", "kill", "term", "pause", "throttle", "memory", "clock"}
ROOT = Path(__file__).parent.parent.parent
RUN = ["run", "kv/raft", "--cluster", "docker", "--nodes", "3", "--nemesis", "all", "--seed", "7", "--time-limit", "20"]


def as_ordinary_user(*argv: str) -> tuple[int, dict[str, Any]]:
    """``splitbrain`` with these arguments, by a user who may speak to the engine and nothing else; its exit code and document."""
    group = Path(address().removeprefix("unix://")).stat().st_gid
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent"}
    done = run_as_ordinary_user([sys.executable, "-m", "harness.cli", *argv, "--json"], environment, ROOT, [group])
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def ways(seen: Picture) -> set[bytes]:
    """Routes of IPv4; of IPv6 the kernel makes some within each link, also of a bridge."""
    return {route for route in seen["routes"] if route[0] == socket.AF_INET}


def test_an_ordinary_user_has_every_fault() -> None:
    before = picture()
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o777)  # the other user writes there
        code, results = as_ordinary_user(*RUN, "--interval", "3", "--recovery", "5", "--store", f"{scratch}/store")
        assert (code, results["verdict"]) == (0, "valid"), results["reason"]
        assert {fault["kind"] for fault in results["faults"]} == set(results["plan"]["nemesis"]) >= KINDS
        assert all(fault["bit"] and fault["healed"] for fault in results["faults"])
        kept = Path(results["run"])
        assert {entry.stat().st_uid for entry in kept.rglob("*")} == {kept.stat().st_uid}
        assert not (kept / "fabric").exists()
    assert not left(before)


def test_the_helper_may_little_and_nodes_may_nothing(tmp_path: Path) -> None:
    before = picture()

    async def scenario(world: World) -> None:
        found = {one["Config"]["Labels"][labels.OURS]: one for one in containers_of(world)}
        assert len(containers_of(world)) == 2 * len(NODES) + 2
        for one in containers_of(world):
            host, is_helper = one["HostConfig"], one["Config"]["Labels"][labels.OURS] == labels.HELPER
            assert not host["Privileged"]
            assert (host["CapAdd"] or []) == (CAPABILITIES if is_helper else [])
            assert host["CapDrop"] == ["ALL"]
            assert host["NetworkMode"] != "host"
            assert (host["PidMode"], host["PortBindings"] or {}) == ("", {})
        assert set(found) == {labels.HELPER, labels.SANDBOX, labels.PROGRAM}
        await world.cluster.cut([("n1", "n2")])
        now = picture()
        # The filter is the helper's own: on the machine there is none of ours, not even while a link is cut, nor a way to the nodes.
        assert (now["tables"], now["rules"]) == (before["tables"], before["rules"])
        assert ways(now) == ways(before)

    run(tmp_path, scenario, fabric="helper")
    assert not left(before)


def test_no_packet_has_a_way_out(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        for host in ("192.0.2.1", "198.18.255.1", "10.0.0.77", "169.254.0.1"):
            assert (await world.call("n1", "reach", host=host))["refused"], host

    run(tmp_path, scenario, fabric="helper")


def test_a_helper_that_somebody_takes_away_ends_the_run(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        (helper,) = (one for one in containers_of(world) if one["Config"]["Labels"][labels.OURS] == labels.HELPER)
        client = connect()
        try:
            client.kill(helper["Id"], "SIGKILL")
        finally:
            client.close()
        await until(lambda: world.cluster._network.fabric.why_lost is not None)
        with pytest.raises(ClusterError, match="the helper container: it ended with status 137"):
            await world.cluster.cut([("n1", "n2")])
        with pytest.raises(ClusterError, match="the network of the run is gone"):
            await world.call("n1", "see")

    run(tmp_path, scenario, fabric="helper")


def test_clients_are_not_told_apart(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.relays("n1", "n2")
        with pytest.raises(
            ClusterError, match="only links between nodes can be broken without root, and 'c1' is no node"
        ):
            await world.cluster.cut([("c1", "n1")])

    run(tmp_path, scenario, fabric="helper")


@pytest.mark.parametrize("at_line", [5, LINES - 4])
def test_a_controller_that_is_killed_leaves_nothing_after_a_heal(tmp_path: Path, at_line: int) -> None:
    death = die(tmp_path, at_line=at_line, fabric="helper")
    assert death.status == -signal.SIGKILL
    removed = [thing["kind"] for thing in death.healed["removed"]]
    assert (removed.count("container"), removed.count("network")) == (2 * 3 + 2, 3 + 1)
    assert death.operations > 0
