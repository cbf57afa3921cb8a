"""``python -m tests.harness.clusters.clocks.poking``: a clock set wrong, changed and set right where /proc/PID/mem may not be written to.

In a process of its own, since whoever follows others waits for all of its children. Prints the offsets that a program then told.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from harness.clusters.clocks.bell import Bell
from harness.clusters.clocks.follower import Follower
from harness.clusters.clocks.page import Setting
from tests.harness.clusters.clocks.programs import THREAD, Teller

PATIENCE_S = 10.0


def main() -> None:
    teller = Teller([sys.executable, "-S", "-c", THREAD])
    bell, follower = Bell(), Follower("poking", write=lambda _memory, _writes: False)
    offsets = []

    def settle() -> None:
        until_s = time.monotonic() + PATIENCE_S
        while not follower.settled("n1"):
            bell.wait(until_s - time.monotonic())
            follower.attend()
        offsets.append(asyncio.run(teller.offset_s()))

    for offset_s in (-60.0, 3600.0):
        follower.skew("n1", teller.pid, Setting(since_s=time.time(), offset_s=offset_s))
        settle()
    follower.unskew("n1")
    settle()
    teller.process.kill()
    sys.stdout.write(json.dumps({"offsets": offsets, "refused": follower.refused("n1")}))


if __name__ == "__main__":
    main()
