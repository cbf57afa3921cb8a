"""How much faster than real time the simulator runs kv/raft under all faults: five nodes, ten clients, one core.

    python benchmarks/sim_speed.py [SEEDS] [RATE]

Virtual seconds per second of this process's CPU, from the first boot to the last final read; judging and reports are not counted.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from harness import store
from harness.cli.planning import Request, make_plan
from harness.cli.run import conduct_plan
from harness.formats import load_history


def measure(seed: int, rate: float) -> tuple[float, float, int]:
    """(virtual seconds, CPU seconds, operations) of one run."""
    plan = make_plan(Request(target="kv/raft", cluster="sim", seed=seed, settings={"rate": rate}))
    with tempfile.TemporaryDirectory() as directory:
        run = store.create(Path(directory), plan)
        began_s = time.process_time()
        conduct_plan(plan, run)
        cpu_s = time.process_time() - began_s
        history = load_history(run.history)
    return int(history.time_ns[-1]) / 1e9, cpu_s, len(history.calls())


def main() -> None:
    """A row per seed, and the median."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else 100.0
    measure(0, rate)  # imports and first-time costs
    speeds = []
    for seed in range(seeds):
        virtual_s, cpu_s, ops = measure(seed, rate)
        speeds.append(virtual_s / cpu_s)
        print(
            f"seed {seed:3}: {virtual_s:6.1f} s in {cpu_s:5.2f} s: {speeds[-1]:5.0f} x real time, {cpu_s / ops * 1e6:4.0f} us/op"
        )
    print(f"median {sorted(speeds)[len(speeds) // 2]:.0f} x real time at {rate:g} ops/s")


if __name__ == "__main__":
    main()
