"""The histogram of litmus tests, as rows of a table: which outcome how often, and which memory models allow it.

From the results alone: the checker ``litmus`` leaves it in its figures, as {test: {outcome: {"times", "allowed_by"}}}, beside "model". What
is no such thing has no rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reports.wording import sentence

CHECKER = "litmus"
ROWS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One outcome of one test. ``first``: the row begins a test; ``share`` is of the test's ``total`` runs."""

    test: str
    first: bool
    outcome: str
    times: int
    total: int
    allowed_by: str
    forbidden: bool

    @property
    def share(self) -> float:
        return self.times / self.total


def outcomes(results: Mapping[str, Any]) -> tuple[str, list[Outcome]]:
    """The model that was asked for, and the rows, the most frequent outcome of a test first."""
    for row in results.get("checkers") or ():
        if isinstance(row, Mapping) and row.get("checker") == CHECKER and isinstance(row.get("stats"), Mapping):
            stats = row["stats"]
            return sentence(stats.get("model")), list(_rows(stats))[:ROWS_MAX]
    return "", []


def _rows(stats: Mapping[str, Any]) -> Iterator[Outcome]:
    tests = stats.get("outcomes")
    for test, seen in tests.items() if isinstance(tests, Mapping) else ():
        counted = {name: told for name, told in seen.items() if _is_count(told)} if isinstance(seen, Mapping) else {}
        total = sum(told["times"] for told in counted.values())
        for place, (name, told) in enumerate(sorted(counted.items(), key=lambda item: -item[1]["times"])):
            models = [str(model) for model in told["allowed_by"]]
            yield Outcome(
                test=sentence(test),
                first=place == 0,
                outcome=sentence(name),
                times=told["times"],
                total=total,
                allowed_by=sentence(", ".join(models)) if models else "none",
                forbidden=stats.get("model") not in models,
            )


def _is_count(told: Any) -> bool:
    return (
        isinstance(told, Mapping)
        and type(told.get("times")) is int
        and told["times"] > 0
        and isinstance(told.get("allowed_by"), list | tuple)
    )
