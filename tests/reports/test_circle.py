"""Contradictions, told and drawn: from a checker's finding to the picture, and nothing from documents that hold no circle."""

from __future__ import annotations

from math import dist
from typing import Any

import pytest

from checkers.transactions.list_append import make
from harness.history import History
from harness.results import document
from harness.verdict import Budget
from reports.circle import Circle, circle
from reports.html import render
from reports.html.circle_drawing import MEMBERS_MAX, draw_circle
from reports.report import Report
from tests.checkers.transactions.texts import drawn

SKEW = """
p0  |ax1 ry_|
p1  |ay1 rx_|
p2              |rx1 ry1|
"""


def judged(history: History) -> Report:
    verdict = make().check(history, Budget())
    told = document(history=history, verdicts=[verdict], plan={}, run="", repeat="", stats={})
    return Report(results=told, history=history)


def ring(size: int, *, cut: bool = False) -> Report:
    """A document with a circle of that many transactions, each of its own process."""
    history = drawn("\n".join(f"p{at}  |ax{at} |" for at in range(size)))
    steps = [{"src": at, "dst": (at + 1) % size, "kind": "ww", "why": f"reason {at}"} for at in range(size)]
    return Report(results={"anomalies": [{"name": "G0", "circle": steps[: -1 if cut else size]}]}, history=history)


def of(report: Report) -> Circle | None:
    return circle(report, report.results["anomalies"][0])


def test_a_cycle_that_a_checker_found_is_told_step_by_step() -> None:
    report = judged(drawn(SKEW))
    told = of(report)
    assert told is not None
    assert [(step.src, step.dst, step.kind) for step in told.steps] == [("T0", "T1", "rw"), ("T1", "T0", "rw")]
    assert told.steps[0].why == "T0 read key y as empty and did not see T1's append of 1"
    assert [member.did for member in told.members] == [
        ("append x ← 1", "r y → []"),
        ("append y ← 1", "r x → []"),
    ]


def test_the_page_says_every_step_and_draws_each_once() -> None:
    html = render(judged(drawn(SKEW)))
    assert html.count('<g class="step rw">') == 2
    assert html.count('<g class="member">') == 2
    assert "T1 must come before T0, because T1 read key x as empty and did not see T0&#39;s append of 1." in html


@pytest.mark.parametrize("size", [2, 3, 4, 7, MEMBERS_MAX])
def test_boxes_do_not_touch_and_everything_is_inside_the_frame(size: int) -> None:
    told = of(ring(size))
    assert told is not None
    picture = draw_circle(told)
    assert picture is not None
    assert (len(picture.boxes), len(picture.curves)) == (size, size)
    for at, box in enumerate(picture.boxes):
        assert box.width / 2 <= box.x <= picture.width - box.width / 2
        assert box.height / 2 <= box.y <= picture.height - box.height / 2
        for other in picture.boxes[:at]:
            assert abs(box.x - other.x) > box.width or abs(box.y - other.y) > box.height
    for curve in picture.curves:
        assert 0 < curve.text_x - curve.text_width / 2 < curve.text_x + curve.text_width / 2 < picture.width
        assert 14 < curve.text_y < picture.height
    middles = [(curve.text_x, curve.text_y) for curve in picture.curves]
    assert all(dist(one, other) > 20 for at, one in enumerate(middles) for other in middles[:at])


def test_a_step_across_the_circle_is_drawn_too() -> None:
    report = ring(4)
    steps = report.results["anomalies"][0]["circle"]
    walk = [steps[0], {**steps[1], "dst": 0}, {**steps[0], "dst": 2}, steps[2], steps[3]]  # 0 1 0 2 3 0
    told = circle(report, {"circle": walk})
    assert told is not None
    picture = draw_circle(told)
    assert picture is not None
    assert len({curve.path for curve in picture.curves}) == 5


def test_a_circle_too_large_to_draw_is_told() -> None:
    report = ring(MEMBERS_MAX + 1)
    told = of(report)
    assert told is not None
    assert draw_circle(told) is None
    assert f"T{MEMBERS_MAX} must come before T0, because reason {MEMBERS_MAX}." in render(report)


@pytest.mark.parametrize(
    "told",
    [
        None,
        "circle",
        7,
        [],
        [1],
        [{"src": 0, "dst": 1}],
        [{"src": 0, "dst": 0.0}],
        [{"src": True, "dst": True}],
        [{"src": 0, "dst": 99}, {"src": 99, "dst": 0}],
        [{"src": 0, "dst": 1}, {"src": 2, "dst": 0}],
    ],
)
def test_what_makes_no_circle_is_none(told: Any) -> None:
    assert circle(ring(3), {"circle": told}) is None


def test_an_open_chain_is_no_circle() -> None:
    assert of(ring(3, cut=True)) is None
