"""What is lost of what was acknowledged: the table of losses, each beside its careful twin, which loses nothing under the same faults.

    python -m benchmarks.losses [RUNS] [ROW ...]

Simulated runs of half a minute or so with the seeds 0 to RUNS - 1 (by default 10) of every row, or of those named. "lost x of y
acknowledged (z %)" with the 95 % interval of z: by runs (ratio estimator), since what is lost is lost in bursts, and never narrower than
Wilson's by messages. More rows and settings: ``primary_loss``, ``dynamo_skew``, ``queue_loss``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from benchmarks import dynamo_skew, primary_loss, queue_loss
from benchmarks.primary_loss import over_runs
from benchmarks.queue_loss import BRIEF, Share
from harness.samples import wilson

Measure = Callable[[int], Share]  # seed → what was lost of what was acknowledged

BOTH = "partition,kill"


def _replicated(target: str, nemesis: str, bug: str | None, seed: int) -> Share:
    """Adds to a set."""
    wishes: Mapping[str, Any] = {"target": target, "workload": "set", "nemesis": nemesis, "bug": bug, "settings": BRIEF}
    run = primary_loss.measure(seed, wishes)
    return Share(lost=run.lost, acknowledged=run.acknowledged)


def _skewed(target: str, skew_s: float, seed: int) -> Share:
    """Adds to sets, while one of five clocks is ahead."""
    lost, acknowledged = dynamo_skew.lost(target, skew_s, seed)
    return Share(lost=lost, acknowledged=acknowledged)


def _queued(row: str, seed: int) -> Share:
    """Messages to a log or a queue."""
    return queue_loss.measure(seed, queue_loss.ROWS[row]).lost


def _mirrored(target: str, seed: int) -> Share:
    return queue_loss.measure(seed, {"target": target, "nemesis": "partition"}).lost


# Row → (what loses, its careful twin), each (what it is, how it is measured).
ROWS: Mapping[str, tuple[tuple[str, Measure], tuple[str, Measure]]] = {
    "failover": (
        ("asynchronous replication, partitions and crashes", partial(_replicated, "kv/primary-async", BOTH, None)),
        ("synchronous", partial(_replicated, "kv/primary-sync", BOTH, None)),
    ),
    "skew": (
        ("last write wins, one of five clocks 5 s ahead", partial(_skewed, "kv/dynamo-lww", 5.0)),
        ("versions kept side by side", partial(_skewed, "kv/dynamo", 5.0)),
    ),
    "acks": (
        ("a log with acks=1, partitions and crashes", partial(_queued, "log, acks=1")),
        ("acks=all", partial(_queued, "log, acks=all")),
    ),
    "unclean": (
        ("a log with unclean elections, partitions and crashes", partial(_queued, "log, unclean elections")),
        ("clean elections", partial(_queued, "log, clean elections")),
    ),
    "autoheal": (
        ("mirrored queues with autoheal, partitions", partial(_mirrored, "queue/broker-autoheal")),
        ("queues on Raft", partial(_mirrored, "queue/broker")),
    ),
    "power": (
        (
            "replicas that confirm before they sync, loss of power",
            partial(_replicated, "kv/primary-sync", "power", "replica-acks-before-sync"),
        ),
        ("replicas that sync first", partial(_replicated, "kv/primary-sync", "power", None)),
    ),
}


def told(shares: Sequence[Share]) -> str:
    """``lost x of y acknowledged (z %, 95 %: low to high %)``; the counts alone where nothing was acknowledged."""
    lost, acknowledged = (sum(getattr(share, name) for share in shares) for name in ("lost", "acknowledged"))
    words = f"lost {lost:,} of {acknowledged:,} acknowledged"
    if not acknowledged:
        return words
    intervals = (wilson(lost, acknowledged), over_runs(shares))
    low, high = min(low for low, _ in intervals), max(high for _, high in intervals)
    return f"{words} ({100 * lost / acknowledged:.3g} %, 95 %: {100 * low:.2g} to {100 * high:.2g} %)"


def line(row: str, runs: int) -> str:
    """A line of the table."""
    cells = []
    for name, measure in ROWS[row]:
        shares = [measure(seed) for seed in range(runs)]
        losing = sum(share.lost > 0 for share in shares)
        cells += [name, f"{told(shares)}; in {losing} of {runs} runs"]
    return f"| {' | '.join([row, *cells])} |"


def main() -> None:
    """The table, a line as soon as it is measured."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print("| row | what loses | how much | its twin | how much |\n|---|---|---|---|---|", flush=True)
    for row in sys.argv[2:] or ROWS:
        print(line(row, runs), flush=True)


if __name__ == "__main__":
    main()
