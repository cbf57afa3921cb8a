"""Operations per second of generator, loop and recorder together, with a client that does nothing.

    python benchmarks/recorder.py [OPS]

Real event loop, real file, two lines per operation; the workload is ``register`` with ten clients, as fast as they can.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from harness import rng
from harness.generator import Context, clients, limit
from harness.journal import HistoryJournal
from harness.op import Op
from harness.runner import Runner
from harness.workloads.register import REGISTER
from harness.workloads.workload import WorkloadOptions

CLIENTS = 10


class NoOp:
    """A client that answers at once."""

    node = "n1"

    async def invoke(self, op: Op) -> Op:
        return op.ok(op.value)


async def record(path: Path, ops: int) -> float:
    """Seconds that ``ops`` operations take."""
    journal = HistoryJournal(path)
    options = WorkloadOptions(concurrency=CLIENTS, nodes=("n1",), rng=rng.stream(1, "workload"))
    runner = Runner(
        generator=clients(limit(ops, REGISTER.generator(options))),
        context=Context.start(CLIENTS, rng.stream(1, "generator")),
        invokers={thread: NoOp() for thread in range(CLIENTS)},
        journal=journal,
    )
    began_s = time.perf_counter()
    await runner.run()
    journal.close()
    return time.perf_counter() - began_s


def main() -> None:
    """Five rounds, the median counts."""
    ops = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    with tempfile.TemporaryDirectory() as directory:
        seconds = [asyncio.run(record(Path(directory) / f"{number}.jsonl", ops)) for number in range(5)]
    rates = sorted(ops / s for s in seconds)
    print(f"{ops} operations, {CLIENTS} clients: {rates[2]:,.0f} ops/s (of 5: {rates[0]:,.0f} to {rates[-1]:,.0f})")


if __name__ == "__main__":
    main()
