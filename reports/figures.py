"""The few figures that describe a run at a glance: how many operations, how fast, how many faults, how many elections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.history import FAIL, INFO, NO_KEY, OK, Calls, Ints
from reports.faults import end_ns, faults
from reports.report import Report
from reports.roles import elections
from reports.wording import SECOND_NS, sentence

QUANTILES = (0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Client operations by outcome, and the latency of the ok ones in ns at ``QUANTILES`` (empty if there is none)."""

    f: str
    ok: int
    fail: int
    info: int
    latency_ns: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.ok + self.fail + self.info


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """``per_f`` has one row per function, ``all_ops`` is their sum. ``probed`` counts the faults of which it
    is known whether they took effect, ``bit`` those that did. ``elections`` is None if no node log speaks of
    roles.
    """

    all_ops: Counts
    per_f: tuple[Counts, ...]
    duration_ns: int
    faults: int
    probed: int
    bit: int
    healed: int
    elections: int | None

    @property
    def ok_per_s(self) -> float:
        return self.all_ops.ok * SECOND_NS / self.duration_ns if self.duration_ns else 0.0


def figures(report: Report) -> Figures:
    """The figures of a run, all from the history and the logs, so that they hold for a history without results, too."""
    calls = report.history.calls()
    ends = completion_ns(report)
    latency = ends - report.time_ns[calls.call]
    per_f = [_counts(sentence(name), calls, latency, calls.f == code) for code, name in enumerate(report.history.fs)]
    everything = faults(report)
    return Figures(
        all_ops=_counts("all", calls, latency, np.ones(len(calls), dtype=np.bool_)),
        per_f=tuple(row for row in per_f if row.total),
        duration_ns=end_ns(report),
        faults=len(everything),
        probed=sum(fault.bit is not None for fault in everything),
        bit=sum(fault.bit is True for fault in everything),
        healed=sum(fault.healed is True for fault in everything),
        elections=elections(report),
    )


def completion_ns(report: Report) -> Ints:
    """When each call's client stopped waiting, in ns since the run began; -1 if its completion was never recorded."""
    pair = report.history.pair[report.history.calls().call]
    return np.where(pair == NO_KEY, -1, report.time_ns[pair])


def _counts(f: str, calls: Calls, latency_ns: Ints, mask: npt.NDArray[np.bool_]) -> Counts:
    done = mask & (calls.outcome == OK)
    # Nearest rank: a quantile is a latency that some operation really had.
    at = np.quantile(latency_ns[done], QUANTILES, method="inverted_cdf") if done.any() else ()
    return Counts(
        f=f,
        ok=int(np.count_nonzero(done)),
        fail=int(np.count_nonzero(mask & (calls.outcome == FAIL))),
        info=int(np.count_nonzero(mask & (calls.outcome == INFO))),
        latency_ns=tuple(int(value) for value in at),
    )
