"""Each fault of the fabric, measured from inside the nodes' namespaces, over IPv4 and IPv6."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from harness.clusters.namespaces.callers import take_socket
from harness.effects import PacketShape
from harness.errors import ClusterError
from harness.protocols import NoAnswer, NotSent
from tests.conformance.worlds import NODES, World
from tests.harness.clusters.local.running import children, lives, needs_namespaces, run, until

pytestmark = needs_namespaces
PAIRS = [(src, dest) for src in NODES for dest in NODES if src != dest]
both_versions = pytest.mark.parametrize("version", [4, 6])


@both_versions
def test_a_cut_is_one_way_for_packets_and_is_counted(tmp_path: Path, version: int) -> None:
    async def scenario(world: World) -> None:
        cluster = world.cluster
        await cluster.cut([("n1", "n2"), ("n2", "n3")])
        expected = [pair not in {("n1", "n2"), ("n2", "n3")} for pair in PAIRS]
        assert await cluster.reaches(PAIRS) == expected
        assert await world.alive("n1")
        assert await world.alive("n2")
        counted = await cluster.counters()
        assert counted["n1", "n2"]["cut"] >= 8
        assert ("n2", "n1") not in counted
        await cluster.mend([("n1", "n2"), ("n2", "n3")])
        assert await cluster.reaches(PAIRS) == [True] * len(PAIRS)
        assert (await cluster.counters())["n1", "n2"] == counted["n1", "n2"]

    run(tmp_path, scenario, ip=version)


@both_versions
def test_nodes_feel_a_partition_and_recover(tmp_path: Path, version: int) -> None:
    async def scenario(world: World) -> None:
        assert await world.relays("n1", "n2")
        split = [pair for pair in PAIRS if "n1" in pair]
        await world.cluster.cut(split)
        assert not await world.relays("n1", "n2", patience_s=0.3)
        assert not await world.relays("n3", "n1", patience_s=0.3)
        assert await world.relays("n2", "n3")
        # Long enough for both ends to give the connection up: a new one must then be made.
        assert not await world.relays("n1", "n2", patience_s=4)
        await world.cluster.mend(split)
        async with asyncio.timeout(30):
            while not await world.relays("n1", "n2", patience_s=1):
                pass

    run(tmp_path, scenario, ip=version)


@both_versions
def test_a_client_can_be_cut_off_from_one_node(tmp_path: Path, version: int) -> None:
    async def scenario(world: World) -> None:
        await world.call("n1", "echo", echo=1)
        await world.cluster.cut([("c1", "n1")])
        with pytest.raises((NoAnswer, NotSent)):
            await world.call("n1", "echo", timeout_s=0.3)
        assert (await world.call("n2", "echo", echo=2))["echo"] == 2
        other = world.cluster.channel("c2")
        assert (await other.rpc("n1", {"type": "echo", "echo": 3}, 30.0))["echo"] == 3
        await world.cluster.mend([("c1", "n1")])
        assert (await world.call("n1", "echo", echo=4))["echo"] == 4

    run(tmp_path, scenario, ip=version)


@both_versions
def test_delay_and_jitter(tmp_path: Path, version: int) -> None:
    async def scenario(world: World) -> None:
        link = ("n1", "n2")
        await world.cluster.shape([link], PacketShape(delay_s=0.05))
        seen = await world.cluster.measure(link, 50)
        assert seen["delay_s"] >= 0.05
        await world.quick(link, 0.15)
        assert (seen["lost"], seen["duplicated"], seen["reordered"]) == (0, 0, 0)
        await world.quick(("n2", "n1"), 0.05)
        assert (await world.call("n1", "relay", to="n2", patience_s=20))["round_trip_s"] >= 0.05
        await world.cluster.shape([link], PacketShape(delay_s=0.05, jitter_s=0.04))
        assert (await world.cluster.measure(link, 50))["delay_s"] >= 0.01
        await world.cluster.unshape([link])
        await world.quick(link, 0.05)

    run(tmp_path, scenario, ip=version)


@both_versions
def test_loss_duplicates_and_reordering_of_packets(tmp_path: Path, version: int) -> None:
    async def scenario(world: World) -> None:
        cluster, link = world.cluster, ("n1", "n2")
        for shape in (PacketShape(loss=0.3), PacketShape(loss=0.3, delay_s=0.001)):  # by the filter, by the shaper
            await cluster.shape([link], shape)
            assert (await cluster.measure(link, 300))["lost"] == pytest.approx(0.3, abs=0.15)
        await cluster.shape([link], PacketShape(duplicate=0.3))
        seen = await cluster.measure(link, 300)
        assert seen["duplicated"] == pytest.approx(0.3, abs=0.15)
        assert seen["lost"] == 0
        await cluster.shape([link], PacketShape(reorder=0.3))
        seen = await cluster.measure(link, 300)
        assert seen["reordered"] > 0.1
        assert (seen["lost"], seen["duplicated"]) == (0, 0)
        await cluster.unshape([link])
        clean = await cluster.measure(link, 100)
        assert (clean["lost"], clean["duplicated"], clean["reordered"]) == (0, 0, 0)
        counted = (await cluster.counters())[link]
        assert counted["duplicated"] > 0
        assert counted["exposed"] >= 300
        assert counted["lost"] / counted["exposed"] == pytest.approx(0.3, abs=0.15)

    run(tmp_path, scenario, ip=version)


@both_versions
def test_nodes_get_every_message_once_and_in_order_over_a_bad_link(tmp_path: Path, version: int) -> None:
    """TCP's work, and the reason why these faults are delay to a node: what arrives twice or spoilt never reaches it."""

    async def scenario(world: World) -> None:
        bad = PacketShape(delay_s=0.002, loss=0.05, duplicate=0.1, reorder=0.1, corrupt=0.1)
        await world.cluster.shape([("n1", "n2"), ("n2", "n1")], bad)
        await world.call("n1", "shout", to="n2", notes=200)
        heard: list[int] = []
        async with asyncio.timeout(20):
            while len(heard) < 200:
                heard = (await world.call("n2", "heard", by="n1"))["numbers"]
                await asyncio.sleep(0.05)
        assert heard == list(range(200))
        assert (await world.cluster.counters())["n1", "n2"]["delayed"] > 0

    run(tmp_path, scenario, ip=version)


