"""What the parts of a memory need of a node, with everything in the hand of the test: messages, disk, log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from targets.dsm.memory.calls import Handler
from targets.dsm.memory.kept import Kept
from targets.node.env import Body

Answer = Callable[[str, Body], Awaitable[Body]]


class Disk:
    """A disk on which everything is durable."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def read(self, name: str) -> bytes:
        return self.files.get(name, b"")

    def replace(self, name: str, data: bytes) -> None:
        self.files[name] = data

    def append(self, name: str, data: bytes) -> None:
        self.files[name] = self.read(name) + data

    def sync(self, name: str) -> None:
        pass


class World:
    """Env and Calls of one node: what others ask it is called by the test, what it asks others is answered by ``answer``."""

    def __init__(self, answer: Answer | None = None, disk: Disk | None = None) -> None:
        self.answer, self.disk = answer, disk or Disk()
        self.node_id, self.node_ids = "n1", ("n1", "n2", "n3")
        self.handlers: dict[str, Handler] = {}
        self.asked: list[tuple[str, Body]] = []
        self.states: list[tuple[int, str]] = []
        self.tasks: list[asyncio.Task[None]] = []

    @property
    def kept(self) -> Kept:
        """What the disk holds, read anew: as after a restart."""
        return Kept(self.disk)

    # Env

    def spawn(self, coro: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(coro))

    def log(self, _event: str, **fields: Any) -> None:
        self.states.append((fields["location"], fields["state"]))

    def monotonic(self) -> float:
        return 0.0

    def call_later(self, _delay_s: float, _callback: Callable[..., None], *_args: Any) -> None:
        """Nothing is sent home by itself: tests release."""

    # Calls

    def on(self, type_: str, handler: Handler) -> None:
        self.handlers[type_] = handler

    async def ask(self, dest: str, body: Body) -> Body:
        self.asked.append((dest, body))
        assert self.answer is not None
        return await self.answer(dest, body)

    async def insist(self, dest: str, body: Body) -> Body:
        while True:
            try:
                return await self.ask(dest, body)
            except TimeoutError:
                await asyncio.sleep(0)

    async def hear(self, type_: str, src: str = "n2", **fields: Any) -> Body | None:
        """What the node answers to ``src``."""
        return await self.handlers[type_](src, {"type": type_, **fields})
