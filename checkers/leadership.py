"""At most one node leads in a term, by what the nodes themselves wrote into their logs.

A line of a node's log whose ``event`` is the role ("leader") and that has a whole number as its ``term`` says that this node leads in that
term from then on. Two nodes that say so of one term break the promise that makes quorums safe (Raft ATC'14, Figure 3, Election Safety),
whether or not a client has noticed yet. Leaders of different terms may well believe in themselves at the same time: that is no anomaly.

Roles stand in node logs alone, so a history without them is unknown, and so is a run in which nobody said that it leads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from checkers.wording import count, listed
from harness.history import History
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "leadership"
TWO_LEADERS = "two-leaders"
# Of so many terms the verdict tells the story; the counts are of all.
ANOMALIES_MAX = 8

Logs = Mapping[str, Sequence[Mapping[str, Any]]]
Terms = dict[int, dict[str, Any]]  # term → node → when it first said that it leads in it


def make(*, role: str = "leader") -> Checker:
    """Does at most one node lead in a term? Option role: the role of which there is one, as nodes report it."""
    return Leadership(role=role)


@dataclass(slots=True, kw_only=True)
class Leadership:
    """See the module. Satisfies ``harness.verdict.ReadsNodeLogs``."""

    role: str = "leader"
    logs: Logs | None = None
    name: str = field(default=NAME, init=False)

    def with_logs(self, logs: Logs) -> Checker:
        return replace(self, logs=logs)

    def check(self, history: History, budget: Budget) -> Verdict:
        if self.logs is None:
            return _unknown("which node led when stands in the nodes' logs, and a history alone has none")
        terms = _terms(self.logs, self.role)
        shared = {term: leaders for term, leaders in sorted(terms.items()) if len(leaders) > 1}
        stats = {"terms": len(terms), "terms_with_two_leaders": len(shared)}
        if shared:
            anomalies = tuple(self._anomalies(shared))
            more = f" (and in {count(len(shared) - 1, 'more term')} of {len(terms):,})" if len(shared) > 1 else ""
            reason = f"{anomalies[0].reason}{more}"
            return Verdict(checker=NAME, validity=Validity.INVALID, reason=reason, anomalies=anomalies, stats=stats)
        if not terms:
            return _unknown(f"no node ever said in its log that it was {self.role} in some term")
        reason = f"one node was {self.role} in each of {count(len(terms), 'term')}"
        return Verdict(checker=NAME, validity=Validity.VALID, reason=reason, stats=stats)

    def _anomalies(self, shared: Terms) -> Iterator[Anomaly]:
        for term, leaders in list(shared.items())[:ANOMALIES_MAX]:
            who = listed(f"{node}{_since(time_s)}" for node, time_s in leaders.items())
            yield Anomaly(checker=NAME, name=TWO_LEADERS, ops=(), reason=f"in term {term}, {who} were {self.role}")


def _terms(logs: Logs, role: str) -> Terms:
    terms: Terms = {}
    for node, lines in sorted(logs.items()):
        for line in lines:
            if line.get("event") == role and type(line.get("term")) is int:
                terms.setdefault(line["term"], {}).setdefault(node, line.get("t"))
    return terms


def _since(time_s: Any) -> str:
    return f" (since {time_s:.3f} s)" if isinstance(time_s, int | float) else ""


def _unknown(reason: str) -> Verdict:
    return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=reason)
