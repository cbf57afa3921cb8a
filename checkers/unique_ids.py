"""Unique ids: was any id given out twice?

Only ids that were returned count: one that a crashed ``generate`` may have used up harms nobody. 1 and "1" are different ids.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.wording import Narrator, count, listed, text
from harness.history import OK, Calls, History
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "unique-ids"
GENERATE = "generate"
DUPLICATE = "duplicate-id"
# Of so many ids the verdict tells the story; of each so many operations.
ANOMALIES_MAX, SHOWN_MAX = 8, 10


def make() -> Checker:
    """Was any id given out twice?"""
    return UniqueIds()


@dataclass(slots=True, kw_only=True)
class UniqueIds:
    """See the module."""

    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        generates = calls.where(np.array([name == GENERATE for name in history.fs], dtype=np.bool_)[calls.f])
        given = generates.where(generates.outcome == OK)
        ids, first, times = np.unique(given.result, return_index=True, return_counts=True)
        twice = np.flatnonzero(times > 1)
        twice = twice[np.argsort(first[twice])]
        stats = {
            "attempted": len(generates),
            "acknowledged": len(given),
            "duplicated_ids": len(twice),
            "range": _range([history.values[code] for code in ids.tolist()]),
        }
        if len(twice):
            anomalies = tuple(_duplicate(given, int(code)) for code in ids[twice[:ANOMALIES_MAX]])
            more = f" ({count(len(twice) - 1, 'more id')} given out more than once)" if len(twice) > 1 else ""
            return Verdict(
                checker=NAME,
                validity=Validity.INVALID,
                reason=anomalies[0].reason + more,
                anomalies=anomalies,
                stats=stats,
            )
        if len(given) < 2:
            reason = f"{count(len(given), 'id was', 'ids were')} given out, so none could be given out twice"
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=reason, stats=stats)
        reason = f"{count(len(given), 'id')} were given out, each of them once"
        return Verdict(checker=NAME, validity=Validity.VALID, reason=reason, stats=stats)


def _range(ids: list[Any]) -> list[Any] | None:
    """The least and the greatest id, if all are whole numbers or all are strings."""
    kinds = {type(item) for item in ids}
    return [min(ids), max(ids)] if kinds in ({int}, {str}) else None


def _duplicate(given: Calls, code: int) -> Anomaly:
    say = Narrator(given)
    rows = np.flatnonzero(given.result == code).tolist()
    shown = rows[:SHOWN_MAX]
    times = "twice" if len(rows) == 2 else f"{len(rows):,} times"
    left = f" and {len(rows) - len(shown):,} more" if len(rows) > len(shown) else ""
    to = listed(f"{say.who(row)} {say.span(row)}" for row in shown)
    reason = f"the id {text(given.history.values[code])} was given out {times}: to {to}{left}"
    return Anomaly(checker=NAME, name=DUPLICATE, ops=say.lines(shown), reason=reason, witness=say.lines(shown[:2]))
