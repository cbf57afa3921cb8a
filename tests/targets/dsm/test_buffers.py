"""Store buffers, rule by rule: order, own writes, what a fence waits for, and that a write reaches the memory once whatever crashes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from targets.dsm.memory.buffers import Buffers
from targets.dsm.memory.bugs import Bugs
from tests.targets.dsm.world import Disk, World


class Memory:
    """A memory whose writes take effect when the test says so."""

    def __init__(self, world: World) -> None:
        self._kept = world.kept
        self.gate = asyncio.Event()
        self.written: list[tuple[str, int, Any]] = []

    async def read(self, _thread: str, address: int) -> Any:
        return next((value for _, written, value in reversed(self.written) if written == address), None)

    async def write(
        self, thread: str, address: int, value: Any, *, together: Callable[[], Mapping[str, Any]] = dict
    ) -> None:
        await self.gate.wait()
        self.written.append((thread, address, value))
        self._kept.put(together())


def buffers(bug: str | None = None, disk: Disk | None = None) -> tuple[Buffers, Memory, World]:
    world: Any = World(disk=disk)
    memory: Any = Memory(world)
    return Buffers(world, memory, memory._kept, drain_s=0.0, bugs=Bugs.named(bug)), memory, world


async def drained(world: World) -> None:
    for task in world.tasks:
        await task


@pytest.mark.parametrize(
    ("bug", "own", "order"),
    [(None, 2, [1, 2, 3]), ("own-writes-unread", None, [1, 2, 3]), ("buffer-not-fifo", 2, [3, 2, 1])],
)
def test_a_thread_reads_its_own_writes_which_reach_the_memory_in_order(
    bug: str | None, own: Any, order: list[int]
) -> None:
    async def story() -> None:
        buffer, memory, world = buffers(bug)
        for address, value in ((0, 1), (0, 2), (1, 3)):
            await buffer.write("t", address, value)
        assert await buffer.read("t", 0) == own
        assert await buffer.read("u", 0) is None
        memory.gate.set()
        await drained(world)
        assert [value for _, _, value in memory.written] == order

    asyncio.run(story())


@pytest.mark.parametrize(("bug", "waits"), [(None, True), ("fence-without-drain", False)])
def test_a_release_waits_until_the_buffer_is_empty(bug: str | None, waits: bool) -> None:
    async def story() -> None:
        buffer, memory, _ = buffers(bug)
        await buffer.write("t", 0, 1)
        await buffer.release("u")  # another thread's
        fence = asyncio.ensure_future(buffer.release("t"))
        await asyncio.sleep(0)
        assert fence.done() is not waits
        memory.gate.set()
        await fence

    asyncio.run(story())


@pytest.mark.parametrize(("bug", "left"), [(None, [2, 3]), ("buffer-not-durable", [])])
def test_what_waited_at_a_crash_reaches_the_memory_after_it_and_what_had_reached_it_does_not(
    bug: str | None, left: list[int]
) -> None:
    async def story() -> None:
        buffer, memory, world = buffers(bug)
        memory.gate.set()
        await buffer.write("t", 0, 1)
        await drained(world)
        memory.gate.clear()
        await buffer.write("t", 0, 2)
        await buffer.write("t", 0, 3)
        again, after, later = buffers(bug, world.disk)
        assert await again.read("t", 0) == (left[-1] if left else None)
        after.gate.set()
        again.start()
        await drained(later)
        assert [value for _, _, value in after.written] == left
        for task in world.tasks:
            task.cancel()

    asyncio.run(story())
