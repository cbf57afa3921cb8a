"""How fast the docker cluster is: ``python -m benchmarks.docker_up [--runs N]``. Needs what the docker cluster needs.

Prints one line per figure with its goal: five nodes up (each has answered init) with the image built, all down and gone, a kill and a
restart, a pause, a partition, a question to a node, and what remains to be done after ``kill -9`` of a controller.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from harness.clusters.containers import images
from harness.clusters.containers.engine import connect
from harness.clusters.docker import DockerCluster
from harness.protocols import ClusterSpec

NODES = tuple(f"n{number}" for number in range(1, 6))
SPLIT = [(a, b) for a in NODES for b in NODES if (a in NODES[:2]) != (b in NODES[:2])]
PROGRAM = "targets.node.echo:Echo"
ASKED = 200


def cluster_in(directory: Path) -> DockerCluster:
    return DockerCluster(
        ClusterSpec(target="echo", program=PROGRAM, nodes=NODES, options={}, seed=1, directory=directory)
    )


def say(what: str, seconds: list[float], goal: str = "") -> None:
    middle, worst = statistics.median(seconds) * 1e3, max(seconds) * 1e3
    print(f"{what:<58} {middle:>10,.1f} (max {worst:,.1f}) ms   {goal}", flush=True)


async def timed(action: Callable[[], Awaitable[object]]) -> float:
    began_s = time.perf_counter()
    await action()
    return time.perf_counter() - began_s


async def lifecycle(directory: Path, runs: int) -> None:
    ups, downs = [], []
    for number in range(runs):
        cluster = cluster_in(directory / str(number))
        ups.append(await timed(cluster.start))
        downs.append(await timed(cluster.stop))
    say("five nodes up, image built", ups, "goal: below 5 s")
    say("all down and gone", downs)


async def effects(directory: Path, runs: int) -> None:
    cluster = cluster_in(directory / "effects")
    await cluster.start()
    try:
        ping = {"type": "sb_ping"}
        say(
            "a question to a node, past the network",
            [await timed(lambda: cluster.ask("n1", ping, 5)) for _ in range(ASKED)],
        )
        channel = cluster.channel("c1")
        say(
            "a request of a client", [await timed(lambda: channel.rpc("n1", {"type": "echo"}, 5)) for _ in range(ASKED)]
        )
        rows: dict[str, list[float]] = {}
        steps: list[tuple[str, Callable[[], Awaitable[object]]]] = [
            ("a pause", lambda: cluster.pause("n2")),
            ("its end", lambda: cluster.resume("n2")),
            ("a kill, until the node is certainly dead", lambda: cluster.kill("n3")),
            ("a restart, until the node has answered init", lambda: cluster.restart("n3")),
            (f"a partition of {len(SPLIT)} directed links", lambda: cluster.cut(SPLIT)),
            ("mended", lambda: cluster.mend(SPLIT)),
        ]
        for _ in range(runs):
            for what, step in steps:
                rows.setdefault(what, []).append(await timed(step))
        for what, seconds in rows.items():
            say(what, seconds)
    finally:
        await cluster.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures the docker cluster.")
    parser.add_argument("--runs", type=int, default=5, help="how often the cluster is started")
    arguments = parser.parse_args()
    refused = DockerCluster.unavailable()
    if refused is not None:
        sys.exit(refused)
    client = connect()
    began_s = time.perf_counter()
    images.node_image(client, None, PROGRAM)
    say("the image, found or built", [time.perf_counter() - began_s])
    client.close()
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(lifecycle(Path(scratch), arguments.runs))
        asyncio.run(effects(Path(scratch), arguments.runs))
    print(f"load of the machine meanwhile {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
