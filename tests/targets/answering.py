"""A client's channel to nodes that all answer the same, and a seat on it."""

from __future__ import annotations

import random
from typing import Any

from harness.protocols import Body, ClientSeat


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
