"""How strong a history is that was found valid. A pass says what it would have caught.

Figures: how many operations were open at once; how many were open during faults; how many keys several processes worked on. And a share:
of so many mutants of this very history, each with one lie (see ``mutants``), how many would the checkers that judged it have caught?

A history of which no lie would have been noticed proves nothing: the run is unknown. Before that is said, ever more lies are told; and lies
about results must be among them, since not every checker can miss an operation. The work is bounded: the longer a history, the fewer
mutants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from checkers.figures import in_flight, timed
from checkers.mutants import mutants
from checkers.windows import windows_of
from checkers.wording import count
from harness.history import FOREVER, Calls, History
from harness.verdict import Budget, Checker, Validity, Verdict

NAME = "strength"
# So many lines of mutants are judged at first, of each kind of mutant at most and at least so many; and so many times as many, if need be.
LINES_MAX, EACH_MAX, EACH_MIN = 30_000, 8, 1
ROUNDS = (1, 4, 16)
# Search steps that lies may take together where they are a remark and nothing more.
FRUGAL_STEPS = 50_000
KINDS = 4
# Lies about results, of which so many must have been told before their going unnoticed says anything.
RESULTS, TOLD_MIN = ("swapped", "stale", "fractured"), 8
# Who does not judge what clients were told, or first of all what nodes have logged: a lie is not theirs to find.
BLIND = frozenset({"atomic-commit", "availability", "clock-condition", "latency", "leadership", "sanity", "stats"})


def judging(checkers: Sequence[Checker]) -> list[Checker]:
    """Those of ``checkers`` that judge what clients were told."""
    return [checker for checker in checkers if checker.name not in BLIND]


def strength(
    history: History, checkers: Sequence[Checker], budget: Budget, *, lies: bool = True, frugal: bool = False
) -> Verdict:
    """Valid, or unknown if the checkers would have noticed nothing. ``checkers`` have found ``history`` valid. Without ``lies`` none is
    told: the figures alone. ``frugal``: one of each kind, and more only where searches are short.
    """
    stats: dict[str, Any] = _figures(history)
    each = min(EACH_MAX, max(EACH_MIN, LINES_MAX // (KINDS * max(1, len(history)))))
    tried, watching, budget = Tried(), judging(checkers) if lies else [], replace(budget, told=False)
    for number in (sorted({1, each}) if frugal else [each * times for times in ROUNDS]) if watching else ():
        if frugal and number * tried.steps > FRUGAL_STEPS:
            break
        tried = Tried()
        for kind, mutant in mutants(history, number):
            tried.judge(kind, mutant, watching, budget)
        if tried.noticed and not frugal:
            break
    stats["mutants"] = {kind: {"made": tried.made[kind], "caught": tried.caught[kind]} for kind in tried.made}
    stats["caught_share"] = round(tried.caught.total() / tried.made.total(), 3) if tried.made else None
    about_results = sum(tried.made[kind] for kind in RESULTS)
    if about_results >= TOLD_MIN and not tried.noticed:
        unseen = f"not one of {count(tried.made.total(), 'lie')} told in copies of this history would have been noticed"
        return Verdict(
            checker=NAME,
            validity=Validity.UNKNOWN,
            reason=f"{unseen}, so that nothing was found says nothing",
            stats=stats,
        )
    words = _words(stats, tried, lies=lies)
    return Verdict(checker=NAME, validity=Validity.VALID, reason=words, stats=stats)


@dataclass(slots=True)
class Tried:
    """Mutants that were judged, by kind: how many were ``made`` and ``caught`` (found invalid); how many did not pass as valid; and the
    search steps that all took, as far as checkers count them.
    """

    made: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
    noticed: int = 0
    steps: int = 0

    def judge(self, kind: str, mutant: History, watching: Sequence[Checker], budget: Budget) -> None:
        verdicts = [_judged(checker, mutant, budget) for checker in watching]
        worst = max(verdict.validity for verdict in verdicts)
        self.steps += sum(verdict.stats.get("steps", 0) for verdict in verdicts)
        self.made[kind] += 1
        self.caught[kind] += worst is Validity.INVALID
        self.noticed += worst is not Validity.VALID


def _judged(checker: Checker, mutant: History, budget: Budget) -> Verdict:
    try:
        return checker.check(mutant, budget)
    except Exception as problem:  # noqa: BLE001 - whoever crashes is unknown, as in any judgement
        return Verdict(checker=checker.name, validity=Validity.UNKNOWN, reason=repr(problem))


def _words(stats: dict[str, Any], tried: Tried, *, lies: bool) -> str:
    during = f", {stats['during_faults']:,} during faults" if stats["faults"] else ""
    shared = f", {count(stats['contended_keys'], 'contended key')}"
    figures = f"up to {count(stats['open_at_once'], 'operation')} at once{during}{shared}"
    if not lies:
        return figures
    if not tried.made:
        return f"{figures}; no lie was thought of that the checkers could have caught"
    made = count(tried.made.total(), "lie")
    return f"{tried.caught.total():,} of {made} told in copies of this history were caught; {figures}"


def _figures(history: History) -> dict[str, Any]:
    calls = history.calls()
    faults = windows_of(history).faults
    during = {
        int(row) for fault in faults for row in in_flight(timed(history), fault.start_ns, fault.end_ns).call.tolist()
    }
    return {
        "operations": len(calls),
        "open_at_once": _open_at_once(calls),
        "faults": len(faults),
        "during_faults": len(during),
        "contended_keys": _contended(calls),
    }


def _open_at_once(calls: Calls) -> int:
    """The most operations of known end that were open at one line."""
    known = calls.ret < FOREVER
    lines = np.concatenate([calls.call[known], calls.ret[known]])
    steps = np.concatenate([np.ones(int(known.sum()), dtype=np.int64), -np.ones(int(known.sum()), dtype=np.int64)])
    return int(np.max(np.cumsum(steps[np.argsort(lines, kind="stable")]), initial=0))


def _contended(calls: Calls) -> int:
    """Keys on which operations of different processes overlapped."""
    found = 0
    for _, mine in calls.by_key():
        # In the order of invocations: each begins before some earlier one had ended. A process does not overlap itself.
        before = np.maximum.accumulate(np.minimum(mine.ret, FOREVER))
        found += bool(len(mine) > 1 and (mine.call[1:] < before[:-1]).any())
    return found
