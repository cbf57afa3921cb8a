"""A client's channel to nodes that all answer the same, and a seat on it; what becomes of attempts by a script."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError

SILENCE, UNSENT = "silence", "unsent"


async def attempt(line: Any, node: str, timeout_s: float) -> Any:
    """What becomes of a request by this line of a script: SILENCE, UNSENT, the code of an error, or else what is answered."""
    if line == SILENCE:
        await asyncio.sleep(timeout_s)
        raise NoAnswer(node)
    await asyncio.sleep(0.001)
    if line == UNSENT:
        raise NotSent(node)
    if isinstance(line, int):
        raise RpcError(line, "no")
    return line


class Answering:
    """Answers everything with ``answer``, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Body]] = []

    async def rpc(self, node: str, body: Body, _timeout_s: float) -> Body:
        self.asked.append((node, body))
        if isinstance(self.answer, Exception):
            raise self.answer
        found: Body = self.answer
        return found


def seat_on(channel: Answering) -> ClientSeat:
    """Of the first client, at n2."""
    return ClientSeat(channel=channel, node="n2", nodes=("n1", "n2"), name="c1", rng=random.Random(1), timeout_s=1.0)
