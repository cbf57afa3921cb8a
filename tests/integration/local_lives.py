"""Programs that the tests of the local cluster run as other processes, and as other users: ``python -m tests.integration.local_lives``.

hold DIRECTORY    starts a cluster with one node standing still and a link shaped, prints the launcher's number, and waits for ever
tour DIRECTORY    uses every power once, and prints as JSON what it saw
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.clusters.local import LocalCluster
from harness.effects import LOST, ClockSkew, PacketShape
from tests.conformance.worlds import NODES, World, spec

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


if __name__ == "__main__":
    asyncio.run({"hold": hold, "tour": tour}[sys.argv[1]](Path(sys.argv[2])))
