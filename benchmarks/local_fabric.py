"""How fast the local cluster is, how exact its faults are, what it leaves: ``python -m benchmarks.local_fabric [--runs N] [--lives N]``.

Prints one line per figure with its goal: nodes up, a partition in one transaction, a round trip through the router against one within
a node, delay and rate against what was asked, packets per second through the shaper, and how long anything lives after ``kill -9``; what
a hundred lives in a row leave in this process and on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from harness import heal_machine
from harness.clusters.local import LocalCluster
from harness.clusters.namespaces import layout
from harness.clusters.namespaces.launch import Namespaces
from harness.clusters.namespaces.place import Plan
from harness.effects import PacketShape
from harness.protocols import ClusterSpec
from tests.harness.clusters.local.running import machine, traces

NODES = tuple(f"n{number}" for number in range(1, 6))
PAIRS = [(src, dest) for src in NODES for dest in NODES if src != dest]
SPLIT = [(src, dest) for src, dest in PAIRS if (src in NODES[:2]) != (dest in NODES[:2])]
TRIPS, DELAYED, FLOOD = 2000, 200, 20000
QUIET_S = 0.5  # a flood is over when nothing has come for so long


def plans(directory: Path) -> list[Plan]:
    """The places of five nodes that run nothing, and of the clients."""
    found = [Plan(name=layout.CLIENTS, address=None, directory=None, hosts="")]
    for number, name in enumerate(NODES, 1):
        home = directory / "bare" / name
        home.mkdir(parents=True, exist_ok=True)
        found.append(Plan(name=name, address=layout.node_address(number), directory=str(home), hosts=""))
    return found


def cluster_in(directory: Path) -> LocalCluster:
    return LocalCluster(
        ClusterSpec(
            target="echo", program="targets.node.echo:Echo", nodes=NODES, options={}, seed=1, directory=directory
        )
    )


def say(what: str, figure: str, goal: str) -> None:
    print(f"{what:<58} {figure:>22}   {goal}", flush=True)


def milliseconds(seconds: list[float]) -> str:
    worst, middle = max(seconds) * 1e3, statistics.median(seconds) * 1e3
    return f"{middle:.3f} (max {worst:.3f}) ms"


async def lifecycle(directory: Path, runs: int) -> None:
    ups, downs, bare = [], [], []
    for number in range(runs):
        began_s = time.perf_counter()
        namespaces = Namespaces()
        await namespaces.start(plans(directory), 1)
        bare.append(time.perf_counter() - began_s)
        await namespaces.stop()
        cluster = cluster_in(directory / str(number))
        began_s = time.perf_counter()
        await cluster.start()
        ups.append(time.perf_counter() - began_s)
        began_s = time.perf_counter()
        await cluster.stop()
        downs.append(time.perf_counter() - began_s)
    say("namespaces, cables and filter for 5 nodes", milliseconds(bare), "")
    say("5 nodes up, each has answered init", milliseconds(ups), "goal: below 1 s")
    say("all down and gone", milliseconds(downs), "")


async def round_trips(cluster: LocalCluster, src: str, dest: str) -> float:
    """The median of round trips of a datagram between two nodes' networks, in seconds; both ends are in this process."""
    near, far = await cluster.socket(src, socket.SOCK_DGRAM), await cluster.socket(dest, socket.SOCK_DGRAM)
    taken = []
    with near, far:
        near.settimeout(5)
        far.settimeout(5)
        for _ in range(TRIPS):
            began_s = time.perf_counter()
            near.sendto(b"x", far.getsockname())
            data, back = far.recvfrom(16)
            far.sendto(data, back)
            near.recv(16)
            taken.append(time.perf_counter() - began_s)
    return statistics.median(taken)


async def flood(cluster: LocalCluster, src: str, dest: str) -> tuple[float, float]:
    """Datagrams sent as fast as one process can: how many per second arrive, and which share is lost."""
    near, far = await cluster.socket(src, socket.SOCK_DGRAM), await cluster.socket(dest, socket.SOCK_DGRAM)
    far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 26)
    arrivals_s: list[float] = []

    def arrived() -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                far.recv(16)
                arrivals_s.append(time.perf_counter())

    loop = asyncio.get_running_loop()
    loop.add_reader(far.fileno(), arrived)
    with near, far:
        began_s = time.perf_counter()
        for number in range(FLOOD):
            near.sendto(b"x", far.getsockname())
            if number % 16 == 0:
                await asyncio.sleep(0)
        sent_s = time.perf_counter()
        while time.perf_counter() - max([sent_s, *arrivals_s[-1:]]) < QUIET_S:  # noqa: ASYNC110 - nobody announces silence
            await asyncio.sleep(0.01)
        loop.remove_reader(far.fileno())
    return len(arrivals_s) / (max([sent_s, *arrivals_s[-1:]]) - began_s), 1 - len(arrivals_s) / FLOOD


