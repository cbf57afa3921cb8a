"""Who was served during faults, and whether progress came back after them.

It measures every fault's window, and makes one promise a claim: once everything is healed, some operation
succeeds within ``progress_s``. It is a promise of liveness, so it is broken only if someone tried and the run
went on for that long.

A system may promise more for as long as a fault holds, from ``grace_s`` after its start on, for an election takes
its time: that of the operations invoked then at least the share ``served_min`` succeeds; and that no more than
``stall_max_s`` passes without a success though somebody tries, so that nothing, such as elections without end,
keeps it from progress while the fault is not healed. Who is served on which side of a partition is
the matter of the checker ``sides``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from checkers.figures import MILLISECOND_NS, SECOND_NS, Quantiles, begun, latency_ms, ok_times_ns, tally, timed
from checkers.windows import Fault, Mark, Windows, windows_of
from checkers.wording import count
from harness.errors import PlanError
from harness.history import OK, Calls, History
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "availability"
PROGRESS_S = 5.0
NO_PROGRESS, NOT_SERVED, STALLED = "no-progress", "fault-not-served", "stalled"
# A fault during which fewer operations were invoked is measured, but no promise is called broken for it.
OPERATIONS_MIN = 10
# Of the operations that did not succeed, this many are shown.
SHOWN_MAX = 10


def make(
    *,
    progress_s: float = PROGRESS_S,
    served_min: float | None = None,
    grace_s: float = 0.0,
    stall_max_s: float | None = None,
) -> Checker:
    """Does progress return after the faults? Reports how much was served in each; options progress_s: how soon
    it must; served_min: the share of operations that must succeed during every fault, from grace_s after its
    start on; stall_max_s: the longest time without a success then.

    Raises PlanError for a share that is none, or a time below 0.
    """
    if served_min is not None and not 0 <= served_min <= 1:
        raise PlanError(f"served_min is {served_min!r}; a share of operations is a number from 0 to 1")
    for name, time_s in (("grace_s", grace_s), ("stall_max_s", stall_max_s)):
        if time_s is not None and not time_s >= 0:
            raise PlanError(f"{name} is {time_s!r}; it must be 0 or more seconds")
    return Availability(progress_s=progress_s, served_min=served_min, grace_s=grace_s, stall_max_s=stall_max_s)


@dataclass(slots=True, kw_only=True)
class Availability:
    """See the module."""

    progress_s: float = PROGRESS_S
    served_min: float | None = None
    grace_s: float = 0.0
    stall_max_s: float | None = None
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        verdict = self._recovery(history)
        if self.served_min is None and self.stall_max_s is None:
            return verdict
        judged, broken = self._during(history)
        if broken:
            anomalies = (*verdict.anomalies, *broken)
            return replace(verdict, validity=Validity.INVALID, reason=anomalies[0].reason, anomalies=anomalies)
        if not judged and verdict.validity is not Validity.INVALID:
            reason = f"during no fault were {OPERATIONS_MIN} operations invoked, so who is served then is not known"
            return replace(verdict, validity=Validity.UNKNOWN, reason=reason)
        return verdict

    def _during(self, history: History) -> tuple[int, list[Anomaly]]:
        """How many faults can be judged, and what was promised for their time and not kept."""
        calls, end_ns = timed(history), int(history.time_ns.max(initial=0))
        judged, broken = 0, []
        for fault in windows_of(history).faults:
            start_ns = fault.start_ns + round(self.grace_s * SECOND_NS)
            stop_ns = end_ns if fault.end_ns is None else fault.end_ns
            part = begun(calls, start_ns, stop_ns)
            if len(part) < OPERATIONS_MIN:
                continue
            judged += 1
            broken += [*self._unserved(fault, start_ns, part), *self._stalled(fault, start_ns, stop_ns, calls)]
        return judged, broken

    def _unserved(self, fault: Fault, start_ns: int, part: Calls) -> Iterator[Anomaly]:
        ok = part.outcome == OK
        if self.served_min is not None and ok.mean() < self.served_min:
            reason = (
                f"during {fault.title}, from {start_ns / SECOND_NS:.3f} s on, {int(ok.sum()):,} of "
                f"{count(len(part), 'operation')} succeeded: at least {self.served_min:.0%} must"
            )
            yield Anomaly(checker=NAME, name=NOT_SERVED, ops=_lines(part.where(~ok)), reason=reason)

    def _stalled(self, fault: Fault, start_ns: int, stop_ns: int, calls: Calls) -> Iterator[Anomaly]:
        """The longest time without a success, if it is too long and somebody tried in it."""
        from_ns, to_ns = _longest_gap_ns(calls, start_ns, stop_ns)
        tried = begun(calls, from_ns, to_ns)
        if (
            self.stall_max_s is not None
            and to_ns - from_ns > self.stall_max_s * SECOND_NS
            and len(tried) >= OPERATIONS_MIN
        ):
            reason = (
                f"while {fault.title} held, no operation succeeded from {from_ns / SECOND_NS:.3f} s to {to_ns / SECOND_NS:.3f} s, "
                f"although {count(len(tried), 'was', 'were')} invoked: some must succeed every {self.stall_max_s:g} s"
            )
            yield Anomaly(checker=NAME, name=STALLED, ops=_lines(tried), reason=reason)

    def _recovery(self, history: History) -> Verdict:
        calls, windows = timed(history), windows_of(history)
        end_ns = int(history.time_ns.max(initial=0))
        stats: dict[str, Any] = {
            "faults": [_figures(calls, fault, end_ns) for fault in windows.faults],
            "before_faults": _before(calls, windows),
        }
        heal = windows.heal
        if heal is None or heal.done_ns is None or not windows.faults:
            words = _served(stats["faults"]) or "there were no faults"
            return Verdict(checker=NAME, validity=Validity.VALID, reason=words, stats=stats)
        if not (heal.healed and all(fault.healed for fault in windows.faults)):
            reason = "not every fault was healed, so nothing can be said about recovery"
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=reason, stats=stats)
        after = begun(calls, heal.done_ns, None)
        progress_ns = _first_ok(calls, heal)
        stats["after_heal"] = {**tally(after), "latency_ms": latency_ms(after)}
        stats["recovery_ms"] = None if progress_ns is None else (progress_ns - heal.done_ns) / MILLISECOND_NS
        return self._judge(after, heal, progress_ns, end_ns, stats)

    def _judge(self, after: Calls, heal: Mark, progress_ns: int | None, end_ns: int, stats: dict[str, Any]) -> Verdict:
        assert heal.done_ns is not None
        bound_ns = heal.done_ns + round(self.progress_s * SECOND_NS)
        healed = f"the faults were healed at {heal.done_ns / SECOND_NS:.3f} s"
        if progress_ns is not None and progress_ns <= bound_ns:
            reason = f"{_served(stats['faults'])}; progress came back {stats['recovery_ms']:,.1f} ms after everything was healed"
            return Verdict(checker=NAME, validity=Validity.VALID, reason=reason, stats=stats)
        tried = begun(after, heal.done_ns, bound_ns)
        if not len(tried):
            reason = f"no operation was invoked in the {self.progress_s:g} s after {healed}, so recovery was not seen"
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=reason, stats=stats)
        if end_ns < bound_ns:
            seen_s = (end_ns - heal.done_ns) / SECOND_NS
            reason = f"the run ended {seen_s:.3f} s after {healed}: too soon to say that progress does not come back"
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=reason, stats=stats)
        return self._broken(tried, healed, progress_ns, stats)

    def _broken(self, tried: Calls, healed: str, progress_ns: int | None, stats: dict[str, Any]) -> Verdict:
        until = "" if progress_ns is None else f"; the first success came only at {progress_ns / SECOND_NS:.3f} s"
        reason = (
            f"no operation succeeded within {self.progress_s:g} s after {healed}, "
            f"although {count(len(tried), 'was', 'were')} invoked{until}"
        )
        anomaly = Anomaly(checker=NAME, name=NO_PROGRESS, ops=_lines(tried), reason=reason)
        return Verdict(checker=NAME, validity=Validity.INVALID, reason=reason, anomalies=(anomaly,), stats=stats)


def _lines(calls: Calls) -> tuple[int, ...]:
    """The recorded indices of the first of these calls, invocations and completions."""
    history, rows = calls.history, calls.call[:SHOWN_MAX].tolist()
    shown = sorted({*rows, *(int(history.pair[row]) for row in rows if history.pair[row] >= 0)})
    return tuple(int(history.index[row]) for row in shown)


def _first_ok(calls: Calls, heal: Mark) -> int | None:
    """When the first operation succeeded after the heal, whenever it was invoked."""
    times = ok_times_ns(calls)
    at = int(np.searchsorted(times, heal.done_ns or 0))
    return int(times[at]) if at < len(times) else None


def _figures(calls: Calls, fault: Fault, run_end_ns: int) -> dict[str, Any]:
    """How a fault's window went: operations invoked in it, the share of them that succeeded, the longest time
    without a success.
    """
    end_ns = run_end_ns if fault.end_ns is None else fault.end_ns
    part = begun(calls, fault.start_ns, end_ns)
    gap_from_ns, gap_to_ns = _longest_gap_ns(calls, fault.start_ns, end_ns)
    return {
        "id": fault.id,
        "kind": fault.kind,
        "start_s": fault.start_ns / SECOND_NS,
        "end_s": None if fault.end_ns is None else fault.end_ns / SECOND_NS,
        "operations": len(part),
        "ok_share": round(float((part.outcome == OK).mean()), 4) if len(part) else None,
        "unavailable_ms": (gap_to_ns - gap_from_ns) / MILLISECOND_NS,
        "latency_ms": latency_ms(part),
    }


def _longest_gap_ns(calls: Calls, start_ns: int, end_ns: int) -> tuple[int, int]:
    """From when to when nothing of the window completed ok: the longest such time."""
    times = ok_times_ns(calls)
    inside = times[(times >= start_ns) & (times <= end_ns)]
    edges = np.concatenate([[start_ns], inside, [end_ns]])
    longest = int(np.diff(edges).argmax())
    return int(edges[longest]), int(edges[longest + 1])


def _before(calls: Calls, windows: Windows) -> Quantiles:
    """Latencies before the first fault: what to compare with."""
    first_ns = min((fault.start_ns for fault in windows.faults), default=None)
    return latency_ms(begun(calls, 0, first_ns))


def _served(faults: list[dict[str, Any]]) -> str:
    """One clause on the worst fault."""
    rated = [fault for fault in faults if fault["ok_share"] is not None]
    if not rated:
        return "no operation was invoked during the faults" if faults else ""
    worst = min(rated, key=lambda fault: (fault["ok_share"], -fault["unavailable_ms"]))
    return (
        f"during the worst fault ({worst['kind']} {worst['id']}) {worst['ok_share']:.0%} of {count(worst['operations'], 'operation')} "
        f"succeeded, with {worst['unavailable_ms']:,.1f} ms without any"
    )
