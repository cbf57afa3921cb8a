"""The node program of the messaging benchmark: one node asks another one ``many`` times, in one of three ways.

* ``synchronous``: it waits for each answer before it asks again;
* ``asynchronous``: up to ``window`` questions are under way at once;
* ``one-way``: messages without answers, and one question at the end, whose answer says how many of them came. Nothing else tells that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from targets.node.env import Body, Env, Message

PATIENCE_S = 30.0


class Messenger:
    """One node, asking or answering."""

    def __init__(self, env: Env) -> None:
        self._env, self._heard = env, 0
        env.on("go", self._on_go)
        env.on("question", lambda _message: {"type": "question_ok"})
        env.on("word", self._on_word)
        env.on("count", lambda _message: {"type": "count_ok", "heard": self._heard})

    def _on_word(self, _message: Message) -> None:
        self._heard += 1

    def _on_go(self, message: Message) -> Coroutine[Any, Any, Body]:
        """Answered when all is over: how long that took, and how many arrived for certain."""
        return self._go(message["body"])

    async def _go(self, body: Body) -> Body:
        dest, many, began_s = body["to"], body["many"], self._env.monotonic()
        if body["way"] == "one-way":
            for _ in range(many):
                self._env.send(dest, {"type": "word"})
            arrived = (await self._env.rpc(dest, {"type": "count"}, PATIENCE_S))["heard"]
        else:
            window = 1 if body["way"] == "synchronous" else body["window"]
            left = iter(range(many))

            async def ask() -> int:
                answered = 0
                for _ in left:  # shared: whoever is free takes the next one
                    await self._env.rpc(dest, {"type": "question"}, PATIENCE_S)
                    answered += 1
                return answered

            async with asyncio.TaskGroup() as group:
                askers = [group.create_task(ask()) for _ in range(window)]
            arrived = sum(asker.result() for asker in askers)
        return {"type": "go_ok", "took_s": self._env.monotonic() - began_s, "arrived": arrived}
