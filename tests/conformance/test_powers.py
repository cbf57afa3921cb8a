"""What every cluster promises: each power has its effect, seen from the nodes, and none is left after healing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.effects import ClockSkew, PacketShape
from harness.errors import TargetError
from harness.powers import POWERS, powers_of
from harness.protocols import NoAnswer, NotSent, RpcError
from tests.conformance.worlds import (
    NODES,
    WORLDS,
    World,
    every_cluster,
    every_cluster_on_messages,
    every_cluster_once,
    run,
)

# Who has not answered by then is taken for dead: longer only makes the tests slower, never wrong.
QUIET_S = 0.3
# What a cluster does not offer. Memory is limited by the kernel, for processes below a place of ours.
DISKS = {"disk", "power"}
MISSING: Mapping[str, set[str]] = {
    "docker": set(),
    "local": set(),
    "process": {"memory", *DISKS},
    "proxy": {"memory", *DISKS},
    "sim": {"memory"},
    "ssh": {"memory", "intrude"},
}
PAIRS = [(src, dest) for src in NODES for dest in NODES if src != dest]


@every_cluster
def test_it_has_the_powers_that_it_claims(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        powers = powers_of(type(world.cluster))
        assert powers == {name for name, protocol in POWERS.items() if isinstance(world.cluster, protocol)}
        assert set(POWERS) - powers == MISSING[world.cluster.name]
        assert (world.cluster.name, world.cluster.nodes) == (WORLDS[cluster_name][0], NODES)
        assert type(world.cluster).unavailable() is None

    run(cluster_name, tmp_path, scenario)


@every_cluster
def test_a_lifecycle_can_be_repeated_and_stopping_too(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        for src, dest in PAIRS:
            assert await world.relays(src, dest)
        await world.cluster.kill("n1")
        await world.cluster.pause("n2")
        await world.cluster.stop()
        await world.cluster.stop()
        assert not await world.alive("n3", QUIET_S)

    for attempt in range(2):
        run(cluster_name, tmp_path / str(attempt), scenario)
        for node in NODES:
            log = (tmp_path / str(attempt) / "nodes" / node / "node.log").read_text(encoding="utf-8")
            assert '"event":"start"' in log


@every_cluster_on_messages
def test_a_cut_is_one_way_and_mends(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        cluster = world.cluster
        await cluster.cut([("n1", "n2")])
        assert await cluster.reaches([("n1", "n2"), ("n2", "n1"), ("n1", "n3")]) == [False, True, True]
        assert await world.hears("n1", "n2") == []
        assert await world.hears("n2", "n1") == list(range(20))
        assert not await world.relays("n2", "n1", patience_s=QUIET_S)  # the answer is cut off
        assert await world.relays("n1", "n3")
        assert await world.alive("n2")
        await cluster.mend([("n1", "n2")])
        await cluster.mend([("n1", "n2")])
        assert await cluster.reaches(PAIRS) == [True] * len(PAIRS)
        assert await world.hears("n1", "n2") == list(range(20))

    run(cluster_name, tmp_path, scenario)


@every_cluster
def test_overlapping_cuts_mend_one_by_one(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        cluster = world.cluster
        await cluster.cut([("n1", "n2"), ("n2", "n1")])
        await cluster.cut([("n1", "n2"), ("n1", "n3")])
        await cluster.mend([("n1", "n2"), ("n2", "n1")])
        assert await cluster.reaches([("n1", "n2"), ("n2", "n1"), ("n1", "n3")]) == [False, True, False]
        await cluster.mend([("n1", "n2"), ("n1", "n3")])
        assert await cluster.reaches(PAIRS) == [True] * len(PAIRS)

    run(cluster_name, tmp_path, scenario)


@every_cluster
def test_a_delay_is_felt_both_by_the_probe_and_by_the_nodes(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        cluster = world.cluster
        links = [("n1", "n2"), ("n2", "n1")]
        await cluster.shape(links, PacketShape(delay_s=0.1))
        seen = await cluster.measure(("n1", "n2"), 20)
        assert seen["delay_s"] >= 0.1
        assert (seen["lost"], seen["duplicated"], seen["reordered"]) == (0, 0, 0)
        slow = await world.call("n1", "relay", to="n2", patience_s=20)
        assert slow["round_trip_s"] >= 0.2
        assert await world.hears("n1", "n2", within_s=0.5) == list(range(20))
        await cluster.unshape(links)
        await cluster.unshape(links)
        await world.quick(("n1", "n2"), 0.1)
        quick = [await world.call("n1", "relay", to="n2", patience_s=20) for _ in range(10)]
        assert min(answer["round_trip_s"] for answer in quick) < 0.2  # the best, since the machine may be busy

    run(cluster_name, tmp_path, scenario)


@every_cluster_on_messages
def test_loss_duplicates_and_reordering_reach_the_nodes_and_stop(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        cluster, link = world.cluster, ("n1", "n2")
        await cluster.shape([link], PacketShape(loss=0.3))
        assert (await cluster.measure(link, 200))["lost"] == pytest.approx(0.3, abs=0.15)
        heard = await world.hears("n1", "n2", notes=200)
        assert 80 <= len(heard) < 200
        assert heard == sorted(set(heard))
        await cluster.shape([link], PacketShape(duplicate=0.3))
        assert (await cluster.measure(link, 200))["duplicated"] == pytest.approx(0.3, abs=0.15)
        heard = await world.hears("n1", "n2", notes=200)
        assert set(heard) == set(range(200))
        assert len(heard) > 220
        await cluster.shape([link], PacketShape(reorder=0.3))
        assert (await cluster.measure(link, 200))["reordered"] > 0
        heard = await world.hears("n1", "n2", notes=200)
        assert heard != sorted(heard)
        assert sorted(heard) == list(range(200))
        await cluster.unshape([link])
        clean = await cluster.measure(link, 100)
        assert (clean["lost"], clean["duplicated"], clean["reordered"]) == (0, 0, 0)
        assert await world.hears("n1", "n2", notes=200) == list(range(200))

    run(cluster_name, tmp_path, scenario)


@every_cluster
def test_a_killed_node_is_silent_and_comes_back_with_what_it_had_synced(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        cluster = world.cluster
        for life in range(2):
            await world.call("n2", "save", name="log", text=f"{life};", sync=True)
            await cluster.kill("n2")
            await cluster.kill("n2")
            assert not await world.alive("n2", QUIET_S)
            assert not await world.relays("n1", "n2", patience_s=QUIET_S)
            with pytest.raises((NoAnswer, NotSent)):
                await world.call("n2", "echo", echo=1, timeout_s=0.3)
            await cluster.restart("n2")
            await cluster.restart("n2")
            assert await world.alive("n2")
            assert await world.relays("n1", "n2")
            assert (await world.call("n2", "load", name="log"))["text"] == "".join(f"{n};" for n in range(life + 1))
            assert (await world.call("n2", "heard", by="n1"))["numbers"] == []
        assert cluster.crashes() == {}

    run(cluster_name, tmp_path, scenario)


@every_cluster_once
def test_unsynced_data_can_be_lost(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> list[str]:
        left = []
        for attempt in range(8):
            name = f"log{attempt}"
            await world.call("n2", "save", name=name, text="synced", sync=True)
            await world.call("n2", "save", name=name, text="|fresh", sync=False)
            assert (await world.call("n2", "load", name=name))["text"] == "synced|fresh"
            await world.cluster.kill("n2")
            await world.cluster.restart("n2")
            left.append((await world.call("n2", "load", name=name))["text"])
            if left[-1] != "synced|fresh":
                break
        return left

    left = run(cluster_name, tmp_path, scenario)
    assert left[-1] != "synced|fresh"
    assert all(text.startswith("synced") for text in left)


@every_cluster
def test_a_paused_node_stands_still_and_then_goes_on(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        cluster = world.cluster
        await asyncio.sleep(0.1)
        await cluster.pause("n2")
        await cluster.pause("n2")
        assert not await world.alive("n2", timeout_s=0.5)
        assert not await world.relays("n1", "n2", patience_s=QUIET_S)
        await world.call("n1", "shout", to="n2", notes=5)
        await cluster.resume("n2")
        await cluster.resume("n2")
        assert await world.alive("n2")
        assert await world.relays("n1", "n2")
        ticks = await world.call("n2", "ticks")
        assert ticks["gap_s"] >= 0.5
        assert (await world.call("n2", "heard", by="n1"))["numbers"] == list(range(5))

    run(cluster_name, tmp_path, scenario)


@every_cluster_once
def test_a_paused_node_can_be_killed_and_a_new_life_is_not_paused(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.cluster.pause("n2")
        await world.cluster.kill("n2")
        await world.cluster.resume("n2")
        await world.cluster.pause("n2")
        assert not await world.alive("n2", QUIET_S)
        await world.cluster.restart("n2")
        assert await world.alive("n2")

    run(cluster_name, tmp_path, scenario)


@every_cluster_once
def test_a_skewed_clock_is_wrong_also_in_the_next_life_until_it_is_set_right(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        cluster = world.cluster
        assert abs(await cluster.clock_offset("n2")) < 0.2
        began_s = asyncio.get_running_loop().time()
        before = await world.call("n2", "time")
        await cluster.skew("n2", ClockSkew(offset_s=-60))
        after = await world.call("n2", "time")
        passed_s = after["mono"] - before["mono"]
        assert after["wall"] - before["wall"] == pytest.approx(passed_s - 60, abs=0.5)
        assert 0 <= passed_s <= asyncio.get_running_loop().time() - began_s
        assert await cluster.clock_offset("n2") == pytest.approx(-60, abs=0.2)
        assert abs(await cluster.clock_offset("n1")) < 0.2
        await cluster.kill("n2")
        assert await cluster.clock_offset("n2") is None
        await cluster.restart("n2")
        assert await cluster.clock_offset("n2") == pytest.approx(-60, abs=0.2)
        await cluster.unskew("n2")
        await cluster.unskew("n2")
        assert abs(await cluster.clock_offset("n2")) < 0.2
        await cluster.skew("n2", ClockSkew(drift=5.0))
        await asyncio.sleep(0.5)
        assert await cluster.clock_offset("n2") >= 2.3

    run(cluster_name, tmp_path, scenario)


@every_cluster_once
def test_a_strobing_clock_flips(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> set[bool]:
        await world.cluster.skew("n2", ClockSkew(offset_s=30, strobe_period_s=0.1))
        seen: set[bool] = set()
        async with asyncio.timeout(60):
            while len(seen) < 2:
                offset_s = await world.cluster.clock_offset("n2")
                seen.add(abs(offset_s) > 15)
                await asyncio.sleep(0.02)
        return seen

    assert run(cluster_name, tmp_path, scenario) == {True, False}


@every_cluster
def test_what_a_client_is_told(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        value: dict[str, Any] = {
            "text": 'ä"\n\u2028',
            "numbers": [0, -1, 2**53, 1.5],
            "nothing": None,
            "nested": [[], {}],
        }
        assert (await world.call("n1", "echo", echo=value))["echo"] == value
        with pytest.raises(RpcError) as caught:
            await world.call("n1", "unheard-of")
        assert caught.value.code == 10
        with pytest.raises(RpcError, match="nobody is called 'n9'") as caught:
            await world.call("n1", "relay", to="n9", patience_s=20)
        assert caught.value.code == 1
        with pytest.raises(NoAnswer):
            await world.call("n1", "murmur", number=1, timeout_s=0.2)
        with pytest.raises(TargetError, match="no .*node 'n9'"):
            await world.call("n9", "echo")

    run(cluster_name, tmp_path, scenario)


@every_cluster_once
def test_the_runtime_tells_the_status_of_its_program(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> list[Any]:
        replies = [await world.cluster.ask(node, {"type": "sb_status"}, 30.0) for node in NODES]
        return [reply["status"]["role"] for reply in replies]

    assert run(cluster_name, tmp_path, scenario) == ["leader", "follower", "follower"]


@every_cluster_once
def test_a_program_that_fails_takes_its_node_with_it(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await world.call("n2", "save", name="log", text="kept", sync=True)
        with pytest.raises(NoAnswer):
            await world.call("n2", "fail")
        async with asyncio.timeout(30):
            while not world.cluster.crashes():
                await asyncio.sleep(0.01)
        assert not await world.alive("n2", QUIET_S)
        assert list(world.cluster.crashes()) == ["n2"]
        assert await world.relays("n1", "n3")
        await world.cluster.restart("n2")
        assert world.cluster.crashes() == {}
        assert (await world.call("n2", "load", name="log"))["text"] == "kept"

    run(cluster_name, tmp_path, scenario)
    log = (tmp_path / "nodes" / "n2" / "node.log").read_text(encoding="utf-8")
    assert '"event":"crash"' in log
    assert "asked to fail" in log


@every_cluster_once
def test_a_node_that_cannot_start_is_named_with_its_last_lines(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(_world: World) -> None:
        raise AssertionError("the cluster started")

    with pytest.raises(TargetError, match=r"(?s)node n2 of echo did not start.*the disk of this node is broken"):
        run(cluster_name, tmp_path, scenario, program="tests.conformance.broken:BrokenAtBirth")
