"""Each side of a partition while it held: how many were served, how fast, how long it took; beside it the cluster without a fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.history import OK
from harness.splits import Bools, Split, clients_of, splits_of
from reports.faults import end_ns, faults
from reports.figures import completion_ns
from reports.report import Report
from reports.wording import SECOND_NS, sentence

QUANTILES = (0.5, 0.99)
SPLITS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side from ``start_ns`` to ``end_ns``; ``rank`` is "majority" or "minority", or "" of the whole cluster while no fault was on.

    ``served`` of ``decided`` operations succeeded there; ``waiting`` were asked there and had no outcome when the partition ended.
    ``latency_ns`` are those of the served at ``QUANTILES``, empty if there are none; ``per_s`` is how many were served per second.
    """

    start_ns: int
    end_ns: int
    nodes: tuple[str, ...]
    rank: str
    decided: int
    served: int
    waiting: int
    per_s: float
    latency_ns: tuple[int, ...]

    @property
    def share(self) -> float | None:
        return self.served / self.decided if self.decided else None


def sides(report: Report) -> list[Side]:
    """The cluster without a fault, then both sides of each partition; empty if the history has no times or no partition had two sides."""
    splits = list(splits_of(report.history))[:SPLITS_MAX] if report.timed else []
    rows = [row for split in splits for row in _of_split(report, split)]
    return [*_undisturbed(report), *rows] if any(row.decided or row.waiting for row in rows) else []


def _of_split(report: Report, split: Split) -> Iterator[Side]:
    calls = report.history.calls()
    for nodes in split.sides:
        found = clients_of(calls, split, nodes)
        per_s, latency_ns = _pace(report, found.served, split.end_ns - split.start_ns)
        yield Side(
            start_ns=split.start_ns,
            end_ns=split.end_ns,
            nodes=tuple(map(sentence, nodes)),
            rank=split.rank(nodes),
            decided=int(found.decided.sum()),
            served=int(found.served.sum()),
            waiting=int(found.open.sum()),
            per_s=per_s,
            latency_ns=latency_ns,
        )


def _undisturbed(report: Report) -> Iterator[Side]:
    """Operations that no fault touched, not even with their beginning; nothing if some fault was always on."""
    calls = report.history.calls()
    start_ns, finish_ns, over_ns = report.time_ns[calls.call], completion_ns(report), end_ns(report)
    on = [(fault.start_ns, over_ns if fault.end_ns is None else fault.end_ns) for fault in faults(report)]
    alone = finish_ns >= 0
    for began_ns, ended_ns in on:
        alone &= (finish_ns < began_ns) | (start_ns > ended_ns)
    quiet_ns = over_ns - _covered(on)
    if alone.any() and quiet_ns > 0:
        served = alone & (calls.outcome == OK)
        per_s, latency_ns = _pace(report, served, quiet_ns)
        yield Side(
            start_ns=0,
            end_ns=over_ns,
            nodes=(),
            rank="",
            decided=int(alone.sum()),
            served=int(served.sum()),
            waiting=0,
            per_s=per_s,
            latency_ns=latency_ns,
        )


def _covered(spans: Sequence[tuple[int, int]]) -> int:
    """How long at least one of these lasts."""
    total, reached = 0, 0
    for start, end in sorted(spans):
        total += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return total


def _pace(report: Report, served: Bools, length_ns: int) -> tuple[float, tuple[int, ...]]:
    """How many were served per second, and their latencies at ``QUANTILES``."""
    took_ns = (completion_ns(report) - report.time_ns[report.history.calls().call])[served]
    if not len(took_ns):
        return 0.0, ()
    at = np.quantile(took_ns, QUANTILES, method="inverted_cdf")
    return len(took_ns) * SECOND_NS / length_ns, tuple(int(value) for value in at)
