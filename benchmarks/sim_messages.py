"""How many node-to-node messages the simulator carries per second of one core.

    python benchmarks/sim_messages.py [MESSAGES]

Every message is encoded, given a latency, scheduled, delivered, decoded and dispatched to a handler. Three programs: ``pass`` (a plain
handler sends on), ``append`` (a leader sends a body of a consensus algorithm's size, followers answer), ``rpc`` (a task awaits each
answer). Figures are of process time, so that a busy machine disturbs them less.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from harness.clusters.sim import SimCluster
from harness.protocols import ClusterSpec
from targets.node.env import Body, Env, Message

NODES = ("n1", "n2", "n3", "n4", "n5")
ALL_UP_S = 0.1  # what is sent to a node that has not booted yet is lost
ENTRIES = [[3, "write", 5, "c1", 7]]


class Pass:
    """Every node has 10 balls in the air and passes each one on to its successor."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self._handled = 0
        self._next = env.node_ids[(env.node_ids.index(env.node_id) + 1) % len(env.node_ids)]
        env.on("ball", self._on_ball)

    def start(self) -> None:
        self._env.call_later(ALL_UP_S, self._begin)

    def _begin(self) -> None:
        for ball in range(10):
            self._env.send(self._next, {"type": "ball", "ball": ball})

    def status(self) -> dict[str, Any]:
        return {"handled": self._handled}

    def _on_ball(self, message: Message) -> None:
        self._handled += 1
        self._env.send(self._next, message["body"])


class Append(Pass):
    """The first node sends appends to all others; each answer brings the next one."""

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        env.on("append", self._on_append)
        env.on("appended", self._on_appended)

    def _begin(self) -> None:
        if self._env.node_id == self._env.node_ids[0]:
            for peer in self._env.node_ids[1:]:
                for _ in range(10):
                    self._append(peer)

    def _append(self, peer: str) -> None:
        body = {
            "type": "append",
            "term": 3,
            "leader": "n1",
            "prev": 12,
            "prev_term": 3,
            "commit": 11,
            "entries": ENTRIES,
        }
        self._env.send(peer, body)

    def _on_append(self, message: Message) -> None:
        self._handled += 1
        self._env.send(
            message["src"], {"type": "appended", "term": message["body"]["term"], "match": 13, "success": True}
        )

    def _on_appended(self, message: Message) -> None:
        self._handled += 1
        self._append(message["src"])


class Rpc(Append):
    """The same with ``env.rpc``: 10 tasks per peer."""

    def _begin(self) -> None:
        if self._env.node_id == self._env.node_ids[0]:
            for peer in self._env.node_ids[1:]:
                for _ in range(10):
                    self._env.spawn(self._ask_for_ever(peer))

    def _on_append(self, message: Message) -> Body:  # type: ignore[override]  # answers instead of sending
        self._handled += 1
        return {"type": "appended", "term": message["body"]["term"], "match": 13, "success": True}

    async def _ask_for_ever(self, peer: str) -> None:
        body = {
            "type": "append",
            "term": 3,
            "leader": "n1",
            "prev": 12,
            "prev_term": 3,
            "commit": 11,
            "entries": ENTRIES,
        }
        while True:
            await self._env.rpc(peer, body, timeout_s=1.0)
            self._handled += 1


async def _run(program: str, messages: int) -> tuple[int, float, float]:
    with tempfile.TemporaryDirectory() as directory:
        spec = ClusterSpec(
            target=program, program=f"{__name__}:{program}", nodes=NODES, options={}, seed=1, directory=Path(directory)
        )
        cluster = SimCluster(spec)
        began = time.process_time()
        await cluster.start()
        handled, before = 0, -1  # after the first pause all nodes are at work
        while handled < messages:
            await asyncio.sleep(0.25)
            if handled == before:
                raise RuntimeError(f"{program} stands still after {handled} messages: {cluster.crashes()}")
            before = handled
            statuses = [await cluster.ask(node, {"type": "sb_status"}, 1.0) for node in NODES]
            handled = sum(status["status"]["handled"] for status in statuses if status)
        await cluster.stop()
        return handled, time.process_time() - began, asyncio.get_running_loop().time()


def main() -> None:
    """Print one line per program."""
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    for program in ("Pass", "Append", "Rpc"):
        with asyncio.Runner(loop_factory=SimCluster.loop_factory) as runner:
            handled, cpu_s, virtual_s = runner.run(_run(program, messages))
        print(
            f"{program.lower():8} {handled / cpu_s:10,.0f} messages/s   {cpu_s / handled * 1e6:5.2f} µs each   "
            f"{virtual_s / cpu_s:5.2f} virtual s/s"
        )


if __name__ == "__main__":
    main()
