from __future__ import annotations

import pytest

from harness.effects import ClockSkew, Skew
from nemesis.clock import OFFSET_MIN_S
from nemesis.drift import DRAWN, DRIFT
from nemesis.fault import LENGTH_MIN_S
from tests.nemesis.scenes import dice, names, scene


def test_drifts_go_both_ways_and_show_within_the_shortest_fault():
    rng = dice(1)
    drifts = [DRIFT.plan(scene(), rng)["drift"] for _ in range(300)]
    assert all(OFFSET_MIN_S / LENGTH_MIN_S <= abs(drift) <= DRAWN[1] for drift in drifts)
    assert 100 < sum(drift > 0 for drift in drifts) < 200


def test_two_clocks_gain_no_more_on_each_other_than_a_lease_bears_by_default():
    from targets.kv.raft.config import Config

    assert (1 + DRAWN[1]) / (1 - DRAWN[1]) <= Config().drift_bound + 1e-9


def test_the_clock_drifts_and_does_not_jump():
    hit, (step,) = DRIFT.resolve({"drift": -0.25, "nodes": ["n2"]}, names(5), {})
    assert hit == ("n2",)
    assert step.effect == Skew(nodes=("n2",), skew=ClockSkew(drift=-0.25))


@pytest.mark.parametrize(
    ("args", "length_s", "problem"),
    [
        (
            {"drift": 0.02},
            4.0,
            "drift: 0.02 makes 0.08 s in the 4 s that the fault lasts, too little to be proved: at least 0.1 s",
        ),
        ({"drift": "fast"}, 4.0, 'drift: "fast" is not a share by which the clock runs too fast, from -0.95 to 10'),
        ({"drift": -1.0}, 4.0, "drift: -1.0 is not a share by which the clock runs too fast, from -0.95 to 10"),
    ],
)
def test_what_a_person_may_get_wrong(args, length_s, problem):
    assert DRIFT.problems(args, scene(length_s=length_s)) == [problem]


def test_the_description():
    assert DRIFT.describe({"drift": -0.2, "nodes": ["n1", "n4"]}) == "drift: n1 n4: runs 0.8 times as fast"
