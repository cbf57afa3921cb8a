"""The table of what a valid run would have caught: from a real run, and nothing from what is none."""

from __future__ import annotations

from typing import Any

import pytest

from checkers.echo import make
from checkers.strength import strength as judged
from harness.history import History
from harness.results import document
from harness.verdict import Budget
from reports.html import render
from reports.report import Report
from reports.strength import Lie, strength
from tests.builders import history

ECHOES = "\n".join(f"p{n} invoke echo _ {n} time={n}s\np{n} ok echo _ {n} time={n}.5s" for n in range(12))


def report(stats: Any, checker: str = "strength") -> Report:
    row = {"checker": checker, "validity": "valid", "reason": "so", "stats": stats}
    return Report(results={"checkers": [row, "no row"]}, history=History.of([]))


def test_the_lies_that_were_told_in_a_run_are_counted() -> None:
    lines = history(ECHOES)
    verdict = judged(lines, [make()], Budget())
    told = document(history=lines, verdicts=[verdict], plan={}, run="", repeat="", stats={})
    found = strength(Report(results=told, history=lines))
    assert found is not None
    assert {lie.kind: (lie.made, lie.caught) for lie in found.lies} == {
        kind: (counts["made"], counts["caught"]) for kind, counts in verdict.stats["mutants"].items()
    }
    assert dict(found.figures)["operations"] == 12
    assert "What this run would have caught" in render(Report(results=told, history=lines))


def test_lies_are_told_in_their_order_with_what_they_say() -> None:
    counts = {"stale": {"made": 4, "caught": 1}, "odd": {"made": 1, "caught": 9}, "lost": {"made": 2, "caught": 2}}
    found = strength(report({"mutants": counts, "open_at_once": 3, "faults": -1, "operations": True}))
    assert found is not None
    assert [(lie.kind, lie.made, lie.caught) for lie in found.lies] == [("lost", 2, 2), ("stale", 4, 1), ("odd", 1, 1)]
    assert found.lies[0] == Lie(kind="lost", meaning="an update that was acknowledged never happened", made=2, caught=2)
    assert (found.share, found.figures) == (57, (("most operations open at once", 3),))


@pytest.mark.parametrize("stats", [None, 7, [], "x"])
def test_what_is_no_table_is_none(stats: Any) -> None:
    assert strength(report(stats)) is None
    assert strength(report({}, "another")) is None


@pytest.mark.parametrize(
    "mutants", [None, 7, {"lost": 7}, {"lost": {"made": "2", "caught": 1}}, {"lost": {"made": 0, "caught": 0}}]
)
def test_lies_that_cannot_be_counted_are_left_out(mutants: Any) -> None:
    found = strength(report({"mutants": mutants}))
    assert found is not None
    assert (found.lies, found.share) == ((), None)
