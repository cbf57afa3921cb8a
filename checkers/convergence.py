"""Eventual consistency of registers: once everything is healed and nobody writes, do all nodes agree, and on something recent?

The promise: when ``settle_s`` have passed since the heal and since the last write of a key completed, all reads of the key
return the same; and what they return is not older than a write that was acknowledged. Judged are the *final reads* (``final``)
that began later than that. Two anomalies, both certain:

* ``diverged``: two final reads of a key differ although all that they returned had taken effect ``settle_s`` before the earlier of
  them began. (A write of unknown outcome may take effect at any time, also between two final reads. So if one of the values was
  new to everybody then, and only such a write explains it, nobody can tell: unknown.)
* ``lost-update``: a final read returned a value although a write that began after that value had taken effect was acknowledged:
  the newer one is gone. A store that settles conflicts by clocks does that; ``lost_updates=False`` if it promises no better.

With ``siblings`` reads return lists, compared as sets; a write is lost if it is missing and began after everything that is
there had taken effect. An empty list, like null, is a key that was never written.

Measured, per key: the time to converge, from the heal (or from the key's last write, if that is later) to the end of the last read
that did not yet return what all agreed on in the end; and until when after the heal reads were certainly stale. Both are
what reads have shown: nobody knows what they would have shown between them. With ``siblings`` also how many values stood side by
side in a read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.agreement import SECOND_NS, Disagreement, Findings, Loss, examine
from checkers.linearizable.encode import Unjudgeable
from checkers.versions import BEFORE_ALL, NONE, Versions, odd_sights, saw, versions_of
from checkers.windows import Windows, windows_of
from checkers.wording import Narrator, count, name
from harness.errors import PlanError
from harness.history import NO_KEY, History, Ints
from harness.samples import quantiles
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "convergence"
DIVERGED, LOST_UPDATE = "diverged", "lost-update"
# Nobody promises to agree at once. A workload must stay quiet for so long before its final reads, or nothing can be judged.
SETTLE_S = 1.0
# Of so many keys the verdict tells the story; the counts are of all.
ANOMALIES_MAX = 8


def make(*, settle_s: float = SETTLE_S, siblings: bool = False, lost_updates: bool = True) -> Checker:
    """Do all nodes agree in the end? Options: settle_s, how long after heal and last write they must; siblings: reads return the
    list of all values that stand side by side; lost_updates: whether acknowledged writes must survive.

    Raises PlanError for a time below 0.
    """
    if not settle_s >= 0:
        raise PlanError(f"settle_s is {settle_s!r}; it is a time in seconds, from 0")
    return Convergence(settle_s=settle_s, siblings=siblings, lost_updates=lost_updates)


@dataclass(slots=True, kw_only=True)
class Convergence:
    """See the module."""

    settle_s: float = SETTLE_S
    siblings: bool = False
    lost_updates: bool = True
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        try:
            versions = versions_of(history, siblings=self.siblings)
        except Unjudgeable as problem:
            return _unknown(str(problem), {})
        odd = tuple(odd_sights(versions, NAME))[:ANOMALIES_MAX]
        windows = windows_of(history)
        doubt = _unhealed(windows) or self._untimed(history)
        if doubt:
            return _invalid(odd, {}) if odd else _unknown(doubt, {})
        found = examine(versions, _healed_row(history, windows), self.settle_s)
        stats = _stats(versions, found, windows)
        if self.siblings:
            stats["siblings_per_read"] = _siblings_per_read(versions)
        anomalies = (*odd, *list(self._anomalies(versions, found))[:ANOMALIES_MAX])
        if anomalies:
            return _invalid(anomalies, stats)
        doubt = self._doubt(versions, found)
        if doubt:
            return _unknown(doubt, stats)
        return Verdict(checker=NAME, validity=Validity.VALID, reason=_summary(found, stats), stats=stats)

    def _anomalies(self, versions: Versions, found: Findings) -> Iterator[Anomaly]:
        say = Narrator(versions.calls)
        for case in found.diverged:
            yield _diverged(say, versions, case, self.settle_s)
        for loss in found.lost if self.lost_updates else []:
            yield _lost(say, versions, loss)

    def _untimed(self, history: History) -> str:
        untimed = self.settle_s > 0 and len(history) > 0 and int(history.time_ns.min()) < 0
        return "the history has no times, so nobody knows what had settled" if untimed else ""

    def _doubt(self, versions: Versions, found: Findings) -> str:
        """Why agreement cannot be asserted; empty if it can."""
        if not found.finals:
            return "there is no final read that succeeded, so nobody knows on what the nodes agree in the end"
        if not len(found.judged):
            late = (
                f"{self.settle_s:g} s after the last write of its key"
                if self.settle_s
                else "after the last write of its key"
            )
            return f"none of {count(found.finals, 'final read')} began {late} had completed and everything was healed"
        if not len(found.written):
            return "nothing was written, so there is nothing to agree on"
        if found.unsettled:
            return (
                f"the final reads of {_some(versions, found.unsettled, found.written)} differ, but a write of unknown outcome may have "
                "taken effect just then"
            )
        missing = sorted(set(found.written.tolist()) - set(found.compared.tolist()))
        if missing:
            return (
                f"the final reads of {_some(versions, missing, found.written)} did not come from two nodes, "
                "so there was nothing to compare"
            )
        return ""


def _unhealed(windows: Windows) -> str:
    """Why the promise does not hold yet; empty if it does."""
    heal = windows.heal
    if heal is None:
        return "the run had faults but no healing phase" if windows.faults else ""
    if heal.done_ns is None or not heal.healed or not all(fault.healed for fault in windows.faults):
        return "not everything was healed, so nothing can be said about convergence"
    return ""


def _healed_row(history: History, windows: Windows) -> int:
    """The row in which the healing was done; -1 if there was none."""
    if windows.heal is None:
        return BEFORE_ALL
    done = int(history.pair[windows.heal.row])
    return BEFORE_ALL if done == NO_KEY else done


def _unknown(reason: str, stats: dict[str, Any]) -> Verdict:
    return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=reason, stats=stats)


def _invalid(anomalies: tuple[Anomaly, ...], stats: dict[str, Any]) -> Verdict:
    return Verdict(
        checker=NAME, validity=Validity.INVALID, reason=anomalies[0].reason, anomalies=anomalies, stats=stats
    )


def _key(versions: Versions, key: int) -> Any:
    """The key of that register; None where the history has no keys."""
    code = int(versions.calls.key[versions.key == key][0])
    return None if code == NO_KEY else versions.calls.history.keys[code]


def _some(versions: Versions, keys: Sequence[int], of: Ints) -> str:
    """``key x``, ``3 of 20 keys, such as key x,``."""
    found = _key(versions, keys[0])
    which = "the register" if found is None else f"key {name(found)}"
    return which if len(keys) == 1 else f"{len(keys):,} of {count(len(of), 'key')}, such as {which},"


def _stats(versions: Versions, found: Findings, windows: Windows) -> dict[str, Any]:
    return {
        "keys": len(found.written),
        "compared_keys": len(found.compared),
        "final_reads": found.finals,
        "judged_reads": len(found.judged),
        "diverged_keys": len(found.diverged),
        "unsettled_keys": len(found.unsettled),
        "lost_update_keys": len(found.lost),
        "time_to_converge_s": _spread(versions, found.converge_ns),
        "stale_after_heal_s": _spread(versions, found.stale_ns) if windows.heal else {},
    }


def _spread(versions: Versions, times_ns: Ints) -> dict[str, Any]:
    """Quantiles over the keys that have a time, and the slowest key."""
    known = times_ns[times_ns >= 0]
    if not len(known):
        return {}
    worst = int(times_ns.argmax())
    return {"keys": len(known), **quantiles(known / SECOND_NS), "worst_key": _key(versions, worst)}


def _siblings_per_read(versions: Versions) -> dict[str, float]:
    """Quantiles over the reads that returned something."""
    seen = versions.sight_call[~versions.initial[versions.sight]]
    return dict(quantiles(np.unique(seen, return_counts=True)[1]))


def _summary(found: Findings, stats: dict[str, Any]) -> str:
    times = stats["time_to_converge_s"]
    slowest = f"; the slowest key converged within {times['1']:,.3f} s" if times else ""
    agree = "agree key by key" if len(found.compared) > 1 else "agree"
    reads = f"{count(len(found.judged), 'final read')} of {count(len(found.compared), 'key')}"
    return f"{reads} {agree}{slowest}"


def _diverged(say: Narrator, versions: Versions, case: Disagreement, settle_s: float) -> Anomaly:
    one, other = case.one, case.other
    there = f"for {settle_s:g} s" if settle_s else "before"
    more = f" ({case.answers:,} different answers from {case.reads:,} final reads)" if case.answers > 2 else ""
    reason = (
        f"the final reads{say.key(one, 'of')} differ, although all that they returned had been there {there}: "
        f"{say.who(one)} read {saw(versions, one)} {say.span(one)}, {say.who(other)} read {saw(versions, other)} {say.span(other)}{more}"
    )
    lines = say.lines([one, other])
    return Anomaly(checker=NAME, name=DIVERGED, ops=lines, reason=reason, witness=lines)


def _lost(say: Narrator, versions: Versions, loss: Loss) -> Anomaly:
    read, write = loss.read, loss.write
    sights = versions.sight[versions.sight_call == read]
    sources = [row for row in versions.writer[sights].tolist() if row != NONE]
    lost = f"{say.whose(write)}{say.key(write, 'to')}"
    final = f"the final read of {say.who(read)} {say.span(read)} returned {saw(versions, read)}"
    if sources:
        reason = f"{lost} began after {_there(say, versions, sources)}, and was acknowledged {say.ended(write)}, but is lost: {final}"
    else:
        reason = (
            f"{lost} was acknowledged {say.ended(write)}, but is lost: {final}, as if nothing had ever been written"
        )
    lines = say.lines([read, write, *sources])
    return Anomaly(checker=NAME, name=LOST_UPDATE, ops=say.lines([read, write]), reason=reason, witness=lines)


def _there(say: Narrator, versions: Versions, sources: list[int]) -> str:
    """What came before: ``process 0's write of 7 had completed at 1.2 s``, or had been read by someone."""
    if len(sources) > 1:
        return "all of that had been there"
    write = sources[0]
    version = int(versions.made[write])
    if versions.since[version] == versions.calls.ret[write]:
        return f"{say.whose(write)} had completed {say.ended(write)}"
    return f"{say.whose(write)} had been read {say.at(int(versions.since[version]))}"
