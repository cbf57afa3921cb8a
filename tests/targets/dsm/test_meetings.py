"""Locks and barriers, rule by rule: one holder, tickets that are used no more, arrivals that come twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from targets.dsm.memory.bugs import Bugs
from targets.dsm.memory.meetings import Meetings
from targets.node.env import Body
from tests.targets.dsm.world import Disk, World

HASTE_S = 0.001


class Holders:
    """The nodes of those who hold locks: whether they still use their tickets."""

    def __init__(self, *, uses: bool) -> None:
        self.uses = uses

    async def __call__(self, _dest: str, _body: Body) -> Body:
        return {"uses": self.uses}


def meetings(holders: Any = None, *, bug: str | None = None, disk: Disk | None = None) -> World:
    world: Any = World(holders, disk)
    Meetings(world, world, world.kept, attempt_s=HASTE_S, bugs=Bugs.named(bug))
    found: World = world
    return found


async def is_granted(world: World, ticket: list[Any]) -> bool:
    """Whether the lock is granted now, or waits however often its holder is asked."""
    try:
        async with asyncio.timeout(20 * HASTE_S):
            await world.hear("lock", lock=0, ticket=ticket)
    except TimeoutError:
        return False
    return True


def test_a_lock_has_one_holder_who_may_ask_again_until_it_is_given_back() -> None:
    async def story() -> None:
        world = meetings(Holders(uses=True))
        assert await is_granted(world, ["n2", 1])
        assert await is_granted(world, ["n2", 1])
        assert not await is_granted(world, ["n3", 1])
        await world.hear("unlock", lock=0, ticket=["n3", 1])  # of somebody who does not hold it
        assert not await is_granted(world, ["n3", 1])
        await world.hear("unlock", lock=0, ticket=["n2", 1])
        assert await is_granted(world, ["n3", 1])

    asyncio.run(story())


def test_what_its_node_has_forgotten_is_free() -> None:
    async def story() -> None:
        world = meetings(Holders(uses=False))
        assert await is_granted(world, ["n2", 1])
        assert await is_granted(world, ["n3", 1])

    asyncio.run(story())


def test_a_restart_forgets_no_holder() -> None:
    async def story() -> None:
        world = meetings(Holders(uses=True))
        assert await is_granted(world, ["n2", 1])
        assert not await is_granted(meetings(Holders(uses=True), disk=world.disk), ["n3", 1])

    asyncio.run(story())


def test_a_node_says_which_tickets_its_threads_use() -> None:
    async def story() -> None:
        async def granted(_dest: str, _body: Body) -> Body:
            return {}

        world: Any = World(granted)
        mine = Meetings(world, world, world.kept, attempt_s=HASTE_S, bugs=Bugs())
        await mine.lock(7, 0)
        assert await world.hear("uses", ticket=["n1", 1]) == {"uses": True}
        assert await world.hear("uses", ticket=["n1", 2]) == {"uses": False}
        mine.leave(7)
        assert await world.hear("uses", ticket=["n1", 1]) == {"uses": False}
        for task in world.tasks:
            await task
        assert [body["type"] for _, body in world.asked] == ["lock", "unlock"]
        again: Any = World(granted, world.disk)
        await Meetings(again, again, again.kept, attempt_s=HASTE_S, bugs=Bugs()).lock(7, 0)
        assert again.asked[0][1]["ticket"] == ["n1", 2]

    asyncio.run(story())


@pytest.mark.parametrize(("bug", "opens"), [(None, False), ("barrier-by-count", True)])
def test_a_barrier_opens_for_as_many_threads_as_it_waits_for(bug: str | None, opens: bool) -> None:
    async def story() -> None:
        world = meetings(bug=bug)
        body = {"barrier": 0, "parties": 2}
        first = asyncio.ensure_future(world.hear("arrive", **body, ticket=["n2", 1]))
        copy = asyncio.ensure_future(world.hear("arrive", **body, ticket=["n2", 1]))
        done, _ = await asyncio.wait([first, copy], timeout=20 * HASTE_S)
        assert bool(done) is opens
        assert await world.hear("arrive", **body, ticket=["n3", 1]) == {}
        assert await first == {}
        assert await copy == {}

    asyncio.run(story())
