"""A client's channel to nodes that answer by a script."""

from __future__ import annotations

import asyncio
from typing import Any

from harness.protocols import Body, NoAnswer, NotSent, RpcError

SILENCE, UNSENT = "silence", "unsent"


class Scripted:
    """Per type of request what is answered, one line after the other; the last one is repeated. A number is an error of that code."""

    def __init__(self, script: dict[str, list[Any]]) -> None:
        self.script = script
        self.asked: list[tuple[str, Body]] = []

    async def rpc(self, node: str, body: Body, timeout_s: float) -> Body:
        self.asked.append((node, body))
        lines = self.script[body["type"]]
        line = lines.pop(0) if len(lines) > 1 else lines[0]
        if line == SILENCE:
            await asyncio.sleep(timeout_s)
            raise NoAnswer(node)
        await asyncio.sleep(0.001)
        if line == UNSENT:
            raise NotSent(node)
        if isinstance(line, int):
            raise RpcError(line, "no")
        return {"type": f"{body['type']}_ok", **line}

    def bodies(self, type_: str) -> list[Body]:
        return [body for _, body in self.asked if body["type"] == type_]
