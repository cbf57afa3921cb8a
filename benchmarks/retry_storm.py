"""The load on a node that comes back, by how its callers repeat calls: at fixed pauses, with back-off, with back-off and jitter.

    python -m benchmarks.retry_storm [SEEDS]

Five callers with 5 calls per second each, a server that can do 50 per second and refuses what would wait for too long. It is killed for
10 s. Printed, as means over seeds: the requests per second before, and in each of the five seconds after it is back; the most in any tenth
of a second after that; how long it takes until every call of the outage has been answered ("never": not within 20 s); and requests per
call. On the simulator: the figures are the same on every machine.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import mean
from typing import Any

from harness.clusters.sim import SimCluster
from harness.protocols import ClusterSpec
from targets.rpc.backoff import PAUSES

CALLERS, RATE, CAPACITY = 5, 5.0, 50.0
QUEUE_MAX = 20  # what waits is done in time for its caller
KILLED_S, DOWN_S, AFTER_S, SECONDS = 3.0, 10.0, 20.0, 5
BIN_S = 0.1
# Tallies of a storm are long messages.
PATIENCE_S = 30.0


async def storm(retry: str, seed: int, directory: Path, after_s: float = AFTER_S) -> dict[str, Any]:
    """One run, watched for ``after_s`` after the server is back: figures by name."""
    nodes = tuple(f"n{number}" for number in range(1, CALLERS + 2))
    options = {"retry": retry, "rate": RATE, "capacity": CAPACITY, "queue_max": QUEUE_MAX}
    spec = ClusterSpec(
        target="rpc/storm",
        program="targets.rpc.storm:Storm",
        nodes=nodes,
        options=options,
        seed=seed,
        directory=directory,
    )
    cluster, loop = SimCluster(spec), asyncio.get_running_loop()
    await cluster.start()
    try:
        began_s, channel = loop.time(), cluster.channel("c1")
        await asyncio.sleep(KILLED_S)
        before = (await channel.rpc(nodes[0], {"type": "tally"}, PATIENCE_S))["arrivals"]
        await cluster.kill(nodes[0])
        killed_s = loop.time()
        await asyncio.sleep(DOWN_S)
        await cluster.restart(nodes[0])
        back_s = loop.time()
        await asyncio.sleep(after_s)
        tallies = [await channel.rpc(node, {"type": "tally"}, PATIENCE_S) for node in nodes]
    finally:
        await cluster.stop()
    arrivals = tallies[0]["arrivals"]
    bins = Counter(int((at_s - back_s) / BIN_S) for at_s in arrivals)
    seconds = Counter(int(at_s - back_s) for at_s in arrivals)
    stuck = [end_s for tally in tallies for start_s, end_s in tally["answered"] if killed_s <= start_s < back_s]
    left = sum(killed_s <= start_s < back_s for tally in tallies for start_s in tally["open"])
    after = sum(start_s >= back_s for tally in tallies for start_s, _ in tally["answered"]) + len(stuck)
    return {
        "before": len(before) / (killed_s - began_s),
        "seconds": [seconds[second] for second in range(SECONDS)],
        "most": max(bins.values()) / BIN_S,
        "answered_s": None if left else max(stuck) - back_s,
        "per_call": len(arrivals) / max(1, after),
    }


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{CALLERS} callers, {CALLERS * RATE:g} calls/s in all, a server for {CAPACITY:g}/s, down for {DOWN_S:g} s")
    head = "".join(f"{f'{second}-{second + 1} s':>8}" for second in range(SECONDS))
    print(f"{'retry':<10}{'before':>8}{head}{'most in 0.1 s':>15}{'all answered after':>20}{'requests per call':>19}")
    for retry in PAUSES:
        found = []
        for seed in range(seeds):
            with (
                tempfile.TemporaryDirectory() as scratch,
                asyncio.Runner(loop_factory=SimCluster.loop_factory) as runner,
            ):
                found.append(runner.run(storm(retry, seed, Path(scratch))))
        rates = "".join(f"{mean(run['seconds'][second] for run in found):8.0f}" for second in range(SECONDS))
        ends = [run["answered_s"] for run in found]
        end = f"{mean(ends):.1f} s" if None not in ends else f"never in {ends.count(None)} of {seeds}"
        before, most, per = (mean(run[name] for run in found) for name in ("before", "most", "per_call"))
        print(f"{retry:<10}{before:8.0f}{rates}{most:13.0f}/s{end:>20}{per:19.2f}", flush=True)


if __name__ == "__main__":
    main()
