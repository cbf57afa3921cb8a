"""Release consistency, rule by rule: what a release sends, what an acquire forgets, and that a write reaches its home once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from targets.dsm.memory.bugs import Bugs
from targets.dsm.memory.config import Config, Layout
from targets.dsm.memory.copies import Copies
from targets.dsm.memory.homes import Homes
from targets.node.env import Body
from tests.targets.dsm.world import Disk, World

LAYOUT = Layout(page_size=2, nodes=("n1", "n2", "n3"))


def home(disk: Disk | None = None, *, bug: str | None = None) -> World:
    world: Any = World(disk=disk)
    Homes(world, world.kept, page_size=2, bugs=Bugs.named(bug))
    found: World = world
    return found


def node(home_of: World, *, bug: str | None = None, disk: Disk | None = None) -> tuple[Copies, World]:
    async def answer(_dest: str, body: Body) -> Body:
        found = await home_of.handlers[body["type"]]("n1", body)
        assert found is not None
        return found

    world: Any = World(answer, disk)
    return Copies(world, world, world.kept, LAYOUT, config=Config(), bugs=Bugs.named(bug)), world


def sent(world: World) -> list[tuple[str, Any]]:
    found = [(body["type"], body.get("writes")) for _, body in world.asked]
    world.asked.clear()
    return found


def test_a_release_sends_what_was_written_and_nothing_else_and_an_acquire_forgets() -> None:
    async def story() -> None:
        masters = home()
        copies, world = node(masters)
        assert await copies.read("t", 0) is None
        await copies.write("t", 1, 7)
        assert await copies.read("t", 1) == 7
        assert sent(world) == [("fetch", None)]
        await copies.release("t")
        assert sent(world) == [("flush", [[1, 1, 7]])]
        await masters.hear("flush", "n9", page=0, writes=[[1, 0, 5]])
        assert [await copies.read("t", place) for place in (0, 1)] == [None, 7]
        assert sent(world) == []
        await copies.acquire("t")
        assert [await copies.read("t", place) for place in (0, 1)] == [5, 7]
        assert sent(world) == [("fetch", None)]

    asyncio.run(story())


def test_what_others_wrote_meanwhile_is_not_overwritten() -> None:
    async def story() -> None:
        masters = home()
        copies, _ = node(masters)
        await copies.read("t", 0)
        await copies.write("t", 0, 7)
        await masters.hear("flush", "n9", page=0, writes=[[1, 1, 5]])
        await copies.release("t")
        assert [await copies.read("t", place) for place in (0, 1)] == [7, 5]

    asyncio.run(story())


@pytest.mark.parametrize(("bug", "last"), [(None, 9), ("flush-repeated", 7)])
def test_a_late_copy_of_a_flush_changes_nothing(bug: str | None, last: int) -> None:
    async def story() -> None:
        masters = home(bug=bug)
        await masters.hear("flush", page=0, writes=[[1, 0, 7]])
        await masters.hear("flush", "n9", page=0, writes=[[1, 0, 9]])
        await masters.hear("flush", page=0, writes=[[1, 0, 7]])
        found = await masters.hear("fetch", page=0)
        assert found is not None
        assert found["data"] == [last, None]
        again = await home(masters.disk).hear("fetch", page=0)
        assert again is not None
        assert again["data"] == [last, None]

    asyncio.run(story())


@pytest.mark.parametrize(("bug", "value"), [(None, 7), ("late-fetch-taken", None)])
def test_a_copy_that_is_older_than_what_was_sent_is_not_taken(bug: str | None, value: Any) -> None:
    async def story() -> None:
        masters, late = home(), asyncio.Event()
        copies, world = node(masters, bug=bug)
        answer = world.answer
        assert answer is not None

        async def slow(dest: str, body: Body) -> Body:
            found = await answer(dest, body)
            if body["type"] == "fetch" and not late.is_set():
                late.set()
                await copies.write("t", 0, 7)
                await copies.release("t")
            return found

        world.answer = slow
        await copies.read("t", 1)
        assert await copies.read("t", 0) == value

    asyncio.run(story())


def test_what_was_not_sent_before_a_crash_is_read_and_sent_after_it() -> None:
    async def story() -> None:
        masters = home()
        copies, world = node(masters)
        await copies.write("t", 0, 7)
        again, after = node(masters, disk=world.disk)
        assert await again.read("t", 0) == 7
        again.start()
        for task in after.tasks:
            await task
        assert sent(after) == [("flush", [[1, 0, 7]])]
        await again.write("t", 0, 8)
        await again.release("t")
        assert sent(after) == [("flush", [[2, 0, 8]])]

    asyncio.run(story())
