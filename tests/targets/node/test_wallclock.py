"""Clocks that are wrong on purpose: what they show, and when."""

from __future__ import annotations

import pytest

from targets.node.wallclock import Skew, WallClock


@pytest.mark.parametrize(
    ("skew", "true_s", "shown_s"),
    [
        (Skew(since_s=100, offset_s=-5), 100, 95),
        (Skew(since_s=100, offset_s=-5), 110, 105),
        (Skew(since_s=100, drift=0.5), 100, 100),
        (Skew(since_s=100, drift=0.5), 110, 115),
        (Skew(since_s=100, offset_s=2, drift=-0.1), 110, 111),
        (Skew(since_s=100, offset_s=7, strobe_period_s=3), 100, 107),
        (Skew(since_s=100, offset_s=7, strobe_period_s=3), 102.9, 109.9),
        (Skew(since_s=100, offset_s=7, strobe_period_s=3), 103, 103),
        (Skew(since_s=100, offset_s=7, strobe_period_s=3), 106, 113),
        (Skew(since_s=100, offset_s=1, drift=1, strobe_period_s=3), 107, 115),
    ],
)
def test_shown(skew: Skew, true_s: float, shown_s: float) -> None:
    assert skew.shown(true_s) == pytest.approx(shown_s)


def test_a_clock_is_right_before_and_after_its_skew() -> None:
    now = [50.0]
    clock = WallClock(lambda: now[0])
    assert clock.now_s() == 50
    clock.skew = Skew(since_s=50, offset_s=3)
    assert (clock.now_s(), clock.true_s()) == (53, 50)
    clock.skew = None
    assert clock.now_s() == 50


def test_a_skew_is_carried_by_its_fields() -> None:
    skew = Skew(since_s=1.5, offset_s=2, drift=0.25, strobe_period_s=4)
    assert Skew.parse(skew.fields(), now_s=99) == skew
    assert Skew.parse({"offset_s": 2}, now_s=99) == Skew(since_s=99, offset_s=2)


@pytest.mark.parametrize("fields", [{"offset_s": "much"}, {"drift": None}, {"since_s": []}])
def test_fields_that_are_no_numbers(fields: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Skew.parse(fields, now_s=0)
