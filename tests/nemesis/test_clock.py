from __future__ import annotations

import pytest

from harness.effects import ClockSkew, Skew
from nemesis.clock import CLOCK, OFFSET_MIN_S
from tests.nemesis.scenes import dice, names, scene


def plans(shape, count=300):
    rng = dice(1)
    return [CLOCK.complete({"shape": shape}, scene(), rng) for _ in range(count)]


def test_bumps_go_both_ways_over_three_orders_of_magnitude():
    offsets = [args["offset_s"] for args in plans("bump")]
    assert all(0.129 <= abs(offset) <= 288 for offset in offsets)
    assert 100 < sum(offset > 0 for offset in offsets) < 200
    assert min(map(abs, offsets)) < 0.5
    assert max(map(abs, offsets)) > 100


def test_strobes_flip_between_eight_milliseconds_and_a_second():
    for args in plans("strobe"):
        assert 0.128 <= abs(args["offset_s"]) <= 262.2
        assert 0.008 <= args["strobe_period_s"] <= 1.024


def test_drifts_show_within_the_shortest_fault():
    drifts = [args["drift"] for args in plans("drift")]
    assert all(OFFSET_MIN_S < abs(drift) < 0.95 for drift in drifts)
    assert min(drifts) < 0 < max(drifts)


def test_steps_go_back():
    assert all(-60 <= args["offset_s"] <= -1 for args in plans("step-back"))


def test_a_leap_shows_one_second_again():
    assert {args["offset_s"] for args in plans("leap", 5)} == {-1.0}


def test_a_plan_may_be_any_shape_but_one_that_has_to_be_named():
    rng = dice(1)
    assert {CLOCK.plan(scene(), rng)["shape"] for _ in range(100)} == {"bump", "drift", "strobe", "step-back"}


@pytest.mark.parametrize(
    ("args", "skew"),
    [
        ({"shape": "bump", "offset_s": 3}, ClockSkew(offset_s=3.0)),
        ({"shape": "step-back", "offset_s": -30}, ClockSkew(offset_s=-30.0)),
        ({"shape": "leap", "offset_s": -1}, ClockSkew(offset_s=-1.0)),
        ({"shape": "drift", "drift": 0.5}, ClockSkew(drift=0.5)),
        ({"shape": "strobe", "offset_s": 1.5, "strobe_period_s": 0.1}, ClockSkew(offset_s=1.5, strobe_period_s=0.1)),
    ],
)
def test_figures_reach_the_effect(args, skew):
    hit, (step,) = CLOCK.resolve({**args, "nodes": ["n2", "n3"]}, names(5), {})
    assert hit == ("n2", "n3")
    assert step.effect == Skew(nodes=("n2", "n3"), skew=skew)
    assert (step.offset_s, step.length_s) == (0, None)


@pytest.mark.parametrize(
    ("figures", "shape"),
    [
        ({"offset_s": 60}, "bump"),
        ({"drift": -0.5}, "drift"),
        ({"strobe_period_s": 0.2}, "strobe"),
        ({"offset_s": 2, "strobe_period_s": 0.2}, "strobe"),
    ],
)
def test_the_shape_is_guessed_from_the_figures(figures, shape):
    assert CLOCK.problems(figures, scene()) == []
    args = CLOCK.complete(figures, scene(), dice(1))
    assert args["shape"] == shape
    assert figures.items() <= args.items()
    assert CLOCK.problems(args, scene()) == []


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ({"offset_s": 0.01}, "offset_s: 0.01 s is too little to be proved: at least 0.1 s either way"),
        ({"offset_s": 1e99}, "offset_s: 1e+99 is not seconds from -1e+08 to 1e+08"),
        ({"shape": "leap", "offset_s": 1}, "offset_s: 1 is not a step back: write a negative number of seconds"),
        ({"shape": "step-back", "offset_s": 5}, "offset_s: 5 is not a step back: write a negative number of seconds"),
        ({"shape": "bump", "drift": 0.5}, 'drift: not for the shape "bump"'),
        ({"drift": 0.5, "offset_s": 1}, "offset_s: no shape takes offset_s and drift together"),
        ({"drift": -1}, "drift: -1 is not a share by which the clock runs too fast, from -0.95 to 10"),
        (
            {"drift": 0.01},
            "drift: 0.01 makes 0.06 s in the 6 s that the fault lasts, too little to be proved: at least 0.1 s",
        ),
        ({"offset": 5}, "offset: unknown argument: did you mean 'offset_s'?"),
    ],
)
def test_problems(args, problem):
    assert CLOCK.problems(args, scene()) == [problem]


def test_descriptions():
    assert CLOCK.describe({"shape": "bump", "offset_s": 12.5, "nodes": ["n1"]}) == "clock: n1: +12.5 s"
    drift = {"shape": "drift", "drift": 0.2, "target": "leader", "else": "n1"}
    assert CLOCK.describe(drift) == "clock: the leader: runs 1.2 times as fast"
    strobe = {"shape": "strobe", "offset_s": -3.2, "strobe_period_s": 0.25, "nodes": ["n1", "n2"]}
    assert CLOCK.describe(strobe) == "clock: n1 n2: flips by -3.2 s every 0.25 s"
