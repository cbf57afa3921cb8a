"""The page and the summary of a comparison: complete, inert, and plain about what changed."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from harness.comparison import comparison, run_side
from reports.comparison import change, figures, number, print_comparison, render
from tests.reports.hostile import ALL, TEXTS
from tests.reports.html.test_page import Page


def compared(text: str) -> dict[str, Any]:
    """A comparison with a finding of every state, and ``text`` in every place that others fill."""

    def side(*names: str, figure: float, seed: str) -> Any:
        anomalies = [{"checker": text, "name": f"{name} {text}", "reason": text} for name in names]
        document = {
            "verdict": text,
            "reason": text,
            "anomalies": anomalies,
            "stats": {text: figure},
            "checkers": [{"checker": text, "stats": {f"{text}_2": 7}}],
            "plan": {text: text + seed},
        }
        return run_side(text, document)

    earlier = [
        side("past", figure=1, seed="1"),
        side("ongoing", figure=2, seed="2"),
        side("ongoing", "resolved", figure=4, seed="3"),
    ]
    return comparison(side("new", "ongoing", figure=5.5, seed="4"), earlier)


def test_a_hostile_comparison_makes_the_same_page_as_a_harmless_one() -> None:
    harmless = Page(render(compared("harmless")))
    for text in (*TEXTS, ALL):
        hostile = Page(render(compared(text)))
        assert hostile.shape == harmless.shape
        assert hostile.comments == []
    assert not [tag for tag, _ in harmless.tags if tag == "script"]


def test_the_page_tells_every_finding_its_state_and_where_it_was_seen() -> None:
    page = Page(render(compared("x")))
    for state in ("new", "ongoing", "resolved", "past"):
        assert f"{state} x/{state} x" in page.visible
    assert page.visible.count("found") > 0
    assert "1 new finding" in page.visible


@pytest.mark.parametrize("text", ["x", *TEXTS])
def test_the_summary_is_text_alone(text: str) -> None:
    console = Console(file=io.StringIO(), width=100, color_system=None)
    print_comparison(console, compared(text), text)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1 finding new: never found before" in said
    assert not [char for char in said if ord(char) < 32 and char != "\n"]


@pytest.mark.parametrize(
    ("now", "last", "told"),
    [
        (110, 100, "+10 %"),
        (50, 100, "-50 %"),
        (3, 0, "+3"),
        (0, 0, ""),
        (7, 7, ""),
        (7, None, ""),
        (None, 7, ""),
        (True, 7, ""),
        (-5, -10, "+50 %"),
    ],
)
def test_a_change_is_told_where_there_is_one(now: Any, last: Any, told: str) -> None:
    assert change(now, last) == told


def test_numbers_are_short_and_what_is_none_is_a_dash() -> None:
    assert [number(value) for value in (1234567, 0.0123456789, None, "x", True)] == [
        "1,234,567",
        "0.0123457",
        "–",
        "–",
        "–",
    ]


def test_what_changed_most_comes_first() -> None:
    document = {"figures": {"same": [1, 1], "a little": [11, 10], "much": [1, 100], "appeared": [5, 0]}}
    assert [row.name for row in figures(document)] == ["appeared", "much", "a little", "same"]
