"""The directory, rule by rule: who is asked before a page is granted, and what a restart and a lost grant change."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from targets.dsm.memory.bugs import Bugs
from targets.dsm.memory.directory import Directory
from targets.node.env import Body
from tests.targets.dsm.world import Disk, World


class Caches:
    """The other nodes: what was asked of whom, and what they answer to a recall."""

    def __init__(self, data: list[Any] | None = None, *, held: bool = True) -> None:
        self.data, self.held = data, held

    async def __call__(self, _dest: str, body: Body) -> Body:
        if body["type"] == "invalidate":
            return {}
        return {"held": self.held and body["to"] == "S", **({"data": self.data} if self.data else {})}


def directory(caches: Any, *, exclusive: bool = False, bug: str | None = None, disk: Disk | None = None) -> World:
    world: Any = World(caches, disk)
    Directory(world, world, world.kept, page_size=1, exclusive=exclusive, bugs=Bugs.named(bug))
    found: World = world
    return found


async def got(world: World, src: str, mode: str) -> tuple[str, Any]:
    grant = await world.hear("get", src, page=0, mode=mode)
    assert grant is not None
    return grant["state"], grant["data"][0]


def asked(world: World) -> list[tuple[str, str]]:
    found = [(dest, body.get("to", body["type"])) for dest, body in world.asked]
    world.asked.clear()
    return found


def test_a_writer_waits_for_every_reader_and_a_reader_for_the_writer() -> None:
    async def story() -> None:
        world = directory(Caches([7]))
        assert await got(world, "n2", "read") == ("S", None)
        assert await got(world, "n3", "read") == ("S", None)
        assert asked(world) == []
        assert await got(world, "n2", "write") == ("M", None)
        assert asked(world) == [("n3", "invalidate")]
        assert await got(world, "n3", "read") == ("S", 7)
        assert asked(world) == [("n2", "S")]
        assert await got(world, "n3", "write") == ("M", 7)
        assert asked(world) == [("n2", "invalidate")]
        assert await got(world, "n2", "write") == ("M", 7)
        assert asked(world) == [("n3", "I")]

    asyncio.run(story())


def test_a_reader_that_is_alone_is_granted_the_page_for_its_own_where_the_protocol_has_that() -> None:
    async def story() -> None:
        world = directory(Caches(), exclusive=True)
        assert await got(world, "n2", "read") == ("E", None)
        assert await got(world, "n3", "read") == ("S", None)
        assert asked(world) == [("n2", "S")]
        assert await got(world, "n2", "read") == ("S", None)

    asyncio.run(story())


def test_an_owner_that_asks_again_has_lost_its_grant() -> None:
    async def story() -> None:
        world = directory(Caches(held=False))
        assert await got(world, "n2", "write") == ("M", None)
        assert await got(world, "n2", "write") == ("M", None)
        assert asked(world) == [("n2", "I")]

    asyncio.run(story())


def test_only_the_latest_of_a_nodes_requests_is_answered() -> None:
    async def story() -> None:
        gate = asyncio.Event()

        async def slow(_dest: str, _body: Body) -> Body:
            await gate.wait()
            return {"held": False}

        world = directory(slow)
        await got(world, "n2", "write")
        first = asyncio.ensure_future(world.hear("get", "n3", page=0, mode="read"))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(world.hear("get", "n3", page=0, mode="read"))
        await asyncio.sleep(0)
        gate.set()
        grant = await second
        assert await first is None
        assert grant is not None
        assert grant["state"] == "S"

    asyncio.run(story())


@pytest.mark.parametrize(("bug", "asks"), [(None, [("n2", "S")]), ("stale-directory", [])])
def test_a_restart_forgets_nobody(bug: str | None, asks: list[tuple[str, str]]) -> None:
    async def story() -> None:
        world = directory(Caches())
        await got(world, "n2", "write")
        again = directory(Caches([7]), bug=bug, disk=world.disk)
        assert await got(again, "n3", "read") == ("S", 7 if asks else None)
        assert asked(again) == asks

    asyncio.run(story())
