from __future__ import annotations

import itertools

import pytest

from harness.effects import Kill, Pause
from nemesis.fault import LENGTH_MIN_S, Step
from nemesis.kill import KILL, LOOP_MIN_S, UP_MIN_S
from nemesis.pause import PAUSE
from tests.nemesis.scenes import dice, names, scene


def test_a_kill_lasts_until_the_end_unless_a_loop_is_asked_for():
    args = KILL.complete({"target": "leader", "else": "n1"}, scene(), dice(1))
    assert args == {"shape": "crash", "target": "leader", "else": "n1"}
    assert KILL.resolve(args, names(5), {"n2": "leader"}) == (("n2",), (Step(effect=Kill(nodes=("n2",))),))


def test_a_pause_is_its_target():
    args = PAUSE.complete({"target": "all"}, scene(3), dice(1))
    assert PAUSE.resolve(args, names(3), {}) == (names(3), (Step(effect=Pause(nodes=names(3))),))


@pytest.mark.parametrize("length_s", [LOOP_MIN_S, 3.0, 10.0, 300.0])
def test_a_crash_loop_crashes_several_times_and_fits(length_s):
    for seed in range(50):
        where = scene(length_s=length_s)
        args = KILL.complete({"shape": "crash-loop"}, where, dice(seed))
        assert KILL.problems(args, where) == []
        _, steps = KILL.resolve(args, names(5), {})
        assert len(steps) == args["times"] >= 2
        assert all(step.length_s >= LENGTH_MIN_S for step in steps)
        for step, after in itertools.pairwise(steps):
            assert after.offset_s - (step.offset_s + step.length_s) >= UP_MIN_S - 1e-9
        assert steps[-1].offset_s + steps[-1].length_s <= length_s + 0.01 * len(steps)


def test_a_short_kill_is_never_drawn_as_a_loop():
    rng = dice(1)
    assert {KILL.plan(scene(length_s=LOOP_MIN_S - 0.1), rng)["shape"] for _ in range(50)} == {"crash"}
    assert {KILL.plan(scene(length_s=LOOP_MIN_S), rng)["shape"] for _ in range(50)} == {"crash", "crash-loop"}


def test_a_loop_is_meant_where_its_times_are_written():
    args = {"nodes": ["n1"], "times": 2, "down_s": 1, "up_s": 1}
    assert KILL.problems(args, scene()) == []
    assert KILL.complete(args, scene(), dice(1)) == {"shape": "crash-loop", **args}


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ({"shape": "crash-loop", "times": 3}, "times: write all of times, down_s, up_s, or none to have them drawn"),
        ({"shape": "crash", "times": 3}, 'times: only for the shape "crash-loop"'),
        ({"times": 1, "down_s": 1, "up_s": 1}, "times: 1 is not a number of crashes from 2 to 100"),
        ({"times": 2.5, "down_s": 1, "up_s": 1}, "times: 2.5 is not a whole number"),
        ({"times": 2, "down_s": 0.1, "up_s": 1}, "down_s: 0.1 is not seconds from 1 to 3600"),
        ({"times": 9, "down_s": 1, "up_s": 1}, "times: 9 crashes take 17 s, but the fault lasts 6 s"),
        ({"shape": "loop"}, 'shape: unknown "loop": known: crash, crash-loop'),
        ({"signal": 9}, "signal: unknown argument: known: down_s, else, nodes, shape, target, times, up_s"),
    ],
)
def test_problems(args, problem):
    assert KILL.problems(args, scene()) == [problem]


def test_a_loop_needs_its_time():
    problem = "shape: a crash-loop takes at least 2.5 s, but the fault lasts 2 s"
    assert KILL.problems({"shape": "crash-loop"}, scene(length_s=2.0)) == [problem]


def test_pauses_take_a_target_and_nothing_else():
    assert PAUSE.problems({"shape": "crash"}, scene()) == ["shape: unknown argument: known: else, nodes, target"]


def test_descriptions():
    assert KILL.describe({"shape": "crash", "nodes": ["n1", "n2"]}) == "kill: n1 n2"
    loop = {"shape": "crash-loop", "target": "leader", "else": "n1", "times": 3, "down_s": 1, "up_s": 1}
    assert KILL.describe(loop) == "kill: the leader, 3 times"
    assert PAUSE.describe({"nodes": ["n4"]}) == "pause: n4"
