"""A clock that follows the drift of the wall clock, and none of its steps."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.kv.raft.local_clock import POLL_S, STEP_S, LocalClock


@dataclass
class Times:
    """What the two clocks of a server show."""

    wall_s: float = 1e9
    monotonic_s: float = 50.0

    def clock(self, *, counts_steps: bool = False) -> LocalClock:
        return LocalClock(lambda: self.wall_s, lambda: self.monotonic_s, counts_steps=counts_steps)

    def go(self, seconds: float, rate: float = 1.0) -> None:
        self.monotonic_s += seconds
        self.wall_s += seconds * rate


def drifted(rate: float, seconds: float) -> tuple[float, LocalClock]:
    times = Times()
    clock = times.clock()
    began_s = clock.now()
    for _ in range(round(seconds / POLL_S)):
        times.go(POLL_S, rate)
        clock.now()
    return clock.now() - began_s, clock


@pytest.mark.parametrize("rate", [0.05, 0.33, 0.8, 1.0, 1.2, 1.9])
def test_it_runs_at_the_rate_of_the_wall_clock(rate: float) -> None:
    passed_s, clock = drifted(rate, 10.0)
    assert passed_s == pytest.approx(10.0 * rate, abs=1e-3)
    assert clock.stepped_s == float("-inf")


@pytest.mark.parametrize("step_s", [-3600.0, -0.13, 0.13, 288.0])
def test_it_follows_no_step(step_s: float) -> None:
    times = Times()
    clock = times.clock()
    times.go(1.0)
    before_s = clock.now()
    times.go(0.02)
    times.wall_s += step_s
    after_s = clock.now()
    assert 0.0 <= after_s - before_s <= 0.02 + 1e-6
    assert clock.stepped_s == after_s
    times.go(0.5)
    assert clock.now() == pytest.approx(after_s + 0.5, abs=1e-3)


def test_a_step_at_the_very_instant_of_a_reading_is_seen_at_the_next() -> None:
    times = Times()
    clock = times.clock()
    clock.now()
    times.wall_s -= 5.0
    assert clock.now() == times.monotonic_s
    assert clock.stepped_s == times.monotonic_s


def test_bug_lease_counts_steps() -> None:
    times = Times()
    clock = times.clock(counts_steps=True)
    times.go(1.0)
    before_s = clock.now()
    times.wall_s -= 0.5
    assert clock.now() == pytest.approx(before_s - 0.5)


READINGS = st.lists(
    st.tuples(st.floats(0.0, 0.2), st.floats(0.05, 3.0), st.floats(-100.0, 100.0) | st.just(0.0)), max_size=30
)


@given(READINGS)
def test_it_never_goes_back_and_unseen_steps_are_small(readings: list[tuple[float, float, float]]) -> None:
    times = Times()
    clock = times.clock()
    last_s = clock.now()
    for passed_s, rate, step_s in readings:
        times.go(passed_s, rate)
        times.wall_s += step_s
        now_s = clock.now()
        went_s = passed_s * rate + step_s
        assert now_s >= last_s
        assert now_s - last_s <= max(passed_s, min(went_s, passed_s + STEP_S)) + 1e-5
        if clock.stepped_s != now_s:
            assert abs(went_s - passed_s) <= STEP_S + 1e-5
        last_s = now_s
