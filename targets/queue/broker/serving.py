"""Publishers and consumers: their requests become commands to the queues, however these are replicated.

A message that was delivered and not acknowledged in time is delivered again. Whoever orders the commands watches that, by its own clock
that never jumps; a new one begins to count anew.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Protocol

from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal
from targets.queue.broker.bugs import Bugs
from targets.queue.broker.config import EARLY, Config
from targets.queue.broker.machine import Queues

SUBMIT_S = 2.0  # patience for a command
CHECKS = 4  # so often in the time of visibility deliveries are looked at


class Replicated(Protocol):
    """How commands reach the queues of all nodes."""

    @property
    def leads(self) -> bool:
        """Whether this node decides which command comes next."""
        ...

    async def submit(self, command: list[Any], timeout_s: float) -> Body:
        """Have ``command`` carried out, and return its result. Raises Refusal or TimeoutError."""
        ...


class Serving:
    """What this node answers to clients."""

    def __init__(self, env: Env, config: Config, bugs: Bugs, queues: Queues, replicated: Replicated) -> None:
        self._env, self._config, self._bugs = env, config, bugs
        self._queues, self._replicated = queues, replicated
        self._delivered_s: dict[tuple[str, int, str], float] = {}  # delivery → when this node first saw it
        env.on("settings", self._on_settings)
        env.on("publish", self._on_publish)
        env.on("get", self._on_get)
        env.on("ack", self._on_ack)
        env.on("nack", self._on_nack)

    def _on_settings(self, _message: Message) -> Body:
        """How clients of this cluster behave."""
        config = self._config
        names = ("confirms", "numbered", "consume", "priorities", "reject")
        return {"type": "settings_ok", "settings": {name: getattr(config, name) for name in names}}

    async def _on_publish(self, message: Message) -> Body:
        body = message["body"]
        command = ["publish", body["queue"], body["value"], body.get("priority", 0)]
        command += [body.get("publisher"), body.get("sequence")]
        if self._config.confirms:
            await self._submit(command)
        else:
            self._env.spawn(self._try(command))
        return {"type": "publish_ok"}

    async def _on_get(self, message: Message) -> Body:
        body = message["body"]
        result = await self._submit(["get", body["queue"], body["token"], self._config.consume == EARLY])
        return {"type": "get_ok", **result}

    async def _on_ack(self, message: Message) -> Body:
        body = message["body"]
        result = await self._submit(["ack", body["queue"], body["number"], body["token"]])
        return {"type": "ack_ok", "ok": result["ok"]}

    async def _on_nack(self, message: Message) -> Body:
        body = message["body"]
        result = await self._submit(["nack", body["queue"], body["number"], body["token"], body["dead"]])
        return {"type": "nack_ok", "ok": result["ok"]}

    async def _submit(self, command: list[Any]) -> Body:
        try:
            return await self._replicated.submit(command, SUBMIT_S)
        except TimeoutError as error:
            raise Refusal(codes.TIMEOUT, "the leader did not answer") from error

    async def _try(self, command: list[Any]) -> None:
        with suppress(Refusal, TimeoutError):
            await self._replicated.submit(command, SUBMIT_S)

    async def redeliver(self) -> None:
        """For ever: what was delivered and not acknowledged in time goes back to its place."""
        visible_s = self._config.visibility_s
        while True:
            await asyncio.sleep(visible_s / CHECKS)
            now_s = self._env.monotonic()
            present = self._queues.deliveries() if self._replicated.leads else ()
            self._delivered_s = {delivery: self._delivered_s.get(delivery, now_s) for delivery in present}
            for delivery, since_s in self._delivered_s.items():
                if now_s - since_s >= visible_s:
                    self._env.spawn(self._try(["expire", *delivery]))
