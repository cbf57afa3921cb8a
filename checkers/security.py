"""Security: nobody who has no right has got in, and whoever tried was noticed.

* ``let-in``: an attempt of an impostor was answered as if it had been anybody's request;
* ``unauthorized-write``: a client read what an impostor tried to write;
* ``unnoticed``: an attempt that a node certainly refused is not in that node's log of intrusions.

Attempts stand in the impostor's own log, intrusions in the nodes' (event "intrusion": the request's ``client`` and ``seq``, or ``by``, from
where a connection came). An attempt of which nobody knows whether it arrived need not be in any log. Entries about others than the impostor
are false alarms: they are counted, and are no anomaly, since a token may well expire on its way to a node that stands still.

A history without logs is unknown, and so is a run in which no attempt has met a node, or none of some kind that was to be tried: a door
at which nobody has knocked may well stand open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from checkers.findings import Findings, unknown
from checkers.wording import Narrator, count, text
from harness.effects import IMPOSTOR, MARK
from harness.history import OK, History
from harness.verdict import Budget, Checker, Verdict

NAME = "security"
LET_IN, WRITTEN, UNNOTICED = "let-in", "unauthorized-write", "unnoticed"

Line = Mapping[str, Any]
Logs = Mapping[str, Sequence[Line]]


def make() -> Checker:
    """Has no impostor got in, and was each noticed?"""
    return Security()


@dataclass(slots=True, kw_only=True)
class Security:
    """See the module. Satisfies ``harness.verdict.ReadsNodeLogs``."""

    logs: Logs | None = None
    name: str = field(default=NAME, init=False)

    def with_logs(self, logs: Logs) -> Checker:
        return replace(self, logs=logs)

    def check(self, history: History, budget: Budget) -> Verdict:
        if self.logs is None:
            return unknown(NAME, "who tried to get in, and who noticed, stands in logs, and a history alone has none")
        calls = history.calls()
        found = Findings(NAME, Narrator(calls))
        attempts = [line for line in self.logs.get(IMPOSTOR, ()) if line.get("event") == "attempt"]
        heard = [line for line in attempts if line.get("outcome") != "unheard"]
        noticed, false_alarms = _intrusions(self.logs)
        for line in heard:
            if line.get("outcome") == "let-in":
                found.add(LET_IN, (), f"{_told(line)} was let in, and answered {text(line.get('answer'))}")
            elif not any(sign in noticed for sign in _signs(line)):
                found.add(UNNOTICED, (), f"{_told(line)} was refused, and is not in its log of intrusions")
        _written(found)
        kinds = Counter(str(line.get("kind")) for line in heard)
        stats = {
            "attempts": len(attempts),
            "met_a_node": len(heard),
            "kinds": dict(sorted(kinds.items())),
            "false_alarms": sum(false_alarms.values()),
            "false_alarms_why": dict(sorted(false_alarms.items())),
        }
        missed = sorted(_wanted(self.logs) - kinds.keys())
        doubt = f"of {count(len(attempts), 'attempt')} to get in none has met a node"
        if heard:
            doubt = f"no attempt of the kind {' or '.join(missed)} has met a node" if missed else ""
        alarms = count(sum(false_alarms.values()), "false alarm")
        fine = f"{count(len(heard), 'attempt')} to get in, of {count(len(kinds), 'kind')}: all refused and noticed; {alarms}"
        return found.verdict(doubt=doubt, fine=fine, stats=stats)


Sign = tuple[str, str, Any]


def _signs(attempt: Line) -> tuple[Sign, Sign]:
    """By what the log of the node may tell of this attempt: the request, or where the connection came from."""
    node = str(attempt.get("node"))
    return (node, "request", attempt.get("number")), (node, "by", attempt.get("by"))


def _intrusions(logs: Logs) -> tuple[set[Sign], Counter[str]]:
    """(signs of what was noticed of the impostor; why others were refused, and how often)."""
    lines = [(node, line) for node, log in logs.items() if node != IMPOSTOR for line in log]
    intrusions = [(node, line) for node, line in lines if line.get("event") == "intrusion"]
    callers = {line.get("by") for line in logs.get(IMPOSTOR, ())}
    noticed: set[Sign] = set()
    others: Counter[str] = Counter()
    for node, line in intrusions:
        if line.get("client") == IMPOSTOR:
            noticed.add((node, "request", _hashable(line.get("seq"))))
        elif line.get("by") in callers:
            noticed.add((node, "by", line.get("by")))
        else:
            others[str(line.get("why"))] += 1
    return noticed, others


def _wanted(logs: Logs) -> set[str]:
    """The kinds of attempts that were to be made."""
    campaigns = [line.get("kinds") for line in logs.get(IMPOSTOR, ()) if line.get("event") == "campaign"]
    return {str(kind) for kinds in campaigns if isinstance(kinds, list | tuple) for kind in kinds}


def _hashable(value: Any) -> Any:
    return value if isinstance(value, int | str) else None


def _told(line: Line) -> str:
    return f"attempt {line.get('number')} of the impostor at {line.get('node')} ({line.get('kind')})"


def _written(found: Findings) -> None:
    """What an impostor tried to write, and a client read."""
    calls, values = found.say.calls, found.say.history.values
    marked = np.array([_holds_mark(value) for value in values], dtype=np.bool_)
    if not marked.any():
        return
    read = marked[calls.result] & (calls.outcome == OK) & (calls.argument != calls.result)
    for row in np.flatnonzero(read).tolist():
        value = text(values[calls.result[row]])
        found.add(WRITTEN, [row], f"{found.say.who(row)} read {value}, which an impostor wrote {found.say.span(row)}")


def _holds_mark(value: Any) -> bool:
    rest = [value]
    while rest:
        value = rest.pop()
        if isinstance(value, str) and value.startswith(MARK):
            return True
        if isinstance(value, dict):
            rest.extend((*value.keys(), *value.values()))
        elif isinstance(value, list | tuple | set | frozenset):
            rest.extend(value)
    return False
