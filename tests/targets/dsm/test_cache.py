"""The caches, rule by rule: which grants, recalls and invalidations count, and what outlives a crash."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from targets.dsm.memory.bugs import Bugs
from targets.dsm.memory.cache import Cache
from targets.dsm.memory.config import Layout
from targets.node.env import Body
from tests.targets.dsm.world import Disk, World

LAYOUT = Layout(page_size=2, nodes=("n1", "n2", "n3"))


class Home:
    """Grants what it is asked for, under epochs 1, 2, 3, ...; a writer gets M, a reader ``reader``."""

    def __init__(self, reader: str = "S") -> None:
        self.epoch, self.reader, self.data = 0, reader, [None, None]

    async def __call__(self, _dest: str, body: Body) -> Body:
        self.epoch += 1
        state = "M" if body["mode"] == "write" else self.reader
        return {"state": state, "epoch": self.epoch, "data": list(self.data)}


def cache_of(home: Any, *, bug: str | None = None, disk: Disk | None = None) -> tuple[Cache, World]:
    world: Any = World(home, disk)
    return Cache(world, world, world.kept, LAYOUT, Bugs.named(bug)), world


def test_what_is_held_is_read_without_asking_and_what_is_owned_is_written() -> None:
    async def story() -> None:
        cache, world = cache_of(Home())
        assert await cache.read("t", 4) is None
        assert await cache.read("t", 5) is None
        assert world.asked == [("n3", {"type": "get", "page": 2, "mode": "read"})]
        await cache.write("t", 4, 7)
        await cache.write("t", 5, 8)
        assert [body["mode"] for _, body in world.asked] == ["read", "write"]
        assert await cache.read("t", 5) == 8
        assert world.states == [(2, "S"), (2, "M")]

    asyncio.run(story())


def test_an_exclusive_page_is_written_without_asking() -> None:
    async def story() -> None:
        cache, world = cache_of(Home(reader="E"))
        await cache.read("t", 0)
        await cache.write("t", 0, 7)
        assert len(world.asked) == 1
        assert world.states == [(0, "E"), (0, "M")]
        assert await world.hear("recall", page=0, epoch=1, to="I", late=True) == {"held": False, "data": [7, None]}

    asyncio.run(story())


def test_what_was_written_is_given_back_as_often_as_it_is_asked_for_and_after_a_crash() -> None:
    async def story() -> None:
        cache, world = cache_of(Home())
        await cache.write("t", 1, 7)
        for _ in range(2):
            assert await world.hear("recall", page=0, epoch=1, to="S", late=True) == {"held": True, "data": [None, 7]}
        assert await world.hear("recall", page=0, epoch=1, to="I", late=True) == {"held": False, "data": [None, 7]}
        assert await world.hear("recall", page=0, epoch=1, to="S", late=True) == {
            "held": False,
            "data": [None, 7],
        }  # a late copy
        again, world = cache_of(Home(), disk=world.disk)
        assert await world.hear("recall", page=0, epoch=1, to="S", late=True) == {"held": False, "data": [None, 7]}
        del again

    asyncio.run(story())


@pytest.mark.parametrize(("bug", "stale"), [(None, False), ("late-grant-taken", True)])
@pytest.mark.parametrize("what", ["recall", "invalidate"])
def test_a_grant_that_was_overtaken_counts_no_more(what: str, bug: str | None, stale: bool) -> None:
    async def story() -> None:
        home, overtaken = Home(), asyncio.Event()

        async def slow(dest: str, body: Body) -> Body:
            grant = await home(dest, body)
            if not overtaken.is_set():
                overtaken.set()
                await world.hear(
                    what, page=0, epoch=grant["epoch"], to="I", late=True
                )  # nobody comes in its time of grace
            return grant

        cache, world = cache_of(slow, bug=bug)
        await cache.read("t", 0)
        assert len(world.asked) == (1 if stale else 2)

    asyncio.run(story())


def test_what_was_said_of_an_earlier_grant_does_not_count_for_a_later_one() -> None:
    async def story() -> None:
        cache, world = cache_of(Home())
        await cache.read("t", 0)
        await cache.write("t", 0, 7)  # under epoch 2
        assert await world.hear("recall", page=0, epoch=1, to="I", late=True) is None
        await world.hear("invalidate", page=0, epoch=1)
        assert await cache.read("t", 0) == 7
        assert len(world.asked) == 2

    asyncio.run(story())


def test_a_page_that_never_arrived_is_not_held() -> None:
    async def story() -> None:
        _, world = cache_of(Home())
        assert await world.hear("recall", page=0, epoch=9, to="S", late=True) == {"held": False}

    asyncio.run(story())


def test_a_recall_that_has_overtaken_its_grant_waits_until_that_was_used() -> None:
    async def story() -> None:
        home, recalled = Home(), []

        async def overtaken(dest: str, body: Body) -> Body:
            grant = await home(dest, body)
            recalled.append(
                asyncio.ensure_future(world.hear("recall", page=0, epoch=grant["epoch"], to="I", late=True))
            )
            await asyncio.sleep(0)
            return grant

        cache, world = cache_of(overtaken)
        await cache.write("t", 0, 7)
        assert await recalled[0] == {"held": False, "data": [7, None]}
        assert len(world.asked) == 1

    asyncio.run(story())
