"""How stale reads are: how many versions behind, and for how long what they returned had been out of date.

For a read, only what is certain counts: the writes of its key that began after the version that it returned had taken effect
(its write had completed, or someone had read it), and that had completed before the read began. Whatever order the other
writes took, these came in between. Their number is how many versions the read is behind *at least*; the time since the first
of them completed is for how long *at least* it has been out of date. Both are 0 for every read of a linearizable register.
(A lower bound of k-atomicity and of Δ-atomicity: Golab, Li, Shah, "Analyzing consistency properties for fun and profit",
PODC 2011.) Of siblings, the freshest counts.

It measures, and is valid whatever it finds, unless a bound is asked for. A value that no write explains is an anomaly always.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.linearizable.encode import Unjudgeable
from checkers.replacements import Replacements
from checkers.versions import BEFORE_ALL, NONE, Versions, odd_sights, saw, versions_of
from checkers.wording import Narrator, count
from harness.errors import PlanError
from harness.history import History, Ints
from harness.samples import quantiles, wilson
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "staleness"
TOO_STALE = "too-stale"
# Of so many reads the verdict tells the story; the counts are of all.
ANOMALIES_MAX = 8
SECOND_NS = 1_000_000_000


def make(*, max_versions: int | None = None, max_seconds: float | None = None, siblings: bool = False) -> Checker:
    """How many versions, and for how long, are reads out of date? Options max_versions and max_seconds: more is an anomaly;
    siblings: reads return the list of all values that stand side by side.

    Raises PlanError for a bound below 0.
    """
    for name, bound in (("max_versions", max_versions), ("max_seconds", max_seconds)):
        if bound is not None and not bound >= 0:
            raise PlanError(f"{name} is {bound!r}; a bound on staleness is a number from 0")
    return Staleness(max_versions=max_versions, max_seconds=max_seconds, siblings=siblings)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Per read, in the order of their invocations: its ``call``, how many ``versions`` it is behind, for how many ``seconds`` what it
    returned had been replaced, and ``newer``, the call whose completion replaced it (NONE: it is not stale). ``exposed`` of them
    could have been stale, since some write of their key had completed before they began. ``timed``: the history has times.
    """

    call: Ints
    newer: Ints
    versions: Ints
    seconds: np.ndarray[Any, np.dtype[np.float64]]
    exposed: int
    timed: bool


@dataclass(slots=True, kw_only=True)
class Staleness:
    """See the module."""

    max_versions: int | None = None
    max_seconds: float | None = None
    siblings: bool = False
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        try:
            versions = versions_of(history, siblings=self.siblings)
        except Unjudgeable as problem:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=str(problem))
        found = measure(versions)
        stats = _stats(versions, found)
        odd = list(odd_sights(versions, NAME))
        beyond = self._beyond(found)
        told = [_too_stale(versions, found, at, self._allowed()) for at in beyond[:ANOMALIES_MAX]]
        stats["too_stale_reads"] = len(beyond)
        if odd or told:
            anomalies = (*odd[:ANOMALIES_MAX], *told)
            return Verdict(
                checker=NAME,
                validity=Validity.INVALID,
                reason=anomalies[0].reason if odd else f"{_summary(stats)}: {anomalies[0].reason}",
                anomalies=anomalies,
                stats=stats,
            )
        doubt = self._doubt(found)
        if doubt:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=doubt, stats=stats)
        return Verdict(checker=NAME, validity=Validity.VALID, reason=_summary(stats), stats=stats)

    def _beyond(self, found: Measured) -> list[int]:
        """The reads that exceed a bound, the worst first."""
        beyond = np.zeros(len(found.call), dtype=np.bool_)
        if self.max_versions is not None:
            beyond |= found.versions > self.max_versions
        if self.max_seconds is not None and found.timed:
            beyond |= found.seconds > self.max_seconds
        places = np.flatnonzero(beyond)
        order = np.lexsort((found.call[places], -found.versions[places], -found.seconds[places]))
        worst: list[int] = places[order].tolist()
        return worst

    def _doubt(self, found: Measured) -> str:
        """Why nothing can be said; empty if something can."""
        if not found.exposed:
            return "no read began after a write of its key had completed, so none could have been stale"
        if self.max_seconds is not None and not found.timed:
            return "the history has no times, so the bound in seconds cannot be judged"
        return ""

    def _allowed(self) -> str:
        versions = None if self.max_versions is None else count(self.max_versions, "version")
        seconds = None if self.max_seconds is None else f"{self.max_seconds:g} s"
        return " and ".join(bound for bound in (versions, seconds) if bound)