@both_versions
def test_spoilt_datagrams_arrive_as_they_are_and_are_told_from_lost_ones(tmp_path: Path, version: int) -> None:
    async def scenario(world: World) -> None:
        link = ("n1", "n2")
        await world.cluster.shape([link], PacketShape(corrupt=0.5))
        seen = await world.cluster.measure(link, 300)
        # Of the 68 bytes behind the network header 8 are the datagram's own: a flipped bit there loses it, but in the port it came from.
        assert seen["corrupted"] == pytest.approx(0.5 * 60 / 68, abs=0.15)
        assert seen["lost"] == pytest.approx(0.5 * 6 / 68, abs=0.08)
        counted = (await world.cluster.counters())[link]["corrupted"]
        assert 0 <= counted - round(300 * (seen["corrupted"] + seen["lost"])) < 20
        await world.cluster.unshape([link])
        clean = await world.cluster.measure(link, 100)
        assert (clean["lost"], clean["corrupted"]) == (0, 0)

    run(tmp_path, scenario, ip=version)


@both_versions
def test_a_cut_takes_what_is_under_way(tmp_path: Path, version: int) -> None:
    async def scenario(world: World) -> None:
        cluster, link = world.cluster, ("n1", "n2")
        for shape in (PacketShape(delay_s=1.5), PacketShape(delay_s=1.5, duplicate=1.0)):
            await cluster.shape([link], shape)
            sending = asyncio.ensure_future(cluster.measure(link, 20))
            await until(lambda: len(cluster._prober._flights) > 0)
            await asyncio.sleep(0.1)
            await cluster.cut([link])
            assert (await sending)["lost"] == 1
            await cluster.mend([link])

    run(tmp_path, scenario, ip=version)


