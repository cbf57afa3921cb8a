"""What the generators cost per operation, without any I/O: asking, both updates, and the three contexts in between.

    python benchmarks/generator.py [--ops 10000] [--concurrency 10]

The trees are those of real runs. The budget of the first is 15 µs per operation, so that the runner's loop, not the generator,
bounds the rate. Ops complete after a fixed time in virtual time, in the order of their completion.
"""

from __future__ import annotations

import argparse
import heapq
import random
import time
from collections.abc import Callable
from functools import partial

from harness.generator import (
    PENDING,
    Answer,
    Context,
    Generator,
    any_of,
    clients,
    concurrent_keys,
    cycle,
    each_thread,
    gen,
    limit,
    mix,
    nemesis,
    phases,
    process_limit,
    repeat,
    reserve,
    stagger,
    time_limit,
    validate,
)
from harness.op import Op
from harness.rng import stream
from harness.workloads.cas_register import CAS_REGISTER
from harness.workloads.kv import KV
from harness.workloads.register import REGISTER
from harness.workloads.workload import Workload, WorkloadOptions

REPEATS = 10
LATENCY_NS = 2_000_000
HOUR_S = 3600.0


def drive(generator: Generator, context: Context, ops: int) -> int:
    """The life of at most ``ops`` operations; returns how many there were."""
    running: list[tuple[int, int, Op]] = []
    count = 0
    answer = generator.op(context)
    while answer is not None and count < ops:
        if answer is not PENDING and (not running or answer[0].time_ns <= running[0][0]):
            op, rest = answer
            context = context.busy(context.thread_of(op.process), op.time_ns)
            generator = rest.update(context, op)
            heapq.heappush(running, (context.time_ns + LATENCY_NS, count, op.ok(op.value)))
            count += 1
        else:
            time_ns, _, op = heapq.heappop(running)
            context = context.freed(context.thread_of(op.process), time_ns)
            generator = generator.update(context, op)
        answer = generator.op(context)
    return count


def world_alone(context: Context, ops: int) -> int:
    """``drive`` without what it measures: its loop, its queue, its completions. To be subtracted."""
    running: list[tuple[int, int, Op]] = []
    count = 0
    answer: Answer = (Op(f="read", process=0, time_ns=0), gen(None))
    while answer is not None and count < ops:
        if answer is not PENDING and (not running or answer[0].time_ns > running[0][0]):
            op, _ = answer
            context.thread_of(op.process)
            heapq.heappush(running, (op.time_ns + LATENCY_NS, count, op.ok(op.value)))
            count += 1
        else:
            _, _, op = heapq.heappop(running)
            context.thread_of(op.process)
    return count


def run_tree(client_ops: Generator, rate_s: float = 0.01) -> Generator:
    """The tree of a run: faults beside a staggered workload, for an hour."""
    faults = stagger(5, cycle([{"f": "start-partition"}, {"f": "stop-partition"}]))
    return time_limit(HOUR_S, any_of(nemesis(faults), clients(stagger(rate_s, client_ops))))


def typical() -> Generator:
    return run_tree(
        mix([repeat({"f": "read"}), repeat({"f": "write", "value": 1}), repeat({"f": "cas", "value": [1, 2]})])
    )


def workload_tree(workload: Workload, concurrency: int) -> Generator:
    options = WorkloadOptions(concurrency=concurrency, nodes=("n1", "n2", "n3", "n4", "n5"), rng=stream(0, "workload"))
    return run_tree(workload.generator(options))


def register_phases(concurrency: int) -> Generator:
    """As ``workload_tree``, followed by phases that listen: final reads of all keys."""
    options = WorkloadOptions(concurrency=concurrency, nodes=("n1", "n2", "n3", "n4", "n5"), rng=stream(0, "workload"))
    main = run_tree(CAS_REGISTER.generator(options))
    return phases(main, clients(CAS_REGISTER.final(options)))


def trees(concurrency: int) -> dict[str, Callable[[], Generator]]:
    read = repeat({"f": "read"})
    write = repeat({"f": "write", "value": 1})
    return {
        "typical: time_limit(any_of(nemesis, clients(stagger(mix))))": typical,
        "the same, validated": lambda: validate(typical()),
        "register": lambda: workload_tree(REGISTER, concurrency),
        "kv": lambda: workload_tree(KV, concurrency),
        "cas-register": lambda: workload_tree(CAS_REGISTER, concurrency),
        "cas-register, then final reads": lambda: register_phases(concurrency),
        "repeat": lambda: repeat({"f": "read"}),
        "function": lambda: clients(lambda: {"f": "write", "value": 1}),
        "reserve": lambda: clients(reserve((concurrency // 2, read), rest=write)),
        "each_thread": lambda: clients(each_thread(limit(10**9, read))),
        "concurrent_keys": lambda: clients(
            concurrent_keys(2, range(10**9), lambda _: process_limit(20, limit(100, mix([read, write]))))
        ),
    }


def measured(make: Callable[[], Generator], concurrency: int, ops: int) -> int:
    """One run of a tree from its beginning."""
    return drive(make(), Context.start(concurrency, random.Random(1)), ops)


def best_us(body: Callable[[], int]) -> float:
    """Microseconds of CPU time per operation, the best of a few repeats: what else the machine does counts least so."""
    best = float("inf")
    for _ in range(REPEATS):
        start_s = time.process_time()
        count = body()
        best = min(best, (time.process_time() - start_s) / count * 1e6)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ops", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=10)
    args = parser.parse_args()
    start = Context.start(args.concurrency, random.Random(1))
    own = best_us(lambda: world_alone(start, args.ops))
    print(f"{args.ops} operations, {args.concurrency} clients; {own:.1f} µs of the benchmark's own are subtracted")
    print(f"{'µs/op':>7}  tree")
    for name, make in trees(args.concurrency).items():
        cost = best_us(partial(measured, make, args.concurrency, args.ops))
        print(f"{cost - own:7.1f}  {name}")


if __name__ == "__main__":
    main()
