"""Anomalies as a checker finds them: all are counted, of each name the first few are kept and told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from checkers.wording import Narrator, listed
from harness.verdict import Anomaly, Validity, Verdict

# Of each name so many anomalies are shown; counts are of all.
SHOWN_MAX = 8


class Findings:
    """What the checker called ``checker`` has found. ``allowed`` names are counted, but are no anomalies."""

    def __init__(self, checker: str, say: Narrator, allowed: Iterable[str] = ()) -> None:
        self.checker, self.say, self.allowed = checker, say, frozenset(allowed)
        self.counts: Counter[str] = Counter()
        self.anomalies: list[Anomaly] = []

    def add(self, name: str, rows: Iterable[int], reason: str, times: int = 1) -> None:
        """One anomaly (or ``times`` of them, told as one), shown by the calls of these rows."""
        self.counts[name] += times
        if name not in self.allowed and sum(known.name == name for known in self.anomalies) < SHOWN_MAX:
            ops = self.say.lines(rows)
            self.anomalies.append(Anomaly(checker=self.checker, name=name, ops=ops, reason=reason, witness=ops))

    def allowed_words(self) -> str:
        """What was seen that is allowed, in brackets; nothing if nothing was."""
        seen = [f"{number:,} {name}" for name, number in self.counts.items() if name in self.allowed and number]
        return f" (and {listed(seen)}, which may be)" if seen else ""

    def verdict(self, *, doubt: str, fine: str, stats: Mapping[str, Any]) -> Verdict:
        """Invalid if there is an anomaly; else unknown if there is a ``doubt``; else valid, and ``fine`` says of what."""
        stats = {**stats, "anomalies": dict(self.counts)}
        if self.anomalies:
            wrong = {name: number for name, number in self.counts.items() if name not in self.allowed}
            many = "; ".join(f"{name}: {number:,}" for name, number in wrong.items())
            more = f" ({many})" if sum(wrong.values()) > 1 else ""
            return Verdict(
                checker=self.checker,
                validity=Validity.INVALID,
                reason=self.anomalies[0].reason + more,
                anomalies=tuple(self.anomalies),
                stats=stats,
            )
        validity = Validity.UNKNOWN if doubt else Validity.VALID
        return Verdict(checker=self.checker, validity=validity, reason=doubt or fine, stats=stats)


def unknown(checker: str, reason: object) -> Verdict:
    """The verdict on what cannot be judged."""
    return Verdict(checker=checker, validity=Validity.UNKNOWN, reason=str(reason))
