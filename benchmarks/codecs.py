"""What a codec costs: bytes per message, and microseconds of processor time to write and to read one, on messages of real runs.

    python -m benchmarks.codecs [SECONDS]

The messages are all that nodes and clients of ``kv/raft`` and ``queue/log`` send in SECONDS (10) of a simulated run without faults, a
sample of them in equal steps. The codecs are those of the nodes: the standard library and nothing else.
"""

from __future__ import annotations

import sys
import time
from typing import Any
from unittest.mock import patch

from harness.clusters.sim import SimCluster
from targets.node.codecs import CODECS, codec_named
from tests.simulation import run

SAMPLE, ROUNDS = 4_000, 5


def messages(target: str, seconds: float) -> list[dict[str, Any]]:
    """All messages of such a run, thinned out to at most SAMPLE."""
    kept: list[dict[str, Any]] = []
    pack = SimCluster._encoded  # noqa: SLF001 - where every message passes

    def note(self: SimCluster, src: str, dest: str, body: dict[str, Any]) -> bytes:
        kept.append({"src": src, "dest": dest, "body": body})
        return pack(self, src, dest, body)

    with patch.object(SimCluster, "_encoded", note):
        run(target, seed=1, nemesis="none", time_limit_s=seconds)
    return kept[:: max(1, len(kept) // SAMPLE)]


def least_us(call: Any, items: list[Any]) -> float:
    """Per item, the least of ROUNDS."""
    spent = []
    for _ in range(ROUNDS):
        began_s = time.process_time()
        for item in items:
            call(item)
        spent.append(time.process_time() - began_s)
    return 1e6 * min(spent) / len(items)


def main() -> None:
    """One line per target and codec."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    print(f"{'messages of':12} {'codec':10} {'bytes':>8} {'write us':>9} {'read us':>8}")
    for target in ("kv/raft", "queue/log"):
        sample = messages(target, seconds)
        for name in CODECS:
            codec = codec_named(name)
            lines = [codec.encode(message) for message in sample]
            size = sum(map(len, lines)) / len(lines) + 1  # the end of the line
            write_us, read_us = least_us(codec.encode, sample), least_us(codec.decode, lines)
            print(f"{target:12} {name:10} {size:8.0f} {write_us:9.1f} {read_us:8.1f}")


if __name__ == "__main__":
    main()
