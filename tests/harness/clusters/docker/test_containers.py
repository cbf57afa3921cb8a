"""Nodes in containers: what they see, what they may, what stays of them, and what is said when something goes wrong."""

from __future__ import annotations

import errno
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import run_command
from harness.clusters.containers import images, labels
from harness.clusters.containers.engine import connect
from harness.clusters.docker import container_node
from harness.clusters.starts import NodeStart
from harness.errors import ClusterError, TargetError
from harness.protocols import NoAnswer, NotSent
from tests.conformance.worlds import NODES, World
from tests.harness.clusters.docker.running import needs_docker, run
from tests.harness.clusters.local.running import until

pytestmark = needs_docker
NO_CAPABILITIES = "0000000000000000"


@contextmanager
def engine() -> Iterator[Any]:
    client = connect()
    try:
        yield client
    finally:
        client.close()


def containers_of(world: World) -> list[dict[str, Any]]:
    with engine() as client:
        return [
            client.inspect_container(found["Id"])
            for found in client.containers(all=True, filters=labels.of_run(world.cluster._owner.id))
        ]


def test_a_node_sees_its_own_world_and_may_nothing(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        for node in NODES:
            seen = await world.call(node, "see")
            assert (seen["host"], seen["interfaces"], seen["n2"]) == (node, ["eth0", "lo"], "10.0.0.2")
            for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
                assert seen["status"][kind] == NO_CAPABILITIES
            assert seen["status"]["NoNewPrivs"] == "1"
            assert seen["cpus"] == pytest.approx(0.5)
        for found in containers_of(world):
            host = found["HostConfig"]
            assert not host["Privileged"]
            assert not host["CapAdd"]
            assert host["CapDrop"] == ["ALL"]
            assert host["NetworkMode"] == "none" or host["NetworkMode"].startswith("container:")
            assert not host["PortBindings"]
            assert labels.controller(found["Config"]["Labels"]) is not None
            assert found["Config"]["Labels"][labels.DIRECTORY] == str(tmp_path)

    run(tmp_path, scenario, cpus=0.5)


def test_no_packet_has_a_way_out(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        for host in ("192.0.2.1", "10.0.0.77", "169.254.0.1"):
            refused = (await world.call("n1", "reach", host=host))["refused"]
            assert refused in {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED}, host

    run(tmp_path, scenario)


def test_what_a_node_has_written_stays_when_it_is_killed(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.call("n1", "keep", text="here")
        for _ in range(2):
            await world.cluster.kill("n1")
            with pytest.raises(NotSent, match="node n1"):
                await world.call("n1", "kept")
            await world.cluster.restart("n1")
            assert (await world.call("n1", "kept"))["text"] == "here"
        assert world.cluster.crashes() == {}

    run(tmp_path, scenario)
    assert (tmp_path / "nodes/n1/data/kept").read_text() == "here"
    lives = [json.loads(line) for line in (tmp_path / "nodes/n1/node.log").read_text().splitlines()]
    assert [line["incarnation"] for line in lives if line["event"] == "start"] == [0, 1, 2]


def test_a_node_that_eats_too_much_is_said_to_have(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(NoAnswer):
            await world.call("n2", "eat", mb=200)
        await until(lambda: "n2" in world.cluster.crashes())
        assert world.cluster.crashes() == {"n2": "was killed by the kernel: it needed more than its 64 MiB of memory"}
        await world.cluster.restart("n2")
        assert await world.alive("n2")

    run(tmp_path, scenario, memory_mb=64)


def test_a_paused_node_can_be_killed_and_lives_again(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.cluster.pause("n3")
        await world.cluster.pause("n3")
        assert not await world.alive("n3", 0.3)
        await world.cluster.kill("n3")
        await world.cluster.resume("n3")
        await world.cluster.restart("n3")
        assert await world.alive("n3")
        assert await world.relays("n1", "n3")

    run(tmp_path, scenario)


@pytest.mark.parametrize("version", [4, 6])
def test_faults_act_on_the_packets_of_containers(tmp_path: Path, version: int) -> None:
    pairs = [(src, dest) for src in NODES for dest in NODES if src != dest]

    async def scenario(world: World) -> None:
        cluster = world.cluster
        await cluster.cut([("n1", "n2")])
        assert await cluster.reaches(pairs) == [False] + [True] * 5
        assert (await cluster.counters())["n1", "n2"]["cut"] >= 8
        # The cable is the sandbox's: a node that dies and comes back finds the same network, with the same faults.
        await cluster.kill("n2")
        assert await cluster.reaches(pairs) == [False] + [True] * 5
        await cluster.restart("n2")
        assert not await world.relays("n1", "n2", patience_s=0.3)
        await cluster.mend([("n1", "n2")])
        assert await cluster.reaches(pairs) == [True] * 6
        assert await world.relays("n3", "n2")

    run(tmp_path, scenario, ip=version)


def test_the_fabric_starts_and_stops_nothing_in_somebody_elses_containers(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        place = world.cluster._network.fabric.places["n1"]
        for fields in ({"do": "spawn", "argv": ["true"]}, {"do": "signal", "number": 9}):
            with pytest.raises(PermissionError, match="n1 is somebody else's"):
                await place.call(**fields)
        assert await world.alive("n1")

    run(tmp_path, scenario)


def test_a_program_that_does_not_exist(tmp_path: Path) -> None:
    def nowhere(_start: NodeStart, _listen: str, _peers: Mapping[str, str]) -> Sequence[str]:
        return ["/nowhere/raft"]

    with pytest.raises(TargetError, match=r"did not start: it ended with status 1; cannot run '/nowhere/raft'"):
        run(tmp_path, _never, argv=nowhere)


def test_a_node_that_babbles_ends_the_run(tmp_path: Path) -> None:
    def babbling(start: NodeStart, listen: str, peers: Mapping[str, str]) -> Sequence[str]:
        if start.node == "n2":
            return ["python3", "-c", "import sys; print('Starting up...', flush=True); sys.stdin.read()"]
        return container_node(start, listen, peers)

    with pytest.raises(TargetError, match=r"node n2 of echo broke the protocol.*Starting up"):
        run(tmp_path, _never, argv=babbling)


def test_a_container_that_somebody_takes_away(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        with engine() as client:
            client.remove_container(world.cluster._nodes["n1"].container, force=True)
        await until(lambda: world.cluster._nodes["n1"].life is None)
        with pytest.raises(ClusterError):
            await world.cluster.restart("n1")

    with pytest.raises(ClusterError, match="n1 is lost"):
        run(tmp_path, scenario)


def test_an_image_that_nobody_has(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="the image splitbrain.invalid/none:1 is not on this engine and cannot be"):
        run(tmp_path, _never, image="splitbrain.invalid/none:1")


def test_an_image_without_python(tmp_path: Path) -> None:
    with engine() as client:
        empty = io.BytesIO()
        with tarfile.open(fileobj=empty, mode="w") as tar:
            tar.addfile(tarfile.TarInfo("nothing"), io.BytesIO())
        client.import_image_from_data(empty.getvalue(), repository="splitbrain-test-empty", tag="1")
        try:
            with pytest.raises(ClusterError, match="cannot build the image .* from splitbrain-test-empty:1.*python3"):
                run(tmp_path, _never, image="splitbrain-test-empty:1")
        finally:
            client.remove_image("splitbrain-test-empty:1", force=True)


def test_a_base_of_the_users_choice(tmp_path: Path) -> None:
    """Any image with Python: here the one that is made of this machine's own."""

    async def scenario(world: World) -> None:
        assert await world.alive("n1")

    with engine() as client:
        base = images.make_local_base(client)
    run(tmp_path, scenario, image=base)


def test_an_image_is_built_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["image", "build", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert run_command(["image", "build", "--json"]) == 0
    again = capsys.readouterr()
    assert json.loads(again.out) == first
    assert again.err == ""
    assert first["bytes"] > 10_000_000
    assert run_command(["image", "build", "--base", "x", "--local"]) == 254


async def _never(_world: World) -> None:
    raise AssertionError("the cluster started")
