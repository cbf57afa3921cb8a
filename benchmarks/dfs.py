"""What failures cost a file system after GFS and HDFS, and what its rules are worth.

    python -m benchmarks.dfs [SEEDS | FIRST-END] [ROW ...]

A row per question (all, if none is named), over the seeds 0 to SEEDS - 1, or FIRST to END - 1, five nodes, in the simulator, times in
virtual seconds:

    killed      two data nodes die at once and stay dead: what is lost, and how long a file had fewer than three live replicas
    flipped     bits of a chunk flip on one node: how long until that is found, and until there is a good replica again
    doubled     appends while links are cut and lose, and nodes die: how many of the acknowledged records stand twice
    fenced      names under partitions and pauses, with fencing: in how many runs the namespace is not what clients were told
    unfenced    the same without fencing
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.primary_loss import percent
from harness import store
from harness.cli.judging import judge_run
from harness.cli.planning import Request, make_plan
from harness.cli.run import conduct_plan
from harness.op import OpType
from harness.samples import wilson
from reports.report import Report

KILL_S, FLIP_S = 5.0, 8.0
KILLED = {"kind": "kill", "start_s": KILL_S, "end_s": 20, "args": {"nodes": ["n4", "n5"]}}
_FLIP = {"shape": "bit-flip", "path": "chunk-*", "count": 1, "nodes": ["n4"]}
FLIPPED = {"kind": "corrupt", "start_s": FLIP_S, "end_s": FLIP_S + 1, "args": _FLIP}
LENGTH: Mapping[str, Any] = {"time_limit_s": 20.0, "rate": 20.0, "interval_s": 3.0}
# Row → the faults, by schedule or by kinds, and what else is wished for.
ROWS: Mapping[str, Mapping[str, Any]] = {
    "killed": {"faults": (KILLED,)},
    "flipped": {"faults": (FLIPPED,)},
    "doubled": {"nemesis": "partition,packet,kill"},
    "fenced": {"nemesis": "partition,pause", "workload": "files"},
    "unfenced": {"nemesis": "partition,pause", "workload": "files", "options": {"fencing": False}},
}


def measure(seed: int, wishes: Mapping[str, Any]) -> Report:
    """One run, judged."""
    asked = {name: wishes[name] for name in ("nemesis", "workload", "options") if name in wishes}
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        if "faults" in wishes:
            asked["schedule"] = directory / "schedule.json"
            asked["schedule"].write_text(json.dumps({"version": 1, "faults": wishes["faults"]}))
        plan = make_plan(Request(target="dfs/gfs", cluster="sim", seed=seed, **asked, settings=LENGTH))
        run = store.create(directory, plan)
        conduct_plan(plan, run)
        return judge_run(run)


def files_of(report: Report) -> Mapping[str, Any]:
    """The figures of the checker ``files``."""
    found: Mapping[str, Any] = next(
        found["stats"] for found in report.results["checkers"] if found["checker"] == "files"
    )
    return found


def restored(reports: Sequence[Report]) -> str:
    acknowledged = sum(files_of(report)["acknowledged_records"] for report in reports)
    lost = sum(anomaly["name"] == "lost-record" for report in reports for anomaly in report.results["anomalies"])
    few_s = [files_of(report)["under_replicated_s"] for report in reports]
    return f"{lost} of {acknowledged:,} records lost; too few replicas for {_spread(few_s)}"


def repaired(reports: Sequence[Report]) -> str:
    found, repair = [], []
    for report in reports:
        lines = sorted((line["t"], line) for log in report.node_logs.values() for line in log if "chunk" in line)
        first = next(((t, line["chunk"]) for t, line in lines if line["event"] == "corrupt" and t > FLIP_S), None)
        if first is not None:
            again = (t for t, line in lines if line["event"] == "cloned" and line["chunk"] == first[1] and t > first[0])
            found.append(first[0] - FLIP_S)
            repair.append(next(again, float("inf")) - FLIP_S)
    return f"found in {len(found)} of {len(reports)} runs, after {_spread(found)}; a good replica again after {_spread(repair)}"


def doubled(reports: Sequence[Report]) -> str:
    twice = total = 0
    for report in reports:
        acknowledged = _acknowledged(report)
        places = {(path, *place) for path, content in _last_reads(report).items() for place in content}
        shown = Counter(record for _, _, record in places)
        twice += sum(shown[record] > 1 for record in acknowledged)
        total += len(acknowledged)
    return f"{twice:,} of {total:,} acknowledged records stand twice ({100 * twice / total:.2f} %; {percent(wilson(twice, total))})"


def harmed(reports: Sequence[Report]) -> str:
    hurt = [report for report in reports if report.results["verdict"] == "invalid"]
    names = Counter(name for report in hurt for name in {anomaly["name"] for anomaly in report.results["anomalies"]})
    kinds = ", ".join(f"{name} in {many}" for name, many in names.most_common())
    share = percent(wilson(len(hurt), len(reports)))
    return f"{len(hurt)} of {len(reports)} runs invalid ({share}){': ' + kinds if kinds else ''}"


TOLD: Mapping[str, Callable[[Sequence[Report]], str]] = {
    "killed": restored,
    "flipped": repaired,
    "doubled": doubled,
    "fenced": harmed,
    "unfenced": harmed,
}


def _acknowledged(report: Report) -> set[int]:
    """The records whose append succeeded: they stand in the invocations."""
    asked: dict[Any, Any] = {}
    found = set()
    for op in report.history:
        if op.f == "append" and op.type is OpType.INVOKE:
            asked[op.process] = op.value
        elif op.f == "append" and op.type is OpType.OK:
            found.add(asked[op.process])
    return found


def _last_reads(report: Report) -> dict[Any, set[tuple[int, Any]]]:
    """What the last read of each file found."""
    return {
        op.key: {(offset, record) for offset, record in op.value}
        for op in report.history
        if op.f == "read" and op.type is OpType.OK
    }


def _spread(times_s: Sequence[float]) -> str:
    return f"{statistics.median(times_s):.2f} s in the median, {max(times_s):.2f} s at most" if times_s else "-"


def main() -> None:
    """A line per row."""
    first, _, end = (sys.argv[1] if len(sys.argv) > 1 else "20").rpartition("-")
    for row in sys.argv[2:] or ROWS:
        reports = [measure(seed, ROWS[row]) for seed in range(int(first or 0), int(end))]
        verdicts = Counter(report.results["verdict"] for report in reports)
        print(f"{row}: {TOLD[row](reports)} [{dict(verdicts)}]", flush=True)


if __name__ == "__main__":
    main()
