"""A client's channel to nodes that answer by a script."""

from __future__ import annotations

from typing import Any

from harness.protocols import Body
from tests.targets.answering import attempt


class Scripted:
    """Per type of request what is answered, one line after the other; the last one is repeated. A number is an error of that code."""

    def __init__(self, script: dict[str, list[Any]]) -> None:
        self.script = script
        self.asked: list[tuple[str, Body]] = []

    async def rpc(self, node: str, body: Body, timeout_s: float) -> Body:
        self.asked.append((node, body))
        lines = self.script[body["type"]]
        line = lines.pop(0) if len(lines) > 1 else lines[0]
        return {"type": f"{body['type']}_ok", **await attempt(line, node, timeout_s)}

    def bodies(self, type_: str) -> list[Body]:
        return [body for _, body in self.asked if body["type"] == type_]
