"""What message queues lose, double and put out of order, by how they are asked to be careful.

    python benchmarks/queue_loss.py [SEEDS | FIRST-END] [ROW ...]

A row per variant and faults (all rows, if none is named), over the seeds 0 to SEEDS - 1, or FIRST to END - 1: half a minute of cluster time
each, five nodes, ten clients, 50 operations per second, in the simulator. Of the acknowledged messages, "lost" were in none of the final
polls (of a log: from its beginning; of a queue: nobody ever got them), "doubled" came more than once, and of the sends of several messages
at once, "reordered" got offsets out of order. Each share has two 95 % intervals, as in ``primary_loss``: by messages (Wilson), and by runs,
which is the honest one where losses come in bursts. The last column is the share of the operations that succeeded while faults held.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.primary_loss import over_runs, percent
from harness import store
from harness.cli.judging import judge_run
from harness.cli.planning import Request, make_plan
from harness.cli.run import conduct_plan
from harness.op import Op, OpType
from harness.samples import wilson

BRIEF: Mapping[str, float] = {"time_limit_s": 30.0, "rate": 50.0, "interval_s": 3.0}
BOTH = "partition,kill"
# Row → what is run.
ROWS: Mapping[str, Mapping[str, Any]] = {
    "log, acks=all": {"target": "queue/log", "nemesis": BOTH},
    "log, acks=1": {"target": "queue/log-acks-1", "nemesis": BOTH},
    "log, clean elections": {
        "target": "queue/log",
        "nemesis": BOTH,
        "options": {"session_s": 0.4, "beat_s": 0.1, "lag_s": 0.4},
    },
    "log, unclean elections": {"target": "queue/log-unclean", "nemesis": BOTH},
    "log, idempotent, pipelined": {"target": "queue/log", "workload": "kafka-pipelined", "nemesis": "packet,partition"},
    "log, at least once, pipelined": {
        "target": "queue/log-at-least-once",
        "workload": "kafka-pipelined",
        "nemesis": "packet,partition",
    },
    "broker, on Raft": {"target": "queue/broker", "nemesis": BOTH},
    "broker, confirms off": {"target": "queue/broker", "nemesis": BOTH, "options": {"confirms": False}},
    "broker, acknowledged early": {"target": "queue/broker", "nemesis": BOTH, "options": {"consume": "early"}},
    "broker, acknowledgement is effect": {
        "target": "queue/broker",
        "nemesis": BOTH,
        "options": {"consume": "effect", "numbered": True},
    },
    "broker, mirrored, pause-minority": {"target": "queue/broker-pause-minority", "nemesis": "partition"},
    "broker, mirrored, autoheal": {"target": "queue/broker-autoheal", "nemesis": "partition"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """``lost`` of ``acknowledged``, by the names that ``over_runs`` knows, whatever it was that happened to them."""

    lost: int
    acknowledged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One run: of so many messages, how many were lost, doubled; of so many sends, how many out of order; operations during faults."""

    verdict: str
    lost: Share
    doubled: Share
    reordered: Share
    answered: Share


def measure(seed: int, wishes: Mapping[str, Any]) -> Outcome:
    """One run."""
    settings = {name: value for name, value in wishes.items() if name in ("options", "workload")}
    plan = make_plan(
        Request(
            target=wishes["target"], cluster="sim", seed=seed, nemesis=wishes["nemesis"], **settings, settings=BRIEF
        )
    )
    with tempfile.TemporaryDirectory() as directory:
        run = store.create(Path(directory), plan)
        conduct_plan(plan, run)
        report = judge_run(run)
    stats = next(found["stats"] for found in report.results["checkers"] if found["checker"] == "availability")
    during = sum(fault["operations"] for fault in stats["faults"])
    well = round(sum(fault["operations"] * (fault["ok_share"] or 0.0) for fault in stats["faults"]))
    ops = list(report.history)
    count = _of_a_log if any(op.f == "send" for op in ops) else _of_a_queue
    return Outcome(verdict=report.results["verdict"], answered=Share(lost=well, acknowledged=during), **count(ops))


def _of_a_log(ops: Sequence[Op]) -> dict[str, Share]:
    sends = [op.value for op in ops if op.f == "send" and op.type is OpType.OK]
    acked = {(key, message) for value in sends for _, key, (_, message) in value}
    several = [[offset for _, _, (offset, _) in value] for value in sends if len(value) > 1]
    places = Counter(
        (key, message)
        for key, message, _ in {
            (key, message, offset)
            for op in ops
            if op.f == "poll" and op.type is OpType.OK and op.extra.get("final")
            for key, pairs in op.value[0][1].items()
            for offset, message in pairs
        }
    )
    return _shares(acked, places, sum(offsets != sorted(offsets) for offsets in several), len(several))


def _of_a_queue(ops: Sequence[Op]) -> dict[str, Share]:
    acked = {op.value for op in ops if op.f == "enqueue" and op.type is OpType.OK}
    came = Counter(op.value for op in ops if op.f == "dequeue" and op.type is OpType.OK and op.value is not None)
    # Each dequeue of unknown outcome may have taken one of those that are missing.
    unknown = sum(op.f == "dequeue" and op.type is OpType.INFO for op in ops)
    return _shares(acked, came, 0, 0, excused=unknown)


def _shares(
    acked: Iterable[Any], places: Counter[Any], late: int, several: int, *, excused: int = 0
) -> dict[str, Share]:
    acked = list(acked)
    missing = sum(not places[message] for message in acked)
    return {
        "lost": Share(lost=max(missing - excused, 0), acknowledged=len(acked)),
        "doubled": Share(lost=sum(places[message] > 1 for message in acked), acknowledged=len(acked)),
        "reordered": Share(lost=late, acknowledged=several),
    }


def cell(shares: Sequence[Share]) -> str:
    """A share over all runs, with its intervals."""
    hits, total = sum(share.lost for share in shares), sum(share.acknowledged for share in shares)
    if not total:
        return "-"
    return f"{hits:,} of {total:,} ({100 * hits / total:.2f} %; {percent(wilson(hits, total))}; {percent(over_runs(shares))})"


def line(row: str, outcomes: Sequence[Outcome]) -> str:
    valid = sum(outcome.verdict == "valid" for outcome in outcomes)
    names = ("lost", "doubled", "reordered", "answered")
    shares = [cell([getattr(outcome, name) for outcome in outcomes]) for name in names]
    return f"| {' | '.join([row, f'{valid} of {len(outcomes)}', *shares])} |"


def main() -> None:
    """A line of a table per row."""
    first, _, end = (sys.argv[1] if len(sys.argv) > 1 else "20").rpartition("-")
    print(
        "| variant | valid | lost of acknowledged | doubled | sends out of order | succeeded during faults |",
        flush=True,
    )
    print("|---|---|---|---|---|---|", flush=True)
    for row in sys.argv[2:] or ROWS:
        outcomes = [measure(seed, ROWS[row]) for seed in range(int(first or 0), int(end))]
        print(line(row, outcomes), flush=True)


if __name__ == "__main__":
    main()
