"""A whole Raft cluster in the simulator, for tests that read as a story: cut, ask, wait for a condition."""

from __future__ import annotations

import asyncio
import itertools
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from harness.clusters.sim import SimCluster
from harness.protocols import ClusterSpec, NoAnswer, RpcError

PATIENCE_S = 10.0
LOOK_S = 0.01


class RaftCluster:
    """``say`` speaks to a node as a client of its own; ``sim`` has all the powers."""

    def __init__(self, sim: SimCluster, directory: Path) -> None:
        self.sim, self.nodes, self._directory = sim, sim.nodes, directory
        self._clients = itertools.count(1)

    async def say(self, node: str, type_: str, /, *, patience_s: float = 2.0, **fields: Any) -> Any:
        """The reply's body, the code of an error, or None if no answer came."""
        channel = self.sim.channel(f"c{next(self._clients)}")
        try:
            return await channel.rpc(node, {"type": type_, **fields}, patience_s)
        except RpcError as error:
            return error.code
        except NoAnswer:
            return None

    async def read(self, node: str, key: str = "x") -> Any:
        reply = await self.say(node, "read", key=key)
        return reply["value"] if isinstance(reply, dict) else reply

    async def write(self, node: str, value: Any, key: str = "x", **fields: Any) -> Any:
        return await self.say(node, "write", key=key, value=value, **fields)

    async def status(self, node: str) -> dict[str, Any]:
        """The node's status; empty while it is dead or stands still."""
        reply = await self.sim.ask(node, {"type": "sb_status"}, 0.1)
        return dict(reply["status"]) if reply else {}

    async def leader(self, among: Iterable[str] | None = None) -> str:
        """The node of ``among`` that leads in the latest term and that a majority of ``among`` follows; waits for it."""
        names = list(among or self.nodes)

        async def found() -> str | None:
            all_ = {name: await self.status(name) for name in names}
            top = max((status.get("term", 0) for status in all_.values()), default=0)
            for name, status in all_.items():
                followed = sum(other.get("leader") == name for other in all_.values())
                if status.get("role") == "leader" and status["term"] == top and 2 * followed > len(names):
                    return name
            return None

        return str(await self.until(found))

    async def agree(self) -> str:
        """The leader that all nodes follow; waits for it."""

        async def found() -> str | None:
            leaders = {(await self.status(name)).get("leader") for name in self.nodes}
            return leaders.pop() if len(leaders) == 1 else None

        return str(await self.until(found))

    async def until(self, condition: Callable[[], Awaitable[Any]], patience_s: float = PATIENCE_S) -> Any:
        """What ``condition`` returns as soon as that is true."""
        async with asyncio.timeout(patience_s):
            while not (result := await condition()):
                await asyncio.sleep(LOOK_S)
            return result

    async def isolate(self, *group: str) -> list[tuple[str, str]]:
        """Cut ``group`` off from all others; returns the links, for ``sim.mend``."""
        rest = [name for name in self.nodes if name not in group]
        links = [(one, other) for one in group for other in rest]
        links += [(other, one) for one, other in links]
        await self.sim.cut(links)
        return links

    def events(self, node: str) -> list[dict[str, Any]]:
        """The node's log; complete only after the cluster has stopped."""
        lines = (self._directory / "nodes" / node / "node.log").read_text().splitlines()
        return [json.loads(line) for line in lines]


@asynccontextmanager
async def _running(nodes: int, seed: int, options: dict[str, Any]) -> AsyncIterator[RaftCluster]:
    with tempfile.TemporaryDirectory() as scratch:
        spec = ClusterSpec(
            target="kv/raft",
            program="targets.kv.raft:Raft",
            nodes=tuple(f"n{number}" for number in range(1, nodes + 1)),
            options=options,
            seed=seed,
            directory=Path(scratch),
        )
        sim = SimCluster(spec)
        await sim.start()
        try:
            yield RaftCluster(sim, Path(scratch))
            assert sim.crashes() == {}
        finally:
            await sim.stop()


def in_cluster(
    story: Callable[[RaftCluster], Awaitable[None]], *, nodes: int = 5, seed: int = 1, **options: Any
) -> None:
    """Run ``story`` in a fresh cluster on virtual time; a node that crashes fails the test."""

    async def main() -> None:
        async with _running(nodes, seed, options) as cluster:
            await story(cluster)

    with asyncio.Runner(loop_factory=SimCluster.loop_factory) as runner:
        runner.run(main())