@both_versions
def test_a_rate_limits_what_leaves_a_node(tmp_path: Path, version: int) -> None:
    """Of a burst beyond bucket and queue the rest is dropped: what comes through is bounded by both, whatever the machine's speed."""

    async def scenario(world: World) -> tuple[int, int]:
        host = world.cluster._nodes["n2"].address.host(version)
        place = world.cluster._namespaces.places["n2"]
        sink = await take_socket(place, socket.SOCK_DGRAM, version, host, 7777)
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        with sink:
            free = await _burst(world, sink, host)
            await world.cluster.rate("n1", 100_000)
            limited = await _burst(world, sink, host)
            await world.cluster.rate("n1", None)
        return free, limited

    free, limited = run(tmp_path, scenario, ip=version)
    assert free > 2 * limited
    # 131 kB of bucket and 136 kB of queue, in datagrams of about 1,050 bytes, and what leaks out while the burst lasts.
    assert 50 < limited < 400


async def _burst(world: World, sink: socket.socket, host: str) -> int:
    await world.call("n1", "burst", host=host, port=7777, datagrams=1000, timeout_s=20)
    await asyncio.sleep(0.3)
    arrived = 0
    while True:
        try:
            sink.recv(2000)
        except BlockingIOError:
            return arrived
        arrived += 1


def test_the_same_seed_gives_the_same_fates(tmp_path: Path) -> None:
    async def scenario(world: World) -> Any:
        link = ("n1", "n2")
        await world.cluster.shape([link], PacketShape(loss=0.3, delay_s=0.001))
        lost = (await world.cluster.measure(link, 200))["lost"]
        counted = (await world.cluster.counters())[link]
        return lost, counted["sent"], counted["dropped"]

    runs = [run(tmp_path / str(n), scenario) for n in range(2)]
    assert runs[0][0] == runs[1][0] > 0
    assert runs[0] == runs[1]


def test_a_machine_without_packet_queues_says_so_when_asked_to_shape(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        world.cluster._namespaces.shaper_refused = "the kernel refused to serve packet queue 0"
        with pytest.raises(ClusterError, match="packets cannot be shaped here: the kernel refused"):
            await world.cluster.shape([("n1", "n2")], PacketShape(delay_s=0.1))
        await world.cluster.shape([("n1", "n2")], PacketShape(loss=1.0))  # the filter's own work
        assert await world.cluster.reaches([("n1", "n2")]) == [False]

    run(tmp_path, scenario)


def test_what_the_kernel_refuses_is_told_in_a_sentence_and_changes_nothing(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.cluster.cut([("n1", "n2")])
        world.cluster._router._held.clear()
        world.cluster._namespaces.filter._sets.clear()  # so that it adds to sets that the kernel does not have
        world.cluster._namespaces.filter._losses.add(10_000)
        with pytest.raises(ClusterError, match="the fabric of the run: the kernel refused to"):
            await world.cluster.shape([("n1", "n3"), ("n2", "n3")], PacketShape(loss=1.0))
        assert await world.cluster.reaches([("n1", "n2"), ("n1", "n3"), ("n2", "n3")]) == [False, True, True]
        await world.cluster.rate("n1", None)  # lifting a limit that there is not is no error

    run(tmp_path, scenario)


def test_when_the_shaper_dies_traffic_flows_and_shaping_fails(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        cluster, link = world.cluster, ("n1", "n2")
        await cluster.shape([link], PacketShape(delay_s=0.2))
        assert (await cluster.measure(link, 5))["delay_s"] >= 0.2
        (supervisor,) = children(cluster._namespaces.pid)
        (shaper,) = [pid for pid in children(supervisor) if pid_namespace(pid) == pid_namespace(supervisor)]
        os.kill(shaper, signal.SIGKILL)
        await until(lambda: not lives(shaper))
        assert (await cluster.measure(link, 20))["lost"] == 0
        await world.quick(link, 0.2)
        with pytest.raises(ClusterError, match="the shaper"):
            await cluster.shape([link], PacketShape(delay_s=0.1))

    run(tmp_path, scenario)


def pid_namespace(pid: int) -> str:
    return str(Path(f"/proc/{pid}/ns/pid").readlink())
