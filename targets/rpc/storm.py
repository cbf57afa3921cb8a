"""The node program of the retry storm: the first node serves, the others call it, and repeat what was not answered in time.

The server works on one request after the other, ``capacity`` per second, and does not know that a caller has given up on one: what waits
for longer than ``timeout_s`` is done for nobody, which can keep a server busy for ever after a storm (Bronson and others 2021, Metastable
failures in distributed systems). More than ``queue_max`` requests do not wait, they are refused.

Each caller has ``rate`` new calls per second, and repeats each until it is answered, after the pauses of ``retry`` (see ``backoff``).
``tally`` (for the harness) tells what a node has seen so far, by its monotonic clock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from targets.node import codes
from targets.node.env import Body, Env, Message, Refusal
from targets.rpc.backoff import JITTER, PAUSES


class Storm:
    """One node, server or caller."""

    def __init__(self, env: Env) -> None:
        options = env.options
        self._env = env
        self._server = env.node_ids[0]
        self._pause_s = PAUSES[options.get("retry", JITTER)]
        self._rate, self._timeout_s = float(options.get("rate", 10.0)), float(options.get("timeout_s", 0.5))
        self._service_s, self._queue_max = 1 / float(options.get("capacity", 200)), int(options.get("queue_max", 1000))
        self._queue: deque[Message] = deque()
        self._working = False
        self._arrivals: list[float] = []  # when requests came, also those that were refused
        self._answered: list[tuple[float, float]] = []  # when each call began and when it was answered
        self._open: dict[int, float] = {}  # calls without an answer so far, and when each began
        self._calls = 0
        env.on("work", self._on_work)
        env.on("tally", self._on_tally)

    def start(self) -> None:
        """``init`` has been answered: callers begin."""
        if self._env.node_id != self._server:
            self._env.spawn(self._live())

    # The server

    def _on_work(self, message: Message) -> None:
        self._arrivals.append(self._env.monotonic())
        if len(self._queue) >= self._queue_max:
            raise Refusal(codes.UNAVAILABLE, "too many are waiting")
        self._queue.append(message)
        if not self._working:
            self._working = True
            self._env.call_later(self._service_s, self._done)

    def _done(self) -> None:
        self._env.reply(self._queue.popleft(), {"type": "work_ok"})
        self._working = bool(self._queue)
        if self._working:
            self._env.call_later(self._service_s, self._done)

    # Callers

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(self._env.random.expovariate(self._rate))
            self._calls += 1
            self._open[self._calls] = self._env.monotonic()
            self._env.spawn(self._call(self._calls))

    async def _call(self, number: int) -> None:
        attempt = 0
        while True:
            attempt += 1
            try:
                await self._env.rpc(self._server, {"type": "work"}, self._timeout_s)
            except (TimeoutError, Refusal):
                await asyncio.sleep(self._pause_s(attempt, self._env.random))
            else:
                self._answered.append((self._open.pop(number), self._env.monotonic()))
                return

    def _on_tally(self, _message: Message) -> Body:
        return {
            "type": "tally_ok",
            "arrivals": list(self._arrivals),
            "answered": [list(times) for times in self._answered],
            "open": list(self._open.values()),
        }

    def status(self) -> dict[str, Any]:
        """What the report shows."""
        return {"waiting": len(self._queue), "open": len(self._open)}
