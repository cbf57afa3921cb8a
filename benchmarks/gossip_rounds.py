"""In how many rounds a value reaches every node by gossip, against the number of nodes: O(log n) (Demers and others 1987, section 1.3).

    python benchmarks/gossip_rounds.py [TRIALS]

For every number of nodes and every share of lost messages, values are broadcast one after the other at a node drawn by dice, on the
simulator, and the time until the last node has one is counted in gossip rounds. Two ways of telling: ``push``, in which a node tells
``fanout`` others in every round and never stops (a simple epidemic; Pittel 1987: log2 n + ln n + O(1) rounds for a fan-out of 1), and
``default``, rumours that cool after three rounds, with anti-entropy every ten. The curve a*log2(n) + b is fitted to the means by least
squares. Virtual time: the figures are the same on every machine.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness import rng
from harness.clusters.sim import SimCluster
from harness.effects import PacketShape
from harness.protocols import ClusterSpec

SIZES = (4, 8, 16, 32, 64)
LOSSES = (0.0, 0.1, 0.3, 0.5)
ROUND_S = 0.1
# A look at all nodes every tenth of a round: finer than what is told.
LOOK_S = ROUND_S / 10
PATIENCE_S = 60.0
WAYS: Mapping[str, Mapping[str, Any]] = {
    "push, fan-out 1": {"fanout": 1, "hot_rounds": 1_000_000, "anti_entropy_s": 0.0},
    "push, fan-out 2": {"fanout": 2, "hot_rounds": 1_000_000, "anti_entropy_s": 0.0},
    "default": {},
}


async def reached(cluster: SimCluster, values: int) -> None:
    """Wait until every node has so many values. Raises TimeoutError."""
    waiting = list(cluster.nodes)
    async with asyncio.timeout(PATIENCE_S):
        while waiting:
            await asyncio.sleep(LOOK_S)
            # One node at a time: whoever has it is not asked again, and the last one to have it ends the wait.
            while waiting and _has(await cluster.ask(waiting[0], {"type": "sb_status"}, 1.0), values):
                waiting.pop(0)


def _has(answer: Mapping[str, Any] | None, values: int) -> bool:
    return answer is not None and answer["status"]["entries"] >= values


async def spread(size: int, loss: float, options: Mapping[str, Any], trials: int, directory: Path) -> list[float]:
    """The rounds that each of ``trials`` values took."""
    nodes = tuple(f"n{number}" for number in range(1, size + 1))
    seed = size * 1000 + round(loss * 100)
    spec = ClusterSpec(
        target="kv/crdt-broadcast",
        program="targets.kv.crdt:Crdt",
        nodes=nodes,
        options={"data": "broadcast", "round_s": ROUND_S, **options},
        seed=seed,
        directory=directory,
    )
    cluster, dice, loop = SimCluster(spec), rng.stream(seed, "benchmark"), asyncio.get_running_loop()
    await cluster.start()
    try:
        if loss:
            links = [(one, other) for one in nodes for other in nodes if one != other]
            await cluster.shape(links, PacketShape(loss=loss))
        channel, found = cluster.channel("c1"), []
        await asyncio.sleep(1.0)
        for value in range(trials):
            await asyncio.sleep(ROUND_S * dice.random())  # rounds of nodes are not in step with us
            began_s = loop.time()
            await channel.rpc(dice.choice(nodes), {"type": "broadcast", "message": value}, 1.0)
            await reached(cluster, value + 1)
            found.append((loop.time() - began_s) / ROUND_S)
        return found
    finally:
        await cluster.stop()


def fitted(sizes: Sequence[int], means: Sequence[float]) -> tuple[float, float, float]:
    """a and b of a*log2(n) + b, and how much of the means' variance it explains (R squared)."""
    x, y = np.log2(sizes), np.array(means)
    a, b = np.polyfit(x, y, 1)
    residual, spread_ = float(((y - (a * x + b)) ** 2).sum()), float(((y - y.mean()) ** 2).sum())
    return float(a), float(b), 1 - residual / spread_


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    for way, options in WAYS.items():
        print(f"{way}: rounds until all nodes have a value, mean (greatest) of {trials}")
        print("  loss   " + "".join(f"{f'n={size}':>14}" for size in SIZES) + "   a*log2(n)+b          R^2")
        for loss in LOSSES:
            rows = []
            for size in SIZES:
                with (
                    tempfile.TemporaryDirectory() as scratch,
                    asyncio.Runner(loop_factory=SimCluster.loop_factory) as runner,
                ):
                    rows.append(runner.run(spread(size, loss, options, trials, Path(scratch))))
            means = [float(np.mean(row)) for row in rows]
            a, b, share = fitted(SIZES, means)
            cells = "".join(f"{f'{mean:.1f} ({max(row):.1f})':>14}" for mean, row in zip(means, rows, strict=True))
            print(f"  {loss:4.0%}   {cells}   {a:.2f}*log2(n){b:+.2f}   {share:.3f}", flush=True)


if __name__ == "__main__":
    main()
