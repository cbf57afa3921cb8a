"""How much faster than real time the simulator runs kv/raft under all faults: five nodes, ten clients, one core.

    python benchmarks/sim_speed.py [SEEDS] [RATE ...]

Virtual seconds per second of this process's CPU, from the first boot to the last final read; judging and reports are not counted. What is
simulated costs, not the time that passes: so the figure falls as the rate of operations rises.
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

# Operations per second over all clients. (Maelstrom's default is 5, splitbrain's 100.)
RATES = [10.0, 20.0, 50.0, 100.0]


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
    """A row per seed and rate, and the medians."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    rates = [float(rate) for rate in sys.argv[2:]] or RATES
    measure(0, rates[0])  # imports and first-time costs
    for rate in rates:
        rows = [measure(seed, rate) for seed in range(seeds)]
        speeds = sorted(virtual_s / cpu_s for virtual_s, cpu_s, _ in rows)
        cost_us = sorted(cpu_s / ops * 1e6 for _, cpu_s, ops in rows)
        middle = seeds // 2
        print(
            f"{rate:4g} ops/s: {speeds[middle]:4.0f} x real time ({speeds[0]:.0f} to {speeds[-1]:.0f} over {seeds} seeds), "
            f"{cost_us[middle]:4.0f} us per operation"
        )


if __name__ == "__main__":
    main()
