"""What is lost, doubled or put out of order of what was acknowledged, each beside its careful twin under the same faults.

    python -m benchmarks.losses [RUNS] [ROW ...]

Simulated runs of half a minute or so with the seeds 0 to RUNS - 1 (by default 10) of every row, or of those named. "lost x of y
acknowledged (z %)" with the 95 % interval of z: by runs (ratio estimator), since what is lost is lost in bursts, and never narrower than
Wilson's by messages. More rows and settings: ``primary_loss``, ``dynamo_skew``, ``queue_loss``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from benchmarks import dynamo_skew, primary_loss, queue_loss
from benchmarks.primary_loss import over_runs
from benchmarks.queue_loss import BRIEF, Outcome, Share
from harness.samples import wilson

Measure = Callable[[int], Share]  # seed → what was lost of what was acknowledged

BOTH = "partition,kill"
LEAST_ONCE, IDEMPOTENT = "log, at least once, pipelined", "log, idempotent, pipelined"
UNCONFIRMED = "broker, confirms off"


def _replicated(target: str, nemesis: str, bug: str | None, seed: int) -> Share:
    """Adds to a set."""
    wishes: Mapping[str, Any] = {"target": target, "workload": "set", "nemesis": nemesis, "bug": bug, "settings": BRIEF}
    run = primary_loss.measure(seed, wishes)
    return Share(lost=run.lost, acknowledged=run.acknowledged)


def _skewed(target: str, skew_s: float, seed: int) -> Share:
    """Adds to sets, while one of five clocks is ahead."""
    lost, acknowledged = dynamo_skew.lost(target, skew_s, seed)
    return Share(lost=lost, acknowledged=acknowledged)


@cache  # of one run there is more than one thing to tell
def _run_of(row: str, seed: int) -> Outcome:
    return queue_loss.measure(seed, queue_loss.ROWS[row])


def _queued(row: str, seed: int, what: str = "lost") -> Share:
    """Messages to a log or a queue: ``what`` happened to them, a field of ``queue_loss.Outcome``."""
    share: Share = getattr(_run_of(row, seed), what)
    return share


def _mirrored(target: str, seed: int) -> Share:
    return queue_loss.measure(seed, {"target": target, "nemesis": "partition"}).lost


_doubled, _reordered = partial(_queued, what="doubled"), partial(_queued, what="reordered")


@dataclass(frozen=True, slots=True)
class Row:
    """Two variants, each (what it is, how it is measured), and in words what ``happened`` to some of what."""

    careless: tuple[str, Measure]
    careful: tuple[str, Measure]
    happened: str = "lost"
    of: str = "acknowledged"


ROWS: Mapping[str, Row] = {
    "failover": Row(
        ("asynchronous replication, partitions and crashes", partial(_replicated, "kv/primary-async", BOTH, None)),
        ("synchronous", partial(_replicated, "kv/primary-sync", BOTH, None)),
    ),
    "skew": Row(
        ("last write wins, one of five clocks 5 s ahead", partial(_skewed, "kv/dynamo-lww", 5.0)),
        ("versions kept side by side", partial(_skewed, "kv/dynamo", 5.0)),
    ),
    "acks": Row(
        ("a log with acks=1, partitions and crashes", partial(_queued, "log, acks=1")),
        ("acks=all", partial(_queued, "log, acks=all")),
    ),
    "unclean": Row(
        ("a log with unclean elections, partitions and crashes", partial(_queued, "log, unclean elections")),
        ("clean elections", partial(_queued, "log, clean elections")),
    ),
    "duplicates": Row(
        ("a log's retries without sequences, packet faults and partitions", partial(_doubled, LEAST_ONCE)),
        ("idempotent producers", partial(_doubled, IDEMPOTENT)),
        happened="doubled",
    ),
    "order": Row(
        ("the same, several messages in flight at once", partial(_reordered, LEAST_ONCE)),
        ("idempotent producers", partial(_reordered, IDEMPOTENT)),
        happened="out of order",
        of="pipelined sends",
    ),
    "confirms": Row(
        ("a broker whose publishers wait for no confirms, partitions and crashes", partial(_queued, UNCONFIRMED)),
        ("confirms, queues on Raft", partial(_queued, "broker, on Raft")),
    ),
    "autoheal": Row(
        ("mirrored queues with autoheal, partitions", partial(_mirrored, "queue/broker-autoheal")),
        ("queues on Raft", partial(_mirrored, "queue/broker")),
    ),
    "power": Row(
        (
            "replicas that confirm before they sync, loss of power",
            partial(_replicated, "kv/primary-sync", "power", "replica-acks-before-sync"),
        ),
        ("replicas that sync first", partial(_replicated, "kv/primary-sync", "power", None)),
    ),
}


def told(shares: Sequence[Share], happened: str = "lost", of: str = "acknowledged") -> str:
    """``lost x of y acknowledged (z %, 95 %: low to high %)``; the counts alone where nothing was acknowledged."""
    hits, total = (sum(getattr(share, name) for share in shares) for name in ("lost", "acknowledged"))
    words = f"{happened} {hits:,} of {total:,} {of}"
    if not total:
        return words
    intervals = (wilson(hits, total), over_runs(shares))
    low, high = min(low for low, _ in intervals), max(high for _, high in intervals)
    return f"{words} ({100 * hits / total:.3g} %, 95 %: {100 * low:.2g} to {100 * high:.2g} %)"


def line(name: str, runs: int) -> str:
    """A line of the table."""
    row = ROWS[name]
    cells = []
    for variant, measure in (row.careless, row.careful):
        shares = [measure(seed) for seed in range(runs)]
        losing = sum(share.lost > 0 for share in shares)
        cells += [variant, f"{told(shares, row.happened, row.of)}; in {losing} of {runs} runs"]
    return f"| {' | '.join([name, *cells])} |"


def main() -> None:
    """The table, a line as soon as it is measured."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print("| row | what is careless | how much | its twin | how much |\n|---|---|---|---|---|", flush=True)
    for row in sys.argv[2:] or ROWS:
        print(line(row, runs), flush=True)


if __name__ == "__main__":
    main()
