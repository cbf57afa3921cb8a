"""Store buffers (total store order): a thread's writes wait in a queue of its own, and reach the memory in order while it goes on.

It reads its own writes in its buffer, and others only in the memory: so two threads may each miss what the other has written, and nothing
else is unlike sequential consistency. Source: Owens, Sarkar, Sewell, A better x86 memory model: x86-TSO (2009).

What waits is durable when the write is told of. That a write has left its buffer is kept together with the write itself: it reaches the
memory once, whatever crashes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from targets.dsm.memory.bugs import Bugs
from targets.dsm.memory.cache import Cache
from targets.dsm.memory.kept import Kept
from targets.node.env import Env

PREFIX = "buffer/"


@dataclass(slots=True)
class Buffer:
    """The writes of one thread that have not reached the memory: [address, value], the oldest first."""

    writes: deque[list[Any]] = field(default_factory=deque)
    empty: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)  # somebody waits for that


class Buffers:
    """The store buffers of one node, before its caches. Satisfies ``memory.Memory``."""

    def __init__(self, env: Env, cache: Cache, kept: Kept, *, drain_s: float, bugs: Bugs) -> None:
        self._env, self._cache, self._kept, self._bugs = env, cache, kept, bugs
        self._drain_s = drain_s
        self._buffers: dict[str, Buffer] = {}
        for thread, writes in kept.under(PREFIX):
            if writes:
                self._buffers[thread] = Buffer(deque(writes))

    def start(self) -> None:
        """What an earlier life has left goes on to the memory."""
        for thread, buffer in self._buffers.items():
            self._env.spawn(self._drain(thread, buffer))

    async def read(self, thread: str, address: int) -> Any:
        for written, value in reversed(self._buffer(thread).writes) if not self._bugs.own_writes_unread else ():
            if written == address:
                return value
        return await self._cache.read(thread, address)

    async def write(self, thread: str, address: int, value: Any) -> None:
        buffer, thread = self._buffer(thread), self._name(thread)
        idle = not buffer.writes
        buffer.writes.append([address, value])
        buffer.empty.clear()
        if not self._bugs.buffer_not_durable:
            self._kept.put(self._waiting(thread, buffer))
        if idle:
            self._env.spawn(self._drain(thread, buffer))

    async def release(self, thread: str) -> None:
        buffer = self._buffer(thread)
        if buffer.writes and not self._bugs.fence_without_drain:
            buffer.hurry.set()
            await buffer.empty.wait()

    async def acquire(self, _thread: str) -> None:
        """There is nothing to forget: what is not in a buffer is read in the memory."""

    def _name(self, thread: str) -> str:
        return "all" if self._bugs.buffer_shared else thread

    def _buffer(self, thread: str) -> Buffer:
        return self._buffers.setdefault(self._name(thread), Buffer())

    def _waiting(self, thread: str, buffer: Buffer) -> Mapping[str, Any]:
        return {f"{PREFIX}{thread}": list(buffer.writes)}

    async def _drain(self, thread: str, buffer: Buffer) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._drain_s):
                await buffer.hurry.wait()
        while buffer.writes:
            at = -1 if self._bugs.buffer_not_fifo else 0
            write = buffer.writes[at]

            def gone(write: list[Any] = write) -> Mapping[str, Any]:
                buffer.writes.remove(write)
                return self._waiting(thread, buffer)

            await self._cache.write(thread, *write, together=gone)
        buffer.hurry.clear()
        buffer.empty.set()
