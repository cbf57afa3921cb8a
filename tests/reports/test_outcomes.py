"""The histogram of litmus tests as rows: shares, what is forbidden, and results that hold no such thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reports.html import render
from reports.outcomes import outcomes
from tests.reports.runs import small_run

SB = {
    "a=0 b=0": {"times": 1, "allowed_by": ["tso", "rc"]},
    "a=0 b=1": {"times": 3, "allowed_by": ["sc", "tso", "rc"]},
}


def results(stats: Any, checker: str = "litmus") -> dict[str, Any]:
    return {"checkers": [{"checker": "stats", "stats": {}}, {"checker": checker, "stats": stats}]}


def test_the_most_frequent_outcome_is_first_and_each_says_its_share_and_who_allows_it() -> None:
    model, rows = outcomes(
        results({"model": "sc", "outcomes": {"SB": SB, "LB": {"a=1 b=1": {"times": 2, "allowed_by": []}}}})
    )
    assert model == "sc"
    assert [(row.test, row.first, row.outcome, row.share, row.allowed_by, row.forbidden) for row in rows] == [
        ("SB", True, "a=0 b=1", 0.75, "sc, tso, rc", False),
        ("SB", False, "a=0 b=0", 0.25, "tso, rc", True),
        ("LB", True, "a=1 b=1", 1.0, "none", True),
    ]


@pytest.mark.parametrize(
    "stats",
    [None, {}, {"outcomes": 3}, {"outcomes": {"SB": 3}}, {"outcomes": {"SB": {"a=0": {"times": 0, "allowed_by": []}}}}],
)
def test_what_is_no_histogram_has_no_rows(stats: Any) -> None:
    assert outcomes(results(stats))[1] == []
    assert outcomes(results({"outcomes": {"SB": SB}}, checker="other")) == ("", [])


def test_the_page_shows_the_histogram_and_no_markup_of_it() -> None:
    report = small_run("valid")
    hostile = {"<b>SB</b>": SB}
    shown = render(replace(report, results={**report.results, **results({"model": "sc", "outcomes": hostile})}))
    assert "Outcomes of litmus tests, model sc" in shown
    assert "75.00%" in shown
    assert "<b>SB</b>" not in shown
    assert "Outcomes of litmus tests" not in render(report)
