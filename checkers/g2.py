"""The checker ``g2``: pairs of inserts of which at most one may succeed, since each first reads that the other is not there (Adya's G2).

An ``insert`` of key k is one of a pair; it succeeds if it found nothing of its pair. Two that succeed each did not see the other: an
anti-dependency cycle, write skew, which serializability forbids and snapshot isolation allows. Source: jepsen.tests.adya.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from checkers.findings import Findings
from checkers.wording import Narrator, count, listed
from harness.history import NO_KEY, OK, History
from harness.verdict import Budget, Checker, Verdict

NAME = "g2"
G2, INSERT = "G2", "insert"


def make() -> Checker:
    """Does at most one of each pair of inserts succeed?"""
    return Pairs()


@dataclass(slots=True, kw_only=True)
class Pairs:
    """See the module."""

    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        inserts = np.array([f == INSERT for f in history.fs], dtype=np.bool_)[calls.f] & (calls.key != NO_KEY)
        found = Findings(NAME, Narrator(calls))
        tried, succeeded = calls.where(inserts), inserts & (calls.outcome == OK)
        pairs = contested = 0
        for key, mine in tried.by_key():
            pairs += 1
            contested += len(mine) > 1
            rows = np.flatnonzero(succeeded & (calls.key == key)).tolist()
            if len(rows) > 1:
                who = listed(f"{found.say.who(row)} {found.say.span(row)}" for row in rows)
                found.add(
                    G2,
                    rows,
                    f"{count(len(rows), 'insert')}{found.say.key(rows[0], 'of')} succeeded, by {who}: none saw the other",
                )
        stats = {"pairs": pairs, "contested": contested, "succeeded": int(succeeded.sum())}
        doubt = (
            ""
            if contested and stats["succeeded"]
            else "no pair of inserts of which one succeeded, so there was nothing to judge"
        )
        fine = f"of each of {count(contested, 'pair')} of inserts at most one succeeded"
        return found.verdict(doubt=doubt, fine=fine, stats=stats)
