"""Intervals of time: what one answer proves, and what several prove of which some are wrong, against their definitions."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from targets.clock.ntp.bugs import Bugs
from targets.clock.ntp.intervals import Interval, Sample, agreed, held_by, soonest

SPANS = st.tuples(st.integers(-6, 6), st.integers(0, 6)).map(lambda pair: (float(pair[0]), float(pair[0] + pair[1])))
RIGHT = Bugs()


@given(st.lists(SPANS, max_size=5), st.integers(1, 5))
def test_the_points_that_so_many_hold(spans: list[Interval], needed: int) -> None:
    points = [float(p) for p in range(-6, 13) if sum(low <= p <= high for low, high in spans) >= needed]
    assert held_by(spans, needed) == ((points[0], points[-1]) if points else None)


@given(st.lists(SPANS, min_size=1, max_size=5), st.integers(-6, 12), st.integers(0, 2))
def test_the_truth_is_never_left_out(spans: list[Interval], truth: int, liars_max: int) -> None:
    assume(sum(not low <= truth <= high for low, high in spans) <= liars_max)
    found = agreed(spans, liars_max, RIGHT)
    if len(spans) <= liars_max:
        assert found is None
    else:
        assert found is not None
        assert found[0] <= truth <= found[1]


def test_what_most_hold_may_leave_the_truth_out() -> None:
    spans = [(0.0, 10.0), (0.0, 10.0), (5.0, 8.0)]  # the third is wrong: it is 2
    assert agreed(spans, 1, Bugs(most_agreeing=True)) == (5.0, 8.0)
    assert agreed(spans, 1, RIGHT) == (0.0, 10.0)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(-50, 50))
def test_one_answer_holds_the_truth_however_unequal_both_ways_are(there: int, back: int, figure: int) -> None:
    asked = 100.0
    read_at = asked + there
    sample = Sample(time_s=read_at + figure, asked_s=asked, answered_s=read_at + back)
    low, high = sample.interval(read_at + back, 0.0, RIGHT)
    assert low <= figure <= high
    assert high - low == there + back


def test_an_old_answer_proves_less() -> None:
    sample = Sample(time_s=10.0, asked_s=1.0, answered_s=2.0)
    assert sample.interval(101.0, 0.01, RIGHT) == (7.0, 10.0)


def test_the_soonest_answer_is_the_narrowest() -> None:
    assert soonest([(0.0, 3.0), (1.0, 2.0), (0.0, 9.0)]) == (1.0, 2.0)
    assert soonest([]) is None
