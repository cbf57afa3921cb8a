"""Echo: does every answer say what was asked?

Values are compared as JSON: 1, 1.0 and true are three values. Source: Maelstrom's workload echo.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from checkers.wording import Narrator, count, text
from harness.history import OK, History
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "echo"
WRONG = "wrong-echo"
# Of so many answers the verdict tells the story.
ANOMALIES_MAX = 8


def make() -> Checker:
    """Is every answer equal to its request?"""
    return Echo()


@dataclass(slots=True, kw_only=True)
class Echo:
    """See the module."""

    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        answered = calls.where(
            np.array([name == NAME for name in history.fs], dtype=np.bool_)[calls.f] & (calls.outcome == OK)
        )
        wrong = np.flatnonzero(answered.argument != answered.result).tolist()
        stats = {"answers": len(answered), "wrong": len(wrong)}
        if wrong:
            say = Narrator(answered)
            anomalies = tuple(_anomaly(say, row) for row in wrong[:ANOMALIES_MAX])
            more = f" ({count(len(wrong) - 1, 'more answer')} of {len(answered):,} wrong)" if len(wrong) > 1 else ""
            return Verdict(
                checker=NAME,
                validity=Validity.INVALID,
                reason=anomalies[0].reason + more,
                anomalies=anomalies,
                stats=stats,
            )
        if not len(answered):
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason="no request was answered", stats=stats)
        reason = f"{count(len(answered), 'answer')} said what was asked"
        return Verdict(checker=NAME, validity=Validity.VALID, reason=reason, stats=stats)


def _anomaly(say: Narrator, row: int) -> Anomaly:
    values, calls = say.history.values, say.calls
    asked, answered = (text(values[code[row]]) for code in (calls.argument, calls.result))
    reason = f"{say.who(row)} sent {asked} {say.span(row)} and got back {answered}"
    return Anomaly(checker=NAME, name=WRONG, ops=say.lines([row]), reason=reason, witness=say.lines([row]))
