"""The drawing of a witness: order is kept, texts fit, nothing leaves the frame."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from reports.faults import faults
from reports.html.drawing import WIDTH_MIN, Drawing, draw
from reports.report import Report
from reports.witness import witness
from tests.builders import history, timeline
from tests.reports.runs import small_run, synthetic_run, untimed_run


def drawn(report: Report, indices: list[int] | None = None) -> Drawing:
    anomaly: dict[str, Any] = {"witness": list(range(len(report.history))) if indices is None else indices}
    return draw(witness(report, anomaly), faults(report), report.since)


TIMELINES = {
    "one": "p0 |-- read x 1 --|",
    "two in turn": "p0 |-- write x 1 --| |-- read x 1 --|",
    "overlap": "p0 |-- write x 1 --|\np1     |-- write x 2 --|\np2          |-- read x 2 --|",
    "inside": "p0 |----- write x 123456789 -----|\np1    |-- read x 1 --|",
    "open": "p0 |-- write x 1 -->\np1     |-- read x 1 --|   |-- read x 9 --!",
    "long": f"p0 |-- write x {'9' * 200} --|\np1 |-- read x 1 --|",
}


@pytest.mark.parametrize("text", TIMELINES.values(), ids=TIMELINES)
def test_order_is_kept_and_texts_fit(text: str) -> None:
    run = Report(results={}, history=timeline(text))
    found = drawn(run)
    assert list(found.grid) == sorted(set(found.grid))
    assert len(found.grid) == len(run.history)
    shown = witness(run, {"witness": list(range(len(run.history)))})
    for bar, op in zip(found.bars, shown.ops, strict=True):
        assert bar.x == found.grid[op.first]
        assert op.last is None or bar.x + bar.width == pytest.approx(found.grid[op.last])
        assert bar.text_x + len(bar.text) * 7 <= bar.x + bar.width
        assert 0 <= bar.x < bar.x + bar.width <= found.width
        assert 0 <= bar.y < bar.y + bar.height <= found.height
    assert found.width >= WIDTH_MIN


@pytest.mark.parametrize("text", TIMELINES.values(), ids=TIMELINES)
def test_bars_of_one_lane_do_not_touch(text: str) -> None:
    bars = sorted(drawn(Report(results={}, history=timeline(text))).bars, key=lambda bar: (bar.y, bar.x))
    for one, other in pairwise(bars):
        assert one.y != other.y or one.x + one.width < other.x


def test_an_unknown_outcome_has_a_tail_and_a_pending_one_reaches_the_end() -> None:
    run = Report(
        results={},
        history=history(
            "p0 invoke write x 1\np1 invoke write x 2\np1 info write x 2\np2 invoke read x _\np2 ok read x 1"
        ),
    )
    pending, info, ok = drawn(run).bars
    assert pending.tail_x == info.tail_x == drawn(run).width
    assert ok.tail_x is None
    assert pending.x + pending.width > ok.x + ok.width > info.x + info.width


def test_faults_lie_behind_the_events_of_their_time() -> None:
    run = small_run("invalid")
    found = drawn(run, [0, 1, 9, 10])
    (band,) = found.bands
    assert found.grid[1] < band.x < found.grid[2]
    assert band.x + band.width > found.grid[3]
    assert band.text == "partition n1, n2"


def test_ticks_tell_the_time_since_the_first_event_and_do_not_collide() -> None:
    found = drawn(synthetic_run(500), list(range(60)))
    assert found.ticks[0].text == "0"
    for one, other in pairwise(found.ticks):
        assert other.x - one.x > (len(one.text) + len(other.text)) * 3


def test_ticks_of_a_history_without_times_are_lines() -> None:
    assert [tick.text for tick in drawn(untimed_run(), [0, 3, 4, 5]).ticks][:2] == ["line 0", "line 3"]
