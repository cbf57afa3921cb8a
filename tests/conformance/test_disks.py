"""Disks that fail and nodes that lose their power, on every cluster that offers it: what a node's program sees of it, and that it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.effects import KEPT, LOST, DiskFault, Unsynced
from harness.protocols import NoAnswer
from tests.conformance.worlds import NODES, World, every_cluster_with, run

QUIET_S = 0.3


async def loaded(world: World, node: str = "n2", name: str = "log") -> str:
    return str((await world.call(node, "load", name=name))["text"])


async def save(world: World, text: str, *, sync: bool, node: str = "n2", name: str = "log") -> None:
    await world.call(node, "save", name=name, text=text, sync=sync)


async def refused(world: World, node: str = "n2") -> dict[str, str]:
    reply = await world.cluster.ask(node, {"type": "sb_canary", "name": "sb-canary", "sync": True}, 30.0)
    return dict(reply["refused"])


@every_cluster_with("power")
def test_a_power_loss_takes_what_was_not_synced_of_all_nodes_at_once(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        for number in range(3):
            for node in NODES:
                await save(world, f"s{number};", sync=True, node=node)
                await save(world, "u" * (number + 1), sync=False, node=node)
            lost = await world.cluster.lose_power(NODES, LOST)
            unsynced = [Unsynced(path="log", written=number + 1, kept=0)]
            assert {node: list(files) for node, files in lost.items()} == dict.fromkeys(NODES, unsynced)
            assert not any([await world.alive(node, QUIET_S) for node in NODES])
            assert await world.cluster.lose_power(NODES, LOST) == {}
            for node in NODES:
                await world.cluster.restart(node)
                assert await loaded(world, node) == "".join(f"s{n};" for n in range(number + 1))
        assert await world.relays("n1", "n2")

    run(cluster_name, tmp_path, scenario, disks=True)


@every_cluster_with("power")
def test_what_the_disk_had_got_before_the_power_went_is_there(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await save(world, "never synced", sync=False)
        await world.cluster.lose_power(["n2"], KEPT)
        assert await world.alive("n1")
        await world.cluster.restart("n2")
        assert await loaded(world) == "never synced"

    run(cluster_name, tmp_path, scenario, disks=True)


@every_cluster_with("disk")
@pytest.mark.parametrize(
    ("action", "seen"),
    [
        ("eio", {"write": "EIO", "fsync": "EIO", "read": "EIO"}),
        ("enospc", {"write": "ENOSPC"}),
        ("full", {"write": "ENOSPC"}),
    ],
)
def test_a_disk_refuses_until_it_is_mended(
    cluster_name: str, action: str, seen: dict[str, str], tmp_path: Path
) -> None:
    async def scenario(world: World) -> None:
        fault = DiskFault(action=action)
        assert await refused(world) == {}
        await world.cluster.break_disk("n2", [fault])
        found = await refused(world)
        assert found.items() <= seen.items()
        assert "write" in found
        assert await world.cluster.disk_hits("n2", fault) > 0
        assert await refused(world, "n1") == {}
        await world.cluster.kill("n2")
        await world.cluster.restart("n2")
        assert "write" in await refused(world)  # it outlasts the node's life
        await world.cluster.break_disk("n2", [])
        await world.cluster.break_disk("n2", [])
        assert await refused(world) == {}
        await save(world, "fine", sync=True)
        assert await loaded(world) == "fine"

    run(cluster_name, tmp_path, scenario, disks=True)


@every_cluster_with("disk")
def test_a_program_dies_of_a_disk_that_refuses(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        await save(world, "kept", sync=True)
        await world.cluster.break_disk("n2", [DiskFault(action="eio", path="lo*", operations=("fsync",))])
        await save(world, "free", sync=True, name="other")
        with pytest.raises(NoAnswer):
            await world.call("n2", "save", name="log", text="gone", sync=True)
        async with asyncio.timeout(30):
            while not world.cluster.crashes():
                await asyncio.sleep(0.01)
        assert list(world.cluster.crashes()) == ["n2"]
        await world.cluster.break_disk("n2", [])
        await world.cluster.restart("n2")
        found = await loaded(world)
        assert found.startswith("kept")
        assert await loaded(world, name="other") == "free"
        await world.cluster.lose_power(["n2"], LOST)
        await world.cluster.restart("n2")
        assert await loaded(world) == found, "a node may build on what it finds when it starts"

    run(cluster_name, tmp_path, scenario, disks=True)


@every_cluster_with("disk")
def test_a_fault_ends_with_its_count(cluster_name: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        fault = DiskFault(action="enospc", count=2, path="sb-*")
        await world.cluster.break_disk("n2", [fault])
        assert [len(await refused(world)) for _ in range(4)] == [1, 1, 0, 0]
        assert await world.cluster.disk_hits("n2", fault) == 2

    run(cluster_name, tmp_path, scenario, disks=True)


@every_cluster_with("disk")
def test_a_slow_fsync_holds_the_answer_back(cluster_name: str, tmp_path: Path) -> None:
    async def took_s(world: World, node: str) -> float:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await world.call(node, "save", name="log", text="x", sync=True)
        return loop.time() - began_s

    async def scenario(world: World) -> None:
        await world.cluster.break_disk("n2", [DiskFault(action="slow", delay_s=0.5)])
        assert await took_s(world, "n2") >= 0.5
        assert await took_s(world, "n2") >= 0.5
        assert min([await took_s(world, "n1") for _ in range(5)]) < 0.5
        assert await loaded(world) == "xx"
        await world.cluster.break_disk("n2", [])
        assert min([await took_s(world, "n2") for _ in range(5)]) < 0.5

    run(cluster_name, tmp_path, scenario, disks=True)


@every_cluster_with("disk")
@pytest.mark.parametrize("action", ["torn-write", "misdirected-write"])
def test_a_disk_lies_about_a_write(cluster_name: str, action: str, tmp_path: Path) -> None:
    text = "a line of text of some length;" * 40

    async def scenario(world: World) -> None:
        await save(world, text, sync=True)
        fault = DiskFault(action=action, count=1)
        await world.cluster.break_disk("n2", [fault])
        await save(world, text.upper(), sync=True)
        await save(world, text, sync=True)
        assert await world.cluster.disk_hits("n2", fault) == 1
        await world.cluster.kill("n2")
        await world.cluster.restart("n2")
        found = await loaded(world)
        assert len(found) == 3 * len(text)
        assert found.endswith(text)
        assert found != text + text.upper() + text
        assert "\0" in found

    run(cluster_name, tmp_path, scenario, disks=True)


@every_cluster_with("disk")
def test_data_are_damaged_where_they_lie(cluster_name: str, tmp_path: Path) -> None:
    text = "0123456789" * 30

    async def scenario(world: World) -> None:
        flip, cut = DiskFault(action="bit-flip", count=3, path="log"), DiskFault(action="truncate", path="log")
        await world.cluster.damage_disk("n2", flip)
        assert await world.cluster.disk_hits("n2", flip) == 0  # nothing lies there
        await save(world, text, sync=True)
        await save(world, text, sync=True, name="other")
        await world.cluster.damage_disk("n2", flip)
        assert await world.cluster.disk_hits("n2", flip) == 3
        await world.cluster.kill("n2")
        await world.cluster.restart("n2")
        raw = (await world.call("n2", "load", name="log"))["text"]
        assert sum((ord(a) ^ ord(b)).bit_count() for a, b in zip(raw, text, strict=True)) == 3
        await world.cluster.damage_disk("n2", cut)
        assert await world.cluster.disk_hits("n2", cut) == 1
        assert len((await world.call("n2", "load", name="log"))["text"]) < len(text)
        assert await loaded(world, name="other") == text

    run(cluster_name, tmp_path, scenario, disks=True)
