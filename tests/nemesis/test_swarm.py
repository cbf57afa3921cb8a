from __future__ import annotations

from collections import Counter

from nemesis.swarm import OFF_SHARE, SPREAD, draw_weights, pick
from tests.nemesis.scenes import dice

NAMES = tuple("abcdefgh")


def test_some_variants_are_off_and_the_others_weighed():
    weights = [weight for seed in range(200) for weight in draw_weights(NAMES, dice(seed)).values()]
    off = sum(weight == 0 for weight in weights) / len(weights)
    assert abs(off - OFF_SHARE) < 0.05
    assert all(1 / SPREAD <= weight <= SPREAD for weight in weights if weight)


def test_runs_differ_in_what_they_do_most():
    favourites = {
        max(weights, key=weights.__getitem__) for weights in (draw_weights(NAMES, dice(s)) for s in range(50))
    }
    assert len(favourites) == len(NAMES)


def test_pick_follows_the_weights():
    rng = dice(1)
    seen = Counter(pick(("a", "b", "c"), {"a": 9.0, "b": 0.0}, rng) for _ in range(1000))
    assert seen["b"] == 0
    assert seen["a"] > 5 * seen["c"] > 0


def test_where_all_is_off_the_choice_is_even():
    rng = dice(1)
    assert {pick(("a", "b"), {"a": 0.0, "b": 0.0}, rng) for _ in range(50)} == {"a", "b"}
