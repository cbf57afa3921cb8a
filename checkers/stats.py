"""Counts what happened: outcomes by function and node, errors by class, operations in flight during faults.
Always valid: it reports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.figures import SECOND_NS, in_flight, tally, timed
from checkers.windows import windows_of
from checkers.wording import count, text
from harness.history import NO_KEY, Calls, Codes, History
from harness.verdict import Budget, Checker, Validity, Verdict

NAME = "stats"
# Of this many classes the most frequent are listed.
ERRORS_MAX = 20


def make() -> Checker:
    """What happened, in numbers? Counts by outcome, function, node, error and fault."""
    return Stats()


@dataclass(slots=True, kw_only=True)
class Stats:
    """See the module."""

    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        total = tally(calls)
        duration_s = max(0, int(history.time_ns.max(initial=0))) / SECOND_NS
        stats: dict[str, Any] = {
            "operations": len(calls),
            **total,
            "by_f": {history.fs[code]: tally(calls.where(calls.f == code)) for code in _distinct(calls.f)},
            "by_node": {
                "none" if code == NO_KEY else history.nodes[code]: tally(calls.where(calls.node == code))
                for code in _distinct(calls.node)
            },
            "errors": _errors(history, calls),
            "faults": _faults(history),
            "duration_s": duration_s,
            "operations_per_s": round(len(calls) / duration_s, 3) if duration_s else None,
        }
        words = ", ".join(f"{number:,} {outcome}" for outcome, number in total.items())
        return Verdict(
            checker=NAME, validity=Validity.VALID, reason=f"{count(len(calls), 'operation')}: {words}", stats=stats
        )


def _distinct(codes: Codes) -> list[int]:
    """Ascending. ``np.unique`` would import numpy.ma, which takes longer than all of this."""
    found: list[int] = (np.flatnonzero(np.bincount(codes - NO_KEY)) + NO_KEY).tolist()
    return found


def _errors(history: History, calls: Calls) -> dict[str, int]:
    """Class of an error → how often it ended an operation; the most frequent first."""
    rows = history.pair[calls.call]
    found = Counter(error_class(history.errors[row]) for row in rows.tolist() if row in history.errors)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0]))[:ERRORS_MAX])


def error_class(error: Any) -> str:
    """What kind of error it is: the first word of a vector, the text before a colon, the code of a Maelstrom
    error.
    """
    if isinstance(error, list | tuple) and error:
        return error_class(error[0])
    if isinstance(error, Mapping):
        named = next((error[key] for key in ("type", "code", "error") if key in error), None)
        return text(error) if named is None else error_class(named)
    return text(str(error).split(":", 1)[0].strip() if isinstance(error, str) else error).strip('"')


def _faults(history: History) -> list[dict[str, Any]]:
    calls = timed(history)
    return [
        {
            "id": fault.id,
            "kind": fault.kind,
            "targets": list(fault.targets),
            "in_flight": len(part := in_flight(calls, fault.start_ns, fault.end_ns)),
            **tally(part),
        }
        for fault in windows_of(history).faults
    ]
