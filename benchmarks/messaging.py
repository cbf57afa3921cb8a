"""Synchronous against asynchronous messaging of the node runtime: how many messages per second get through, and what is known of them.

    python -m benchmarks.messaging [MESSAGES]

One node asks another one so often: waiting for each answer; with 16 questions under way; and by messages without answers, whose arrival one
question in the end asks for (``targets.rpc.messaging``). On the simulator (virtual time: links of 0.5 to 3 ms, the same on every machine),
and on real processes, by way of the harness's router.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.clusters.process import ProcessCluster
from harness.clusters.sim import SimCluster
from harness.protocols import Body, ClusterSpec

WAYS = ("synchronous", "asynchronous", "one-way")
WINDOW = 16
PATIENCE_S = 120.0


async def measured(kind: type[SimCluster] | type[ProcessCluster], many: int, directory: Path) -> Sequence[Body]:
    """The answers of each way in turn."""
    spec = ClusterSpec(
        target="rpc/messaging",
        program="targets.rpc.messaging:Messenger",
        nodes=("n1", "n2"),
        options={},
        seed=1,
        directory=directory,
    )
    cluster = kind(spec)
    await cluster.start()
    try:
        asked = {"type": "go", "to": "n2", "many": many, "window": WINDOW}
        return [await cluster.channel("c1").rpc("n1", {**asked, "way": way}, PATIENCE_S) for way in WAYS]
    finally:
        await cluster.stop()


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print(f"{many} messages, {WINDOW} under way where asynchronous: messages per second (arrived for certain)")
    print(f"{'':<26}" + "".join(f"{way:>24}" for way in WAYS))
    for title, kind in (("sim", SimCluster), ("process", ProcessCluster)):
        factory = getattr(kind, "loop_factory", None)
        with tempfile.TemporaryDirectory() as scratch, asyncio.Runner(loop_factory=factory) as runner:
            found = runner.run(measured(kind, many, Path(scratch)))
        cells = [f"{many / one['took_s']:,.0f} ({one['arrived']:,})" for one in found]
        print(f"{title:<26}" + "".join(f"{cell:>24}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
