"""Requests from node to node, repeated until they are answered, and what they cost. A request to the node itself needs no network.

Whoever handles a request must bear copies of it, late ones too: they are sent again while nobody answers, and networks copy.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from targets.node.env import Body, Env, Message, Refusal

# Who asks (a node), what → the answer; None: this request is not answered.
Handler = Callable[[str, Body], Awaitable[Body | None]]
TRAFFIC_S = 1.0
# After a refusal, so long until the next attempt.
REFUSED_S = 0.05


class Calls:
    """One node's way to the others. ``accesses`` is how often its memory was read or written: others count it."""

    def __init__(self, env: Env, attempt_s: float) -> None:
        self._env, self._attempt_s = env, attempt_s
        self._handlers: dict[str, Handler] = {}
        self.messages, self.bytes, self.accesses = 0, 0, 0

    def on(self, type_: str, handler: Handler) -> None:
        """Answer requests of this type."""
        self._handlers[type_] = handler

        async def answer(message: Message) -> Body | None:
            body = await handler(message["src"], message["body"])
            if body is None:
                return None
            return self._counted({"type": f"{type_}_ok", **body})

        self._env.on(type_, answer)

    async def ask(self, dest: str, body: Body) -> Body:
        """Ask once. Raises TimeoutError when there is no answer in time."""
        if dest != self._env.node_id:
            try:
                return await self._env.rpc(dest, self._counted(body), self._attempt_s)
            except Refusal as refusal:  # it has not been told yet who it is
                await asyncio.sleep(REFUSED_S)
                raise TimeoutError from refusal
        async with asyncio.timeout(self._attempt_s):
            answer = await self._handlers[body["type"]](dest, body)
        if answer is None:  # somebody has asked after us, and will be answered
            raise TimeoutError
        return answer

    async def insist(self, dest: str, body: Body) -> Body:
        """Ask until there is an answer, however long that takes."""
        while True:
            try:
                return await self.ask(dest, body)
            except TimeoutError:
                pass

    async def tell_traffic(self) -> None:
        """Write into the log what all this has cost so far, now and then: bodies of messages, in bytes of JSON."""
        told: tuple[int, ...] = ()
        while True:
            await asyncio.sleep(TRAFFIC_S)
            now = (self.messages, self.bytes, self.accesses)
            if now != told:
                told = now
                self._env.log("traffic", messages=self.messages, bytes=self.bytes, accesses=self.accesses)

    def _counted(self, body: Body) -> Body:
        self.messages += 1
        self.bytes += len(json.dumps(body, separators=(",", ":")))
        return body