def measure(versions: Versions) -> Measured:
    """How stale every read is whose value a write explains."""
    calls, writes = versions.calls, Replacements(versions)
    since_of = np.full(len(calls), BEFORE_ALL - 1, dtype=np.int64)
    np.maximum.at(since_of, versions.sight_call, versions.since[versions.sight])
    sees = since_of >= BEFORE_ALL
    sees[versions.odd_call] = False
    reads = np.flatnonzero(sees & (versions.made == NONE))
    key, since, began = versions.key[reads], since_of[reads], calls.call[reads]
    first = writes.first(key, since)
    stale = first < began
    behind = np.zeros(len(reads), dtype=np.int64)
    behind[stale] = writes.count(key[stale], since[stale], began[stale])
    times = calls.history.time_ns
    timed = len(times) > 0 and int(times.min()) >= 0
    seconds = np.zeros(len(reads))
    if timed:
        # A foreign history may have two clocks: time never counts backwards here.
        passed_ns = times[began[stale]] - times[first[stale]]
        seconds[stale] = np.maximum(passed_ns, 0) / SECOND_NS
    return Measured(
        call=reads,
        newer=np.where(stale, writes.write_ending(first), NONE),
        versions=behind,
        seconds=seconds,
        exposed=int((writes.first(key, np.full(len(reads), BEFORE_ALL)) < began).sum()),
        timed=timed,
    )


def _stats(versions: Versions, found: Measured) -> dict[str, Any]:
    reads, stale = len(found.call), int((found.versions > 0).sum())
    low, high = wilson(stale, reads)
    stats: dict[str, Any] = {
        "reads": reads,
        "exposed_reads": found.exposed,
        "stale_reads": stale,
        "stale_share": round(stale / reads, 6) if reads else None,
        "stale_share_95": [round(low, 6), round(high, 6)],
        "versions_behind": quantiles(found.versions),
        "seconds_behind": quantiles(found.seconds) if found.timed else {},
        "worst": None,
    }
    if stale:
        worst = int(np.lexsort((found.versions, found.seconds))[-1])
        row = int(found.call[worst])
        stats["worst"] = {
            "index": int(versions.calls.history.index[versions.calls.call[row]]),
            "versions": int(found.versions[worst]),
            "seconds": round(float(found.seconds[worst]), 9) if found.timed else None,
        }
    return stats


def _summary(stats: dict[str, Any]) -> str:
    reads, stale = stats["reads"], stats["stale_reads"]
    low, high = stats["stale_share_95"]
    chance = f"95 % confidence: {low:.2%} to {high:.2%}"
    if not stale:
        return f"none of {count(reads, 'read')} was certainly stale ({chance})"
    behind = stats["versions_behind"]["1"]
    since = f", for up to {stats['seconds_behind']['1']:,.3f} s" if stats["seconds_behind"] else ""
    return (
        f"{stale:,} of {count(reads, 'read')} ({stale / reads:.2%}; {chance}) "
        f"{'was' if stale == 1 else 'were'} stale, by up to {count(int(behind), 'version')}{since}"
    )


def _too_stale(versions: Versions, found: Measured, at: int, allowed: str) -> Anomaly:
    """``process 1 read 7 from key x (…), but 12 newer writes had completed …``."""
    say = Narrator(versions.calls)
    row = int(found.call[at])
    write = int(found.newer[at])
    number = int(found.versions[at])
    ago = f", {found.seconds[at]:,.3f} s before" if found.timed else ""
    newer = (
        f"{say.whose(write)}, which is newer, had completed {say.ended(write)}{ago}"
        if number == 1
        else f"{count(number, 'newer write')} had completed by then, the first of them {say.whose(write)} {say.ended(write)}{ago}"
    )
    source = [w for w in versions.writer[versions.sight[versions.sight_call == row]].tolist() if w != NONE]
    lines = say.lines([row, write, *source])
    return Anomaly(
        checker=NAME,
        name=TOO_STALE,
        ops=say.lines([row, write]),
        reason=f"{say.who(row)} read {saw(versions, row)}{say.key(row, 'from')} {say.span(row)}, but {newer}; the limit is {allowed}",
        witness=lines,
    )
