"""What a disk that fails costs while it does not: ``python -m benchmarks.disks [--runs N]``. Needs Linux, root and the kernel's FUSE.

Appends of 200 bytes, each with an fsync, to a file on the disk and to one beside it on the raw disk, in turn, so that both see the same
machine; then appends without fsync, and SQLite commits. Prints medians and ratios, with their goal.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from harness.clusters.disks.launch import DiskServer

APPENDS, BYTES, ROWS = 200, 200, 100


def appends_s(directory: Path, *, sync: bool) -> float:
    """Seconds per append."""
    descriptor = os.open(directory / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    began_s = time.perf_counter()
    for _ in range(APPENDS):
        os.write(descriptor, bytes(BYTES))
        if sync:
            os.fsync(descriptor)
    took_s = time.perf_counter() - began_s
    os.close(descriptor)
    return took_s / APPENDS


def commits_s(directory: Path) -> float:
    """Seconds per commit of one row."""
    with closing(sqlite3.connect(directory / "database", isolation_level=None)) as database:
        database.execute("pragma synchronous=full")
        database.execute("create table if not exists rows (text)")
        began_s = time.perf_counter()
        for _ in range(ROWS):
            database.execute("insert into rows values ('one row')")
        return (time.perf_counter() - began_s) / ROWS


def compare(what: str, measure: Callable[[Path], float], home: Path, runs: int, goal: str = "") -> None:
    """Both in turn; the ratio of each pair, so that a busy moment is in both."""
    pairs = [(measure(home / "raw"), measure(home / "failing")) for _ in range(runs)]
    ratio = statistics.median(ours_s / raw_s for raw_s, ours_s in pairs)
    raw_us, ours_us = (statistics.median(side) * 1e6 for side in zip(*pairs, strict=True))
    print(f"{what:<28} raw {raw_us:>9,.1f} us   ours {ours_us:>9,.1f} us   ratio {ratio:.2f}   {goal}", flush=True)


async def main(runs: int) -> None:
    """Everything, in a directory of the current one: /tmp may be memory."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as scratch:
        home = Path(scratch)
        for name in ("raw", "failing"):
            (home / name).mkdir()
        began_s = time.perf_counter()
        server = DiskServer("n1", home / "failing")
        await server.ready()
        print(f"a disk is there after        {(time.perf_counter() - began_s) * 1e3:.0f} ms", flush=True)
        try:
            compare("append and fsync", lambda at: appends_s(at, sync=True), home, runs, "goal: at most 3")
            compare("append", lambda at: appends_s(at, sync=False), home, runs)
            compare("SQLite, a commit", commits_s, home, runs)
        finally:
            await server.end()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    asyncio.run(main(parser.parse_args().runs))
