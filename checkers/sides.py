"""Who was served on which side of a partition: the textbook's sentence about consistency and availability, as figures.

Judged are partitions that leave two sides of which neither hears the other, a majority and a minority or two minorities; which operations
are whose is told in ``harness.splits``. The first ``grace_s`` of each do not count: an election takes its time.

It measures, and is valid whatever it finds, unless a bound is asked for: ``minority_max`` (a store that prefers consistency serves nobody
there: 0), ``majority_min``, ``both_min``, all shares of operations. Source: Gilbert and Lynch 2002; Brewer 2012.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.figures import SECOND_NS, timed
from checkers.wording import count, listed, text
from harness.errors import PlanError
from harness.history import Calls, History
from harness.samples import wilson
from harness.splits import MAJORITY, MINORITY, Bools, Split, clients_of, splits_of
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "sides"
MINORITY_SERVED, SIDE_NOT_SERVED = "minority-served", "side-not-served"
# The share of a side on which fewer operations were decided is measured, but no promise is called broken for it.
OPERATIONS_MIN = 10
# Of so many sides the verdict tells the story, each with so many operations; the counts are of all.
ANOMALIES_MAX = 8
SHOWN_MAX = 10


def make(
    *,
    grace_s: float = 0.0,
    minority_max: float | None = None,
    majority_min: float | None = None,
    both_min: float | None = None,
    fs: Sequence[str] | str | None = None,
) -> Checker:
    """Who is served on which side of a partition? Options: grace_s, so much of each partition's beginning does not count; minority_max,
    majority_min, both_min, bounds on the share of operations that succeed on a side; fs, the functions that count (all).

    Raises PlanError for a time below 0 or a share that is none.
    """
    if not grace_s >= 0:
        raise PlanError(f"grace_s is {grace_s!r}; it must be 0 or more seconds")
    bounds = {"minority_max": minority_max, "majority_min": majority_min, "both_min": both_min}
    for name, bound in bounds.items():
        if bound is not None and not 0 <= bound <= 1:
            raise PlanError(f"{name} is {bound!r}; a share of operations is a number from 0 to 1")
    chosen = (fs,) if isinstance(fs, str) else None if fs is None else tuple(fs)
    return Sides(grace_s=grace_s, minority_max=minority_max, majority_min=majority_min, both_min=both_min, fs=chosen)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Side:
    """One side of one split: which ``calls`` belong to it, and which of them (a mask) were ``served``."""

    split: Split
    nodes: tuple[str, ...]
    calls: Calls
    served: Bools

    @property
    def rank(self) -> str:
        return self.split.rank(self.nodes)

    @property
    def share(self) -> float | None:
        return float(self.served.mean()) if len(self.served) else None

    def figures(self) -> dict[str, Any]:
        return {"nodes": list(self.nodes), "side": self.rank, **_shares(int(self.served.sum()), len(self.served))}


@dataclass(slots=True, kw_only=True)
class Sides:
    """See the module."""

    grace_s: float = 0.0
    minority_max: float | None = None
    majority_min: float | None = None
    both_min: float | None = None
    fs: tuple[str, ...] | None = None
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = self._counted(timed(history))
        splits = list(splits_of(history, round(self.grace_s * SECOND_NS)))
        sides = [side for split in splits for side in _sides(calls, split)]
        stats = _stats(splits, sides)
        broken = [(side, name, bound) for side in sides for name, bound in self._broken(side)]
        if broken:
            anomalies = tuple(_anomaly(side, name, bound) for side, name, bound in broken[:ANOMALIES_MAX])
            more = f" (and {len(broken) - 1:,} more)" if len(broken) > 1 else ""
            reason = anomalies[0].reason + more
            return Verdict(checker=NAME, validity=Validity.INVALID, reason=reason, anomalies=anomalies, stats=stats)
        untested = self._untested(sides)
        if untested:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=untested, stats=stats)
        return Verdict(checker=NAME, validity=Validity.VALID, reason=_summary(stats), stats=stats)

    def _counted(self, calls: Calls) -> Calls:
        if self.fs is None:
            return calls
        codes = [code for code, f in enumerate(calls.history.fs) if f in self.fs]
        return calls.where(np.isin(calls.f, codes))

    def _least(self, rank: str) -> float | None:
        bounds = (self.both_min, self.majority_min if rank == MAJORITY else None)
        return max((bound for bound in bounds if bound is not None), default=None)

    def _most(self, rank: str) -> float | None:
        return self.minority_max if rank == MINORITY else None

    def _broken(self, side: Side) -> Iterator[tuple[str, float]]:
        """The promises that this side breaks, each with its bound."""
        share, most, least = side.share, self._most(side.rank), self._least(side.rank)
        if share is not None and most is not None and share > most:
            yield MINORITY_SERVED, most
        if share is not None and least is not None and len(side.served) >= OPERATIONS_MIN and share < least:
            yield SIDE_NOT_SERVED, least

    def _untested(self, sides: Sequence[Side]) -> str:
        """Why a promise that was asked for cannot be asserted; empty if it can, or if none was asked for."""
        for rank in (MINORITY, MAJORITY):
            asked = self._most(rank) is not None or self._least(rank) is not None
            if asked and sum(len(side.served) for side in sides if side.rank == rank) < OPERATIONS_MIN:
                return (
                    f"on {rank} sides of partitions fewer than {OPERATIONS_MIN} operations were decided while these held, "
                    "so whether anybody is served there is not known"
                )
        return ""


def _sides(calls: Calls, split: Split) -> Iterator[Side]:
    for nodes in split.sides:
        clients = clients_of(calls, split, nodes)
        mine = calls.where(clients.decided)
        yield Side(split=split, nodes=nodes, calls=mine, served=clients.served[clients.decided])


def _shares(served: int, operations: int) -> dict[str, Any]:
    low, high = wilson(served, operations)
    share = round(served / operations, 6) if operations else None
    return {"operations": operations, "served": served, "share": share, "share_95": [round(low, 6), round(high, 6)]}


def _stats(splits: Sequence[Split], sides: Sequence[Side]) -> dict[str, Any]:
    of: dict[str, Any] = {}
    for rank in (MAJORITY, MINORITY):
        mine = [side for side in sides if side.rank == rank]
        of[rank] = _shares(sum(int(side.served.sum()) for side in mine), sum(len(side.served) for side in mine))
    partitions = [
        {
            "id": text(split.id),
            "start_s": split.start_ns / SECOND_NS,
            "end_s": split.end_ns / SECOND_NS,
            "sides": [side.figures() for side in sides if side.split is split],
        }
        for split in splits
    ]
    return {**of, "partitions": partitions}


def _anomaly(side: Side, name: str, bound: float) -> Anomaly:
    split, served, history = side.split, int(side.served.sum()), side.calls.history
    wanted = side.served if name == MINORITY_SERVED else ~side.served
    shown = np.flatnonzero(wanted)[:SHOWN_MAX]
    rows = [row for call in side.calls.call[shown].tolist() for row in (call, int(history.pair[call])) if row >= 0]
    promise = f"at most {bound:.0%} may" if name == MINORITY_SERVED else f"at least {bound:.0%} must"
    reason = (
        f"while partition {text(split.id)} held ({split.start_ns / SECOND_NS:.3f} s – {split.end_ns / SECOND_NS:.3f} s), {served:,} of "
        f"{count(len(side.served), 'operation')} succeeded on the {side.rank} side ({' '.join(side.nodes)}): {promise}"
    )
    ops = tuple(int(history.index[row]) for row in sorted(rows))
    return Anomaly(checker=NAME, name=name, ops=ops, reason=reason)


def _summary(stats: Mapping[str, Any]) -> str:
    if not stats["partitions"]:
        return "no partition had two sides"
    parts = [
        f"{stats[rank]['served']:,} of {count(stats[rank]['operations'], 'operation')} on {rank} sides"
        for rank in (MAJORITY, MINORITY)
    ]
    return f"in {count(len(stats['partitions']), 'partition')} of two sides succeeded {listed(parts)}"
