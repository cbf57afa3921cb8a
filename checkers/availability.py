"""Who was served during faults, and whether progress came back after them.

It measures every fault's window, and makes one promise a claim: once everything is healed, some operation
succeeds within ``progress_s``. It is a promise of liveness, so it is broken only if someone tried and the run
went on for that long.

A system may promise more: that of the operations invoked during a fault (later than ``grace_s`` after its
start, for an election takes its time) at least the share ``served_min`` succeeds, however long it holds.

Every fault's window is also measured on either side: on the nodes that were hit, and on the others. A store
that promises to stay available on both sides of a partition is asked for more: ``side_ok_min`` is the share of
operations that must succeed on either side of every partition. A side is judged by the operations whose clients
spoke to its nodes, if they were ``SIDE_OPS_MIN`` or more. Partitions during which another kind of fault held
are not judged: a dead node serves nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from checkers.figures import MILLISECOND_NS, SECOND_NS, Quantiles, begun, latency_ms, ok_times_ns, tally, timed
from checkers.windows import Fault, Mark, Windows, windows_of
from checkers.wording import count, listed
from harness.errors import PlanError
from harness.history import OK, Calls, History
from harness.samples import wilson
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "availability"
PROGRESS_S = 5.0
NO_PROGRESS, NOT_SERVED, SIDE_UNAVAILABLE = "no-progress", "fault-not-served", "side-unavailable"
# A fault during which fewer operations were invoked is measured, but no promise is called broken for it.
OPERATIONS_MIN = 10
PARTITION = "partition"
# Fewer operations on a side say nothing about it.
SIDE_OPS_MIN = 10
# Of the operations that did not succeed, this many are shown.
SHOWN_MAX = 10


def make(
    *,
    progress_s: float = PROGRESS_S,
    served_min: float | None = None,
    grace_s: float = 0.0,
    side_ok_min: float | None = None,
) -> Checker:
    """Does progress return after the faults? Reports how much was served in each; options progress_s: how soon
    it must; served_min: the share of operations that must succeed during every fault, from grace_s after its
    start on; side_ok_min: the share of them that must succeed on either side of every partition.

    Raises PlanError for a share that is none, or a time below 0.
    """
    for name, share in (("served_min", served_min), ("side_ok_min", side_ok_min)):
        if share is not None and not 0 <= share <= 1:
            raise PlanError(f"{name} is {share!r}; a share of operations is a number from 0 to 1")
    if not grace_s >= 0:
        raise PlanError(f"grace_s is {grace_s!r}; it must be 0 or more seconds")
    return Availability(progress_s=progress_s, served_min=served_min, grace_s=grace_s, side_ok_min=side_ok_min)


@dataclass(slots=True, kw_only=True)
class Availability:
    """See the module."""

    progress_s: float = PROGRESS_S
    served_min: float | None = None
    grace_s: float = 0.0
    side_ok_min: float | None = None
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        verdict = self._whole(history)
        return verdict if self.side_ok_min is None else _with_sides(verdict, history, self.side_ok_min)

    def _whole(self, history: History) -> Verdict:
        """Recovery, and what was served in each fault as a whole."""
        verdict = self._recovery(history)
        if self.served_min is None or verdict.validity is Validity.INVALID:
            return verdict
        judged, broken = self._unserved(history)
        if broken:
            return replace(verdict, validity=Validity.INVALID, reason=broken[0].reason, anomalies=tuple(broken))
        if not judged:
            reason = f"during no fault were {OPERATIONS_MIN} operations invoked, so who is served then is not known"
            return replace(verdict, validity=Validity.UNKNOWN, reason=reason)
        return verdict

    def _unserved(self, history: History) -> tuple[int, list[Anomaly]]:
        """How many faults can be judged, and those during which too little succeeded."""
        assert self.served_min is not None
        calls, end_ns = timed(history), int(history.time_ns.max(initial=0))
        judged, broken = 0, []
        for fault in windows_of(history).faults:
            start_ns = fault.start_ns + round(self.grace_s * SECOND_NS)
            part = begun(calls, start_ns, end_ns if fault.end_ns is None else fault.end_ns)
            if len(part) < OPERATIONS_MIN:
                continue
            judged += 1
            ok = part.outcome == OK
            if ok.mean() < self.served_min:
                reason = (
                    f"during {fault.title}, from {start_ns / SECOND_NS:.3f} s on, {int(ok.sum()):,} of "
                    f"{count(len(part), 'operation')} succeeded: at least {self.served_min:.0%} must"
                )
                ops = _lines(part.where(~ok))
                broken.append(Anomaly(checker=NAME, name=NOT_SERVED, ops=ops, reason=reason))
        return judged, broken

    def _recovery(self, history: History) -> Verdict:
        calls, windows = timed(history), windows_of(history)
        end_ns = int(history.time_ns.max(initial=0))
        stats: dict[str, Any] = {
            "faults": [_during(calls, fault, end_ns) for fault in windows.faults],
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


def _during(calls: Calls, fault: Fault, run_end_ns: int) -> dict[str, Any]:
    """How a fault's window went: operations invoked in it, the share of them that succeeded, the longest time
    without a success.
    """
    end_ns = run_end_ns if fault.end_ns is None else fault.end_ns
    part = begun(calls, fault.start_ns, end_ns)
    return {
        "id": fault.id,
        "kind": fault.kind,
        "start_s": fault.start_ns / SECOND_NS,
        "end_s": None if fault.end_ns is None else fault.end_ns / SECOND_NS,
        "operations": len(part),
        "ok_share": round(float((part.outcome == OK).mean()), 4) if len(part) else None,
        "unavailable_ms": _longest_gap_ns(calls, fault.start_ns, end_ns) / MILLISECOND_NS,
        "latency_ms": latency_ms(part),
        "sides": _sides(part, fault),
    }


def _sides(part: Calls, fault: Fault) -> list[dict[str, Any]]:
    """How the nodes that were hit served, and the others; sides that no client spoke to are left out."""
    names = part.history.nodes
    hit = np.array([name in fault.targets for name in names], dtype=np.bool_)
    found = []
    for mine in (hit, ~hit):
        nodes = [name for name, wanted in zip(names, mine.tolist(), strict=True) if wanted]
        side = part.where(np.isin(part.node, np.flatnonzero(mine)))
        if len(side) and fault.targets:
            ok = int((side.outcome == OK).sum())
            low, high = wilson(ok, len(side))
            found.append(
                {
                    "nodes": nodes,
                    "operations": len(side),
                    "ok_share": round(ok / len(side), 4),
                    "ok_share_95": [round(low, 4), round(high, 4)],
                }
            )
    return found


def _with_sides(verdict: Verdict, history: History, ok_min: float) -> Verdict:
    """``verdict``, and that either side of every partition served so much. Unknown if no partition shows it."""
    faults = verdict.stats["faults"]
    partitions = [fault for fault in faults if fault["kind"] == PARTITION and not _mixed(fault, faults)]
    judged = [(fault, side) for fault in partitions for side in fault["sides"] if side["operations"] >= SIDE_OPS_MIN]
    anomalies = tuple(_unavailable(history, fault, side, ok_min) for fault, side in judged if side["ok_share"] < ok_min)
    if anomalies:
        anomalies = (*verdict.anomalies, *anomalies)
        return replace(verdict, validity=Validity.INVALID, reason=anomalies[0].reason, anomalies=anomalies)
    sides = [sum(side["operations"] >= SIDE_OPS_MIN for side in fault["sides"]) for fault in partitions]
    if not any(busy > 1 for busy in sides):
        reason = f"in no partition alone were there {SIDE_OPS_MIN} operations on either side; {verdict.reason}"
        return replace(verdict, validity=max(verdict.validity, Validity.UNKNOWN), reason=reason)
    worst = min((side["ok_share"] for _, side in judged), default=1.0)
    served = f"on either side of {count(len(partitions), 'partition')} at least {worst:.1%} of the operations succeeded"
    return replace(verdict, reason=f"{served}; {verdict.reason}")


def _mixed(fault: dict[str, Any], faults: list[dict[str, Any]]) -> bool:
    """Whether a fault of another kind held at some moment of this one."""
    forever = float("inf")
    start_s, end_s = fault["start_s"], fault["end_s"] or forever
    return any(
        other["kind"] != fault["kind"] and other["start_s"] <= end_s and start_s <= (other["end_s"] or forever)
        for other in faults
    )


def _unavailable(history: History, fault: dict[str, Any], side: dict[str, Any], ok_min: float) -> Anomaly:
    start_ns, end_s = round(fault["start_s"] * SECOND_NS), fault["end_s"]
    part = begun(history.calls(), start_ns, None if end_s is None else round(end_s * SECOND_NS))
    mine = np.isin(part.node, [code for code, name in enumerate(history.nodes) if name in side["nodes"]])
    rows = part.call[mine & (part.outcome != OK)][:SHOWN_MAX].tolist()
    reason = (
        f"during partition {fault['id']} ({fault['start_s']:.3f} s – {'the end' if end_s is None else f'{end_s:.3f} s'}) only "
        f"{side['ok_share']:.1%} of {count(side['operations'], 'operation')} on {listed(side['nodes'])} succeeded, "
        f"less than the {ok_min:.1%} that are promised"
    )
    ops = tuple(int(history.index[row]) for row in rows)
    return Anomaly(checker=NAME, name=SIDE_UNAVAILABLE, ops=ops, reason=reason)


def _longest_gap_ns(calls: Calls, start_ns: int, end_ns: int) -> int:
    """The longest time of the window in which nothing completed ok."""
    times = ok_times_ns(calls)
    inside = times[(times >= start_ns) & (times <= end_ns)]
    return int(np.diff(np.concatenate([[start_ns], inside, [end_ns]])).max())


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
