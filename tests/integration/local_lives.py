"""Programs that the tests of the local cluster run as other processes, and as other users: ``python -m tests.integration.local_lives``.

hold DIRECTORY    starts a cluster with one node standing still and a link shaped, prints the launcher's number, and waits for ever
tour DIRECTORY    uses every power once, and prints as JSON what it saw
row DIRECTORY     lives one short life of a cluster after the other, and prints as JSON what each left
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.clusters.local import LocalCluster
from harness.clusters.namespaces import kernel
from harness.effects import LOST, ClockSkew, PacketShape
from tests.conformance.worlds import NODES, World, spec
from tests.harness.clusters.local.running import descendants, machine, namespaces_of, now_s, still_in, traces

LIVES = 20
PAIRS = [(src, dest) for src in NODES for dest in NODES if src != dest]


async def hold(directory: Path) -> None:
    cluster = LocalCluster(spec(directory))
    await cluster.start()
    await cluster.shape([("n1", "n3")], PacketShape(delay_s=0.01))
    await cluster.cut([("n1", "n2")])
    await cluster.pause("n2")
    sys.stdout.write(f"{cluster._namespaces.pid}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def tour(directory: Path) -> None:
    cluster = LocalCluster(spec(directory, disks=True))
    seen: dict[str, Any] = {"user": os.geteuid(), "unavailable": LocalCluster.unavailable()}
    seen["lacks"] = sorted({"disk", "power"} & LocalCluster.lacks().keys())
    await cluster.start()
    try:
        world = World(cluster)
        seen["relays"] = await world.relays("n1", "n2")
        await cluster.cut([("n1", "n2")])
        seen["cut"] = await cluster.reaches(PAIRS)
        await cluster.mend([("n1", "n2")])
        seen["mended"] = await cluster.reaches(PAIRS)
        await cluster.shape([("n1", "n2")], PacketShape(delay_s=0.05, duplicate=0.3))
        seen["shaped"] = dict(await cluster.measure(("n1", "n2"), 100))
        await cluster.unshape([("n1", "n2")])
        await cluster.skew("n1", ClockSkew(offset_s=-60))
        seen["skewed"] = await cluster.clock_offset("n1")
        await cluster.pause("n3")
        seen["paused"] = await world.alive("n3", 0.3)
        await cluster.kill("n3")
        await cluster.restart("n3")
        seen["restarted"] = await world.alive("n3")
        await world.call("n1", "save", name="log", text="not synced", sync=False)
        seen["lost"] = [asdict(file) for file in (await cluster.lose_power(["n1"], LOST))["n1"]]
    finally:
        await cluster.stop()
    sys.stdout.write(json.dumps(seen) + "\n")


async def life(directory: Path) -> set[str]:
    """The namespaces that it was in."""
    cluster = LocalCluster(spec(directory))
    await cluster.start()
    try:
        await cluster.channel("c1").rpc("n1", {"type": "echo"}, 30.0)
        await cluster.cut([("n1", "n2")])
        await cluster.shape([("n1", "n3")], PacketShape(delay_s=0.01))
        await cluster.kill("n2")
        return namespaces_of(descendants(os.getpid()))
    finally:
        await cluster.stop()


def row(directory: Path) -> None:
    """In a network and a tree of mounts of its own where we are root, which alone could change the machine's: nobody else changes these."""
    if os.geteuid() == 0:
        kernel.unshare(kernel.NEW_MOUNT | kernel.NEW_NET)
        kernel.mount("none", "/", flags=kernel.PRIVATE | kernel.RECURSIVE)
    asyncio.run(life(directory / "0"))  # what Python itself opens at its first use of anything
    seen: dict[str, Any] = {"before": _held(), "lives": []}
    for number in range(1, LIVES + 1):
        around = machine()
        made = asyncio.run(life(directory / str(number)))
        seen["lives"].append(
            {
                # Of the run, of three nodes, of the clients; besides the user namespace of an ordinary user's run.
                "namespaces": len([name for name in made if not name.startswith("user:")]),
                "changed": os.geteuid() == 0 and _changed(around, machine()),
                "still": sorted(still_in(made, now_s())),
            }
        )
    seen |= {"after": _held(), "traces": traces(directory)}
    sys.stdout.write(json.dumps(seen) + "\n")


def _changed(before: list[bytes], after: list[bytes]) -> bool:
    """Also what is mounted here goes when somebody else removes its directory: of mounts only those count that came."""
    mounts = [set(listings[-1].splitlines()) for listings in (before, after)]
    return before[:-1] != after[:-1] or not mounts[1] <= mounts[0]


def _held() -> dict[str, int]:
    gc.collect()
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "processes": len(descendants(os.getpid())),
    }


if __name__ == "__main__":
    what, path = sys.argv[1], Path(sys.argv[2])
    row(path) if what == "row" else asyncio.run({"hold": hold, "tour": tour}[what](path))
