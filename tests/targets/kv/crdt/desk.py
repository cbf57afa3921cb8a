"""One node on a desk: its program, what it sends, and a disk that can crash. Time stands still but when a test moves it."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from typing import Any

from harness.clusters.sim_disk import Disk
from targets.node.env import Body, Message, Refusal

NODES = ("n1", "n2", "n3")


class DeskTimer:
    """Satisfies ``targets.node.env.Timer``."""

    def cancel(self) -> None:
        raise AssertionError("these programs cancel no timers")


class Desk:
    """Satisfies ``targets.node.env.Env`` as far as these programs use it."""

    def __init__(
        self, node: str = "n1", nodes: tuple[str, ...] = NODES, disk: Disk | None = None, **options: Any
    ) -> None:
        self.node_id, self.node_ids, self.options = node, nodes, options
        self.storage = self.disk = disk or Disk()
        self.random = random.Random(node)
        self.handlers: dict[str, Callable[[Message], Body | None]] = {}
        self.sent: list[tuple[str, Body]] = []
        self.now_s, self.wall_s, self.serial = 0.0, 1000.0, 0
        self.timers: list[tuple[float, int, Callable[[], None]]] = []

    def on(self, type_: str, handler: Any) -> None:
        self.handlers[type_] = handler

    def send(self, dest: str, body: Body) -> None:
        self.sent.append((dest, body))

    def call_later(self, delay_s: float, callback: Callable[..., None], *args: Any) -> DeskTimer:
        self.serial += 1
        heapq.heappush(self.timers, (self.now_s + delay_s, self.serial, lambda: callback(*args)))
        return DeskTimer()

    def wall_time(self) -> float:
        return self.wall_s

    def monotonic(self) -> float:
        return self.now_s

    def log(self, event: str, **fields: Any) -> None:
        pass

    # For tests

    def ask(self, type_: str, src: str = "c1", **fields: Any) -> Any:
        """The reply's body, or the code of a refusal."""
        try:
            return self.handlers[type_]({"src": src, "dest": self.node_id, "body": {"type": type_, **fields}})
        except Refusal as refusal:
            return refusal.code

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        end_s = self.now_s + seconds
        while self.timers and self.timers[0][0] <= end_s:
            self.now_s, _, callback = heapq.heappop(self.timers)
            callback()
        self.now_s = end_s

    def taken(self) -> list[tuple[str, Body]]:
        """What was sent since this was asked last."""
        sent, self.sent = self.sent, []
        return sent


def carry(desks: dict[str, Desk], *, lose: Callable[[], bool] = lambda: False) -> int:
    """Deliver what the nodes have sent, and what they answer, until nothing is under way; how many messages that were."""
    carried = 0
    while True:
        mail = [(name, dest, body) for name, desk in desks.items() for dest, body in desk.taken()]
        if not mail:
            return carried
        for src, dest, body in mail:
            if not lose():
                carried += 1
                desks[dest].ask(
                    body["type"], src=src, **{name: value for name, value in body.items() if name != "type"}
                )
