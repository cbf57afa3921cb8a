"""Messages between the parts of the file system, wherever they are: on this node they need no network (and find none)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from targets.node.env import Body, Env, Handler, Refusal


class Peers:
    """The way from this node to all nodes, itself included."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._handlers: dict[str, Handler] = {}

    def on(self, type_: str, handler: Handler) -> None:
        """As ``Env.on``, for messages of other nodes and of this one."""
        self._handlers[type_] = handler
        self._env.on(type_, handler)

    def tell(self, node: str, body: Body) -> None:
        """Send and forget. To this node: the handler, if there is one, must be a plain function."""
        if node == self._env.node_id:
            handler = self._handlers.get(body["type"])
            if handler is not None:
                handler(self._message(body))
        else:
            self._env.send(node, body)

    async def rpc(self, node: str, body: Body, patience_s: float) -> Body:
        """As ``Env.rpc``. Raises TimeoutError or Refusal."""
        if node != self._env.node_id:
            return await self._env.rpc(node, body, patience_s)
        answer: Any = self._handlers[body["type"]](self._message(body))
        if asyncio.iscoroutine(answer):
            async with asyncio.timeout(patience_s):
                answer = await answer
        found: Body = answer
        return found

    async def ask(self, node: str, body: Body, patience_s: float) -> Body | None:
        """The answer of ``node``; None if it gave none, or refused."""
        try:
            return await self.rpc(node, body, patience_s)
        except (TimeoutError, Refusal):
            return None

    async def ask_all(self, nodes: Iterable[str], body: Body, patience_s: float) -> dict[str, Body | None]:
        """The same question to all of ``nodes``: node → its answer, or None."""
        async with asyncio.TaskGroup() as tasks:  # none of them raises
            asked = {node: tasks.create_task(self.ask(node, body, patience_s)) for node in nodes}
        return {node: task.result() for node, task in asked.items()}

    def _message(self, body: Body) -> dict[str, Any]:
        return {"src": self._env.node_id, "dest": self._env.node_id, "body": body}
