"""What a node sees of the machine, what is left of its programs, and what comes when the namespaces are gone."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.clusters.local import tcp_node
from harness.clusters.starts import NodeStart
from harness.errors import ClusterError, TargetError
from harness.protocols import NoAnswer, NotSent
from tests.conformance.worlds import NODES, World, spec
from tests.harness.clusters.local.running import (
    children,
    descendants,
    lives,
    namespaces_of,
    needs_namespaces,
    run,
    until,
)

pytestmark = needs_namespaces


def test_a_node_sees_its_own_world_and_none_other(tmp_path: Path) -> None:
    async def scenario(world: World) -> list[dict[str, Any]]:
        return [await world.call(node, "see") for node in NODES]

    seen = run(tmp_path, scenario)
    for node, view in zip(NODES, seen, strict=True):
        assert view["host"] == node
        assert view["processes"] == [1, view["pid"]]
        assert view["interfaces"] == ["eth0", "lo"]
        assert set(view["siblings"]) == {node, "hosts"}
        assert view["n2"] == "10.0.0.2"
        for kind, name in view["namespaces"].items():
            assert name != Path(f"/proc/self/ns/{kind}").readlink().name
    for kind in seen[0]["namespaces"]:
        assert len({view["namespaces"][kind] for view in seen}) == len(NODES)
    assert sorted(entry.name for entry in (tmp_path / "nodes").iterdir()) == list(NODES)


def test_no_packet_has_a_way_out(tmp_path: Path) -> None:
    nowhere = {errno.ENETUNREACH, errno.EHOSTUNREACH}

    async def scenario(world: World) -> None:
        for host in ("192.0.2.1", "10.0.0.77", "2001:db8::1", "fd5b::77"):
            assert (await world.call("n1", "reach", host=host))["refused"] in nowhere, host
        assert (await world.call("n1", "reach", host="10.0.0.2"))["refused"] == errno.ECONNREFUSED

    run(tmp_path, scenario)


def test_what_a_node_has_started_dies_with_it(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        for end in ("kill", "fail"):
            left = (await world.call("n1", "leave-child"))["pid"]
            assert left in (await world.call("n1", "see"))["processes"]
            if end == "kill":
                await world.cluster.kill("n1")
            else:
                with pytest.raises(NoAnswer):
                    await world.call("n1", "fail")
                await until(lambda: "n1" in world.cluster.crashes())
            await world.cluster.restart("n1")
            view = await world.call("n1", "see")
            assert view["processes"] == [1, view["pid"]]

    run(tmp_path, scenario)


def test_a_dead_node_refuses_calls_and_a_new_life_takes_them(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.call("n2", "echo", echo=0)
        await world.cluster.kill("n2")
        with pytest.raises(NotSent, match="node n2"):
            await world.call("n2", "echo", echo=1)
        await world.cluster.restart("n2")
        assert (await world.call("n2", "echo", echo=2))["echo"] == 2

    run(tmp_path, scenario)


def test_stopping_leaves_no_process_and_no_namespace(tmp_path: Path) -> None:
    others = descendants(os.getpid())  # such as servers that other tests of this process have started

    async def scenario(world: World) -> tuple[set[int], set[str]]:
        await world.cluster.pause("n2")
        pids = descendants(os.getpid()) - others
        assert (
            len(pids) == 2 + 1 + 4 + 3
        )  # launcher and supervisor, shaper, an init for each node and for the clients, the nodes
        return pids, namespaces_of(pids)

    pids, names = run(tmp_path, scenario)
    assert len(names) >= 5 * (1 + 4)
    assert [pid for pid in pids if lives(pid)] == []


def test_nodes_are_dead_before_their_disks_are_gone(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        stop, places = world.cluster._namespaces.stop, world.cluster._namespaces.places
        running = {name: world.cluster._nodes[name].program.pid for name in NODES}

        async def stopped() -> None:
            for name, pid in running.items():
                answer, _ = await places[name].call("runs", pid=pid)
                assert answer["runs"] is None
            seen.append("dead")
            await stop()

        world.cluster._namespaces.stop = stopped

    seen: list[str] = []
    run(tmp_path, scenario, disks=True)
    assert seen == ["dead"]


def test_a_node_that_nobody_keeps_still_goes_on_by_itself(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        cluster = world.cluster
        cluster._renewal.cancel()  # as if this process hung
        await cluster._place("n2").call("pause", lease_s=3.0)
        assert await cluster.cpu_share("n2") < 1
        await until(lambda: cluster._nodes["n2"].program is not None)
        assert await world.alive("n2")
        assert await cluster.cpu_share("n2") == 1
        assert (await world.call("n2", "ticks"))["gap_s"] >= 2.5

    run(tmp_path, scenario)


def test_a_pause_outlasts_its_lease_while_it_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.clusters.local.LEASE_S", 4.0)

    async def scenario(world: World) -> None:
        await world.cluster.pause("n2")
        assert not await world.alive("n2", timeout_s=6.0)
        await world.cluster.resume("n2")
        assert await world.alive("n2")

    run(tmp_path, scenario)


@pytest.mark.parametrize("victim", ["launcher", "supervisor"])
def test_when_the_namespaces_are_gone_the_run_is_told(tmp_path: Path, victim: str) -> None:
    others = descendants(os.getpid())

    async def scenario(world: World) -> None:
        launcher = world.cluster._namespaces.pid
        pids = descendants(os.getpid()) - others
        (supervisor,) = children(launcher)
        os.kill(launcher if victim == "launcher" else supervisor, signal.SIGKILL)
        await until(lambda: not any(lives(pid) for pid in pids))
        await until(lambda: world.cluster._namespaces.why_lost is not None)
        with pytest.raises(ClusterError, match="the namespaces of the run are gone"):
            await world.alive("n1", 1.0)
        with pytest.raises(ClusterError, match="the namespaces of the run are gone"):
            await world.call("n1", "echo")

    run(tmp_path, scenario)


def test_a_program_that_does_not_exist(tmp_path: Path) -> None:
    async def scenario(_world: World) -> None:
        raise AssertionError("the cluster started")

    def nowhere(_start: NodeStart, _listen: str, _peers: Mapping[str, str]) -> Sequence[str]:
        return ["/nowhere/raft"]

    before = descendants(os.getpid())
    with pytest.raises(TargetError, match=r"cannot run '/nowhere/raft': No such file"):
        run(tmp_path, scenario, argv=nowhere)
    assert not descendants(os.getpid()) - before


def test_a_node_that_babbles_ends_the_run(tmp_path: Path) -> None:
    async def scenario(_world: World) -> None:
        raise AssertionError("the cluster started")

    def babbling(start: NodeStart, listen: str, peers: Mapping[str, str]) -> Sequence[str]:
        return ["/bin/sh", "-c", "echo Starting up...; cat"] if start.node == "n2" else tcp_node(start, listen, peers)

    with pytest.raises(TargetError, match=r"node n2 of echo broke the protocol.*Starting up"):
        run(tmp_path, scenario, argv=babbling)


@pytest.mark.parametrize("version", [5, "6", None])
def test_an_ip_version_that_is_none(tmp_path: Path, version: Any) -> None:
    from harness.clusters.local import LocalCluster

    with pytest.raises(ClusterError, match="the option ip of the local cluster is 4 or 6"):
        LocalCluster(spec(tmp_path, ip=version))
