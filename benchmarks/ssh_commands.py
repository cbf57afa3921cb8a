"""What a word to a host costs: ``python -m benchmarks.ssh_commands [--runs N]``. Takes root, openssh-server and iproute2.

Five SSH servers in network namespaces of this machine: connections, a command on an open connection, a question to the agent there.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.clusters.hosts import inventory, pins
from harness.clusters.hosts.connection import Connection
from harness.clusters.ssh import SshCluster
from harness.effects import ClockSkew
from harness.protocols import ClusterSpec
from tests.harness.clusters.hosts import servers

NODES = tuple(f"n{number}" for number in range(1, servers.COUNT + 1))


def say(what: str, taken_s: list[float], goal: str = "") -> None:
    taken_s = sorted(taken_s)
    figure = f"{statistics.median(taken_s) * 1e3:.1f} (best {taken_s[0] * 1e3:.1f}) ms"
    print(f"{what:<62} {figure:>24}   {goal}", flush=True)


def commands(runs: int, hosts: list[inventory.Host], path: Path) -> None:
    """All five at once, then commands on one of them."""
    keys = pins.load(inventory.pins_of(path))
    began_s = time.perf_counter()
    with ThreadPoolExecutor(len(hosts)) as threads:
        connections = list(threads.map(lambda host: Connection(host, keys), hosts))
    say("five connections, side by side", [time.perf_counter() - began_s])
    taken = []
    for _ in range(runs):
        began_s = time.perf_counter()
        assert connections[0].run(["true"]).status == 0
        taken.append(time.perf_counter() - began_s)
    say("a command on an open connection (a shell starts, and ends)", taken)
    for connection in connections:
        connection.close()


async def questions(runs: int, path: Path) -> None:
    """A cluster up; a question; faults."""
    with tempfile.TemporaryDirectory() as scratch:
        program = "targets.node.echo:Echo"
        spec = ClusterSpec(
            target="echo", program=program, nodes=NODES, options={"hosts": str(path)}, seed=1, directory=Path(scratch)
        )
        cluster, time_s = SshCluster(spec), time.perf_counter
        began_s = time_s()
        await cluster.start()
        say("five nodes up", [time_s() - began_s])
        links = [(src, dest) for src in NODES[:2] for dest in NODES[2:]]
        links += [(dest, src) for src, dest in links]
        taken: dict[str, list[float]] = {"asked": [], "cut": [], "skewed": []}
        try:
            for _ in range(runs):
                began_s = time_s()
                await cluster._site("n1").agent.ask("time")  # noqa: SLF001
                taken["asked"].append(time_s() - began_s)
            for _ in range(max(1, runs // 10)):
                began_s = time_s()
                await cluster.cut(links)
                taken["cut"].append(time_s() - began_s)
                await cluster.mend(links)
                began_s = time_s()
                await cluster.skew("n1", ClockSkew(offset_s=-60))
                taken["skewed"].append(time_s() - began_s)
                await cluster.unskew("n1")
        finally:
            await cluster.stop()
        say("a question on the agent's open channel", taken["asked"], "goal: < 5 ms")
        say("a partition of 12 links on five hosts", taken["cut"])
        say("a clock set wrong", taken["skewed"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    chosen = parser.parse_args()
    shared = servers.shared()
    commands(chosen.runs, inventory.read(shared.hosts), shared.hosts)
    asyncio.run(questions(chosen.runs, shared.hosts))