async def effects(directory: Path) -> None:
    cluster = cluster_in(directory / "effects")
    await cluster.start()
    try:
        cuts, mends = [], []
        for _ in range(50):
            began_s = time.perf_counter()
            await cluster.cut(SPLIT)
            cuts.append(time.perf_counter() - began_s)
            began_s = time.perf_counter()
            await cluster.mend(SPLIT)
            mends.append(time.perf_counter() - began_s)
        say(f"a partition of {len(SPLIT)} directed links, one transaction", milliseconds(cuts), "goal: below 5 ms")
        say("mended, counters read", milliseconds(mends), "")
        within, across = await round_trips(cluster, "n1", "n1"), await round_trips(cluster, "n1", "n2")
        say("a round trip within a node", f"{within * 1e6:.0f} us", "")
        say("added by the router", f"{(across - within) * 1e6:.0f} us", "goal: below 200 us")
        for delay_s in (0.005, 0.05, 0.5):
            await cluster.shape([("n1", "n2")], PacketShape(delay_s=delay_s))
            seen = await cluster.measure(("n1", "n2"), DELAYED)
            off_ms = (seen["delay_s"] - delay_s) * 1e3
            say(f"a delay of {delay_s * 1e3:g} ms is off by (median of {DELAYED})", f"{off_ms:+.3f} ms", "goal: 2 ms")
        for bytes_per_s in (16_000, 125_000, 1_000_000):
            await cluster.shape([("n1", "n2")], PacketShape(bytes_per_s=bytes_per_s))
            seen_bytes_per_s = await cluster.throughput(("n1", "n2"))
            say(f"a rate of {bytes_per_s / 1000:g} kB/s", f"{seen_bytes_per_s / 1000:.1f} kB/s", "")
        for name, shape in (("headers", PacketShape(jitter_s=1e-9)), ("whole packets", PacketShape(duplicate=1e-9))):
            await cluster.shape([("n1", "n2")], shape)
            rate, lost = await flood(cluster, "n1", "n2")
            say(f"a flood through the shaper, {name}", f"{rate:,.0f}/s, {lost:.1%} lost", "")
        await cluster.unshape([("n1", "n2")])
        rate, lost = await flood(cluster, "n1", "n2")
        say("the same flood past the shaper", f"{rate:,.0f}/s, {lost:.1%} lost", "")
    finally:
        await cluster.stop()


async def life(directory: Path) -> None:
    """One cluster with a fault of each mechanism, none of them healed."""
    cluster = cluster_in(directory)
    await cluster.start()
    try:
        await cluster.cut(SPLIT)
        await cluster.shape([("n1", "n3")], PacketShape(delay_s=0.01, duplicate=0.1, bytes_per_s=50_000))
        await cluster.rate("n5", 100_000)
        await cluster.throttle("n3", 0.5)
        await cluster.pause("n4")
        await cluster.kill("n2")
    finally:
        await cluster.stop()


def lives_in_a_row(directory: Path, lives: int) -> None:
    """What is there after many lives that was not there after the first; on the machine, byte by byte around each."""
    asyncio.run(life(directory / "0"))  # what Python itself opens at its first use of anything
    before = held()
    unchanged = ours = 0
    for number in range(1, lives + 1):
        around = machine()
        asyncio.run(life(directory / str(number)))
        unchanged += machine() == around
        ours += bool(traces(directory) or list(heal_machine.tables()))
    for (what, first), last in zip(before.items(), held().values(), strict=True):
        say(f"{what} after {lives} lives, before them", f"{last}, {first}", "goal: the same")
    say(
        "routes, rules, interfaces, mounts byte for byte the same",
        f"{unchanged} of {lives}",
        "all, if nobody else works here",
    )
    say("mounts, cables, tables of ours after a life", f"{ours} of {lives}", "goal: none")


def held() -> dict[str, int]:
    """What this process holds."""
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "processes": len(_descendants(os.getpid())),
        "namespaces that we see": len(set(_namespaces())),
    }


def _namespaces() -> Iterator[str]:
    for link in Path("/proc").glob("[0-9]*/ns/*"):
        with contextlib.suppress(OSError):
            yield str(link.readlink())


def killed(directory: Path) -> float:
    """Seconds from ``kill -9`` of a controller until nothing that it had started lives."""
    command = [sys.executable, "-m", "tests.integration.local_lives", "hold", str(directory / "killed")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.getcwd()}) as controller:  # noqa: PTH109
        assert controller.stdout is not None
        launcher = int(controller.stdout.readline())
        inside = {launcher, *_descendants(launcher)}
        began_s = time.perf_counter()
        controller.send_signal(signal.SIGKILL)
        while any(_lives(pid) for pid in inside):
            time.sleep(0.0005)
        return time.perf_counter() - began_s


def _descendants(pid: int) -> set[int]:
    found: set[int] = set()
    fresh = {pid}
    while fresh:
        listed = [Path(f"/proc/{one}/task/{one}/children").read_text(encoding="ascii") for one in fresh]
        fresh = {int(child) for text in listed for child in text.split()} - found
        found |= fresh
    return found


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures the local cluster.")
    parser.add_argument("--runs", type=int, default=5, help="how often the cluster is started")
    parser.add_argument(
        "--lives", type=int, default=100, help="how many lives in a row are looked at for what they leave"
    )
    arguments = parser.parse_args()
    refused = LocalCluster.unavailable()
    if refused is not None:
        sys.exit(refused)
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        asyncio.run(lifecycle(directory, arguments.runs))
        asyncio.run(effects(directory))
        taken = [killed(directory) for _ in range(arguments.runs)]
        say("after kill -9 of the controller, until nothing lives", milliseconds(taken), "")
        lives_in_a_row(directory / "lives", arguments.lives)
    say("load of the machine meanwhile", f"{os.getloadavg()[0]:.1f}", f"on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
