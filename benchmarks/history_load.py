"""What it costs to record, load and view a history: `python benchmarks/history_load.py [OPS...]`, by default 10^5 and 10^6.

Two kinds of history, each of OPS operations (twice as many lines) by ten processes: a key-value store with unique writes, and
list-append transactions whose values are hardly ever equal. Each row runs in a process of its own, because MB RSS is its peak;
seconds are CPU time, so that a busy machine does not blur them. EDN is measured up to 10^5 operations.
"""

from __future__ import annotations

import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness.formats import jsonl, load_history, save_history
from harness.op import Op

PROCESSES = 10
EDN_OPS_MAX = 100_000
COLUMNS = ("history", "ops", "encode µs/line", "load jsonl s", "calls s", "to_frame s", "load edn s", "peak MB RSS")


def kv_value(dice: random.Random, number: int) -> tuple[str, Any, Any]:
    """f, argument and result of one operation on a key-value store."""
    if dice.random() < 0.5:
        return "write", number, number
    return "read", None, max(0, number - dice.randrange(20))


def txn_value(dice: random.Random, number: int) -> tuple[str, Any, Any]:
    """f, argument and result of one list-append transaction of up to four steps; reads see eight elements."""
    steps = [("append" if dice.random() < 0.5 else "r", dice.randrange(10)) for _ in range(dice.randint(1, 4))]
    argument = [[name, key, number * 4 + n if name == "append" else None] for n, (name, key) in enumerate(steps)]
    seen = list(range(max(0, number - 8), number))
    result = [[name, key, seen if name == "r" else item] for name, key, item in argument]
    return "txn", argument, result


KINDS: dict[str, Callable[[random.Random, int], tuple[str, Any, Any]]] = {"kv": kv_value, "list-append": txn_value}


def lines(kind: str, count: int) -> Iterator[Op]:
    """The ops of a history of ``count`` operations, the same at every call."""
    dice = random.Random(f"{kind} {count}")
    open_ops: dict[int, tuple[Op, Any]] = {}
    index, time_ns, begun = 0, 0, 0
    while begun < count or open_ops:
        process = dice.randrange(PROCESSES)
        time_ns += dice.randrange(1_000, 90_000)
        if process in open_ops:
            call, result = open_ops.pop(process)
            done = call.ok(result)
            op = Op(
                index=index,
                time_ns=time_ns,
                type=done.type,
                process=process,
                f=done.f,
                key=done.key,
                value=result,
                node=done.node,
            )
        elif begun < count:
            begun += 1
            f, argument, result = KINDS[kind](dice, begun)
            key = None if kind == "list-append" else f"k{dice.randrange(100)}"
            op = Op(
                index=index, time_ns=time_ns, process=process, f=f, key=key, value=argument, node=f"n{process % 5 + 1}"
            )
            open_ops[process] = op, result
        else:
            continue
        index += 1
        yield op


def seconds(task: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = task()
    return time.process_time() - start, result


def measure(count: int, path: Path) -> list[str]:
    """One row of the table, in a process of its own."""
    if path.suffix == ".edn":
        return [f"{seconds(lambda: load_history(path))[0]:.2f}"]
    load_s, history = seconds(lambda: load_history(path))
    calls_s, calls = seconds(history.calls)
    frame_s, _ = seconds(history.to_frame)
    assert len(calls) == count
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [f"{load_s:.2f}", f"{calls_s:.2f}", f"{frame_s:.2f}", f"{peak_mb:.0f}"]


def encode_us(kind: str) -> float:
    """Microseconds to encode one line, the best of five rounds."""
    some = list(lines(kind, 5_000))
    rounds = [seconds(lambda: [jsonl.encode_op(op) for op in some])[0] for _ in range(5)]
    return min(rounds) / len(some) * 1e6


def main(counts: list[int]) -> None:
    print(" | ".join(COLUMNS))
    alone = multiprocessing.get_context("spawn")
    for kind in KINDS:
        for count in counts:
            with tempfile.TemporaryDirectory() as directory:
                path = Path(directory) / "history.jsonl"
                with path.open("wb") as file:
                    file.writelines(jsonl.write(lines(kind, count)))
                with alone.Pool(1) as pool:
                    load, calls, frame, rss = pool.apply(measure, (count, path))
                edn = "-"
                if count <= EDN_OPS_MAX:
                    save_history(load_history(path), path.with_suffix(".edn"))
                    with alone.Pool(1) as pool:
                        (edn,) = pool.apply(measure, (count, path.with_suffix(".edn")))
            row = (kind, str(count), f"{encode_us(kind):.2f}", load, calls, frame, edn, rss)
            print(" | ".join(cell.rjust(len(name)) for cell, name in zip(row, COLUMNS, strict=True)), flush=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [100_000, 1_000_000])
