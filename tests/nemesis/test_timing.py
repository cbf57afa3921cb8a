from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import PlanError
from nemesis.fault import LENGTH_MIN_S
from nemesis.timing import CLEAR_S, draw_windows
from tests.nemesis.scenes import KINDS, POWERS, dice, quick, seeds

AWAY = {"kill", "pause", "term", "memory", "power"}
POWER_OF = dict(zip(KINDS, POWERS, strict=True))
EPSILON_S = 0.002  # times are rounded to milliseconds

chosen = st.lists(st.sampled_from(KINDS), min_size=1, unique=True)
limits = st.floats(min_value=4, max_value=200)
intervals = st.floats(min_value=0.1, max_value=100)


# Short runs are full to the brim, and with short intervals longer ones are, too: there edges must give way.
crowded = [(limit_s, interval_s) for limit_s in (4.0, 4.4, 5.0, 7.0, 12.0, 30.0) for interval_s in (0.1, 0.7, 2.0)]


def draw(kinds, limit_s, interval_s, seed):
    return draw_windows({kind: POWER_OF[kind] for kind in KINDS if kind in kinds}, limit_s, interval_s, dice(seed))


def overlap(a, b):
    return a.start_s < b.end_s and b.start_s < a.end_s


def check(windows, kinds, limit_s):
    """All that must hold of the windows of any run, pair by pair."""
    assert windows == sorted(windows)
    occur = {window.kind for window in windows}
    assert set(kinds) - AWAY <= occur <= set(kinds), "every kind occurs"
    # Those that take nodes away come one after another: in a very short run there is not room for all.
    assert len(AWAY & occur) >= min(len(AWAY & set(kinds)), 2 if limit_s < 8 else len(AWAY))
    away = [window for window in windows if window.kind in AWAY]
    both = ("start_s", "end_s")
    edges_of = {"partition": ("end_s",), "packet": both, "clock": both, "throttle": both}
    for place, window in enumerate(windows):
        assert 0 < window.start_s < window.end_s < limit_s
        assert window.length_s >= LENGTH_MIN_S - EPSILON_S
        for other in windows[place + 1 :]:
            if window.kind == other.kind or (window in away and other in away):
                assert other.start_s - window.end_s >= CLEAR_S - EPSILON_S, "they follow one another, with a gap"
        for edge_s in (getattr(window, edge) for edge in edges_of.get(window.kind, ())):
            for gone in away:
                assert not gone.start_s - CLEAR_S + EPSILON_S < edge_s < gone.end_s + CLEAR_S - EPSILON_S


@quick
@given(chosen, limits, intervals, seeds)
def test_windows_of_any_run(kinds, limit_s, interval_s, seed):
    check(draw(kinds, limit_s, interval_s, seed), kinds, limit_s)


@pytest.mark.parametrize(("limit_s", "interval_s"), crowded)
def test_windows_of_crowded_runs(limit_s, interval_s):
    for seed in range(40):
        check(draw(KINDS, limit_s, interval_s, seed), KINDS, limit_s)


def test_a_minute_with_the_usual_interval_has_about_ten_faults_that_overlap():
    runs = [draw(KINDS, 60, 5, seed) for seed in range(100)]
    assert all(7 <= len(windows) <= 14 for windows in runs)
    overlapping = sum(any(overlap(a, b) for a in windows for b in windows if a is not b) for windows in runs)
    assert overlapping >= 95


def test_runs_differ_in_the_kinds_that_they_favour():
    favourites = set()
    for seed in range(300):
        kinds = [window.kind for window in draw(KINDS, 60, 5, seed)]
        favourites.add(max(KINDS, key=kinds.count))
    assert favourites == set(KINDS)


def test_one_kind_alone_is_off_as_long_as_it_is_on():
    for kind in KINDS:
        on_s = [sum(window.length_s for window in draw([kind], 60, 5, seed)) for seed in range(30)]
        assert all(8 < seconds < 34 for seconds in on_s), kind


def test_a_long_run_is_planned_in_no_time():
    """Linear in the number of faults: a week at the usual interval has a hundred thousand."""
    windows = draw(KINDS, 7 * 86400, 5, 1)
    assert len(windows) > 80_000


@pytest.mark.parametrize("limit_s", [0.1, 1.0, 1.4])
def test_a_run_without_room_is_refused(limit_s):
    with pytest.raises(PlanError, match=r"no room for faults.*--time-limit 2 or longer"):
        draw(KINDS, limit_s, 5, 1)


@pytest.mark.parametrize("limit_s", [1.5, 2.0, 3.0])
def test_a_very_short_run_has_at_least_one_fault(limit_s):
    for seed in range(50):
        assert draw(KINDS, limit_s, 5, seed)
        for kind in KINDS:
            assert len(draw([kind], limit_s, 5, seed)) == 1
