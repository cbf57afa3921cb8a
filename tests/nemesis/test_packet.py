from __future__ import annotations

import pytest

from harness.effects import PacketShape, Shape
from nemesis.packet import PACKET
from tests.nemesis.scenes import dice, names, scene


def shape_of(args, count=5):
    _, (step,) = PACKET.resolve(args, names(count), {"n2": "leader"})
    assert (step.offset_s, step.length_s) == (0, None)
    return step.effect


def test_links_to_and_from_the_nodes_are_shaped():
    effect = shape_of({"target": "leader", "else": "n1", "loss": 0.3}, 3)
    links = frozenset({("n2", "n1"), ("n2", "n3"), ("n1", "n2"), ("n3", "n2")})
    assert effect == Shape(links=links, shape=PacketShape(loss=0.3))


def test_all_means_all_links():
    args = PACKET.complete({"target": "all", "delay_s": 1}, scene(4), dice(1))
    assert args == {"delay_s": 1, "nodes": list(names(4))}
    assert len(shape_of(args, 4).links) == 12


def test_what_a_person_wrote_is_taken_as_it_is():
    assert PACKET.complete({"loss": 0.5, "nodes": ["n1"]}, scene(), dice(1)) == {"loss": 0.5, "nodes": ["n1"]}


def test_reordering_needs_a_delay_and_gets_jepsens():
    args = PACKET.complete({"reorder": 0.5, "nodes": ["n1"]}, scene(), dice(1))
    assert args == {"reorder": 0.5, "delay_s": 0.05, "jitter_s": 0.01, "nodes": ["n1"]}
    kept = PACKET.complete({"reorder": 0.5, "delay_s": 0.3, "nodes": ["n1"]}, scene(), dice(1))
    assert kept == {"reorder": 0.5, "delay_s": 0.3, "nodes": ["n1"]}


def test_drawn_figures_are_strong_enough_to_be_measured_and_mixed():
    rng = dice(1)
    plans = [PACKET.plan(scene(), rng) for _ in range(600)]
    figures = [{name: value for name, value in plan.items() if isinstance(value, (int, float))} for plan in plans]
    for drawn in figures:
        assert drawn
        assert all(value >= 0.2 for name, value in drawn.items() if name in ("loss", "duplicate", "reorder", "corrupt"))
        assert "reorder" not in drawn or drawn["delay_s"] >= 0.05
        assert drawn.get("delay_s", 0.05) >= 0.05
    mixes = {tuple(sorted(set(drawn) - {"jitter_s"})) for drawn in figures}
    assert {
        ("delay_s",),
        ("loss",),
        ("duplicate",),
        ("corrupt",),
        ("bytes_per_s",),
        ("delay_s", "reorder"),
        ("bytes_per_s", "corrupt", "delay_s", "duplicate", "loss", "reorder"),
    } <= mixes


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ({"loss": -0.5}, "loss: -0.5 is not a probability from 0.05 to 0.9"),
        ({"loss": 0.001}, "loss: 0.001 is not a probability from 0.05 to 0.9"),
        ({"loss": True}, "loss: true is not a probability from 0.05 to 0.9"),
        ({"delay_s": "50ms"}, 'delay_s: "50ms" is not seconds from 0.01 to 60'),
        ({"delay_s": 0.1, "jitter_s": 0.2}, "jitter_s: 0.2 must be at most delay_s, which is 0.1"),
        ({"jitter_s": 0.2}, "jitter_s: 0.2 must be at most delay_s, which is 0"),
        ({"corrupt": 1}, "corrupt: 1 is not a probability from 0.05 to 0.9"),
        ({"bytes_per_s": 10}, "bytes_per_s: 10 is not bytes per second from 4000 to 1e+06"),
        ({"delay_s": 1, "distribution": "normal"}, "distribution: needs jitter_s, whose distribution it is"),
        (
            {"delay_s": 1, "jitter_s": 1, "distribution": "gauss"},
            'distribution: unknown "gauss": known: normal, pareto, uniform',
        ),
        ({"delay": 0.1}, "delay: unknown argument: did you mean 'delay_s'?"),
    ],
)
def test_problems(args, problem):
    assert PACKET.problems(args, scene()) == [problem]


def test_jitter_alone_does_nothing():
    assert PACKET.problems({"jitter_s": 0}, scene())


def test_descriptions():
    args = {"delay_s": 0.05, "jitter_s": 0.01, "loss": 0.2, "nodes": ["n1", "n2"]}
    assert PACKET.describe(args) == "packet: 50 ± 10 ms late, 20 % lost on links of n1 n2"
    slow = {"corrupt": 0.2, "bytes_per_s": 16000, "nodes": ["n1"]}
    assert PACKET.describe(slow) == "packet: 20 % corrupted, at most 16 kB/s on links of n1"
