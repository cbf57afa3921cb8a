"""The checker ``registry``: entries live as long as they are kept; watches tell every change, in order; every lookup shows one moment.

``facts`` says which operations there are, ``entries``, ``watches`` and ``views`` which anomalies. Whole views are judged as far as all
changes are known from watches, and if these tell one list of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from checkers.findings import Findings, unknown
from checkers.registry.entries import Judge
from checkers.registry.facts import Unjudgeable, facts_of
from checkers.registry.views import judge_views
from checkers.registry.watches import WRONG, judge_watches
from checkers.windows import windows_of
from checkers.wording import SECOND_NS, Narrator, count
from harness.history import History
from harness.verdict import Budget, Checker, Verdict

NAME = "registry"
LATE_S = 3.0


def make(*, late_s: float = LATE_S) -> Checker:
    """Does every entry live as long as it is kept, and a watch tell every change? Option late_s: so much later an entry may end."""
    return Registry(late_s=late_s)


@dataclass(slots=True, kw_only=True)
class Registry:
    """See the module."""

    late_s: float = LATE_S
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            facts = facts_of(calls)
        except Unjudgeable as problem:
            return unknown(NAME, f"not a history of a registry: {problem}")
        if len(history) and int(history.time_ns.min()) < 0:
            return unknown(NAME, "the history has no times, so nobody knows how long an entry lived")
        found = Findings(NAME, Narrator(calls))
        Judge(
            calls=calls,
            facts=facts,
            found=found,
            faults=windows_of(history).faults,
            late_ns=round(self.late_s * SECOND_NS),
        ).judge()
        told = judge_watches(calls, facts, found)
        if not WRONG & found.counts.keys():
            judge_views(calls, facts, told, found)
        lookups = sum(map(len, facts.lookups.values()))
        sightings = sum(len(sessions) for rows in facts.lookups.values() for _, sessions in rows)
        stats = {
            "entries": len(facts.entries),
            "lookups": lookups,
            "sightings": sightings,
            "changes": len(told),
            "watches": len(facts.watches),
        }
        doubt = "" if sightings else "no lookup found an entry, so there was nothing to judge"
        fine = f"{count(len(facts.entries), 'entry', 'entries')} lived as long as they were kept, by {count(lookups, 'lookup')}"
        return found.verdict(
            doubt=doubt, fine=f"{fine} and {count(len(told), 'change')} that were watched", stats=stats
        )
