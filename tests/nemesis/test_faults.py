"""What every kind of fault must satisfy, run over the table."""

from __future__ import annotations

import json

import pytest

from harness.effects import BreakDisk, Cut, Intrude, Kill, LosePower, Pause, Shape, Skew, Squeeze, Terminate, Throttle
from nemesis import FAULTS
from nemesis.fault import LENGTH_MIN_S, Fault, Scene
from nemesis.package import load_faults
from nemesis.partition_shapes import SHAPES
from nemesis.swarm import draw_weights
from nemesis.targets import SIZES as SIZES_OF
from tests.nemesis.scenes import EVERY_KIND, POWERS, ROLES, dice, names, random_roles, scene

EFFECTS = (Cut, Shape, Kill, Pause, Skew, Terminate, Throttle, Squeeze, LosePower)
EFFECT_OF = dict(zip(POWERS, EFFECTS, strict=True)) | {"disk": BreakDisk, "intrude": Intrude}
AIMLESS = {"power", "corrupt", "adversary", "impostor"}  # whom they hit is fixed, or chosen while they hold
SIZES = (1, 2, 3, 4, 5, 9)

every_kind = pytest.mark.parametrize("kind", EVERY_KIND)


def load(kind: str) -> Fault:
    return load_faults([kind])[kind]


def drawn(fault: Fault, seed: int) -> tuple[Scene, dict]:
    """A scene that differs from seed to seed, and a plan for it."""
    rng = dice(seed)
    count = rng.choice([size for size in SIZES if size >= fault.nodes_min])
    weights = draw_weights(fault.variants, rng) if rng.random() < 0.5 else {}
    aim = rng.choice((None, *ROLES))
    length_s = rng.choice((LENGTH_MIN_S, round(rng.uniform(1, 20), 3)))
    found = Scene(nodes=names(count), roles=ROLES, length_s=length_s, aim=aim, weights=weights)
    return found, fault.plan(found, rng)


def test_the_table_holds_every_kind_under_its_own_name():
    assert tuple(FAULTS) == EVERY_KIND
    assert {kind: fault.kind for kind, fault in load_faults().items()} == {kind: kind for kind in EVERY_KIND}


@every_kind
def test_plans_are_explicit_and_without_problems(kind):
    fault = load(kind)
    for seed in range(500):
        where, args = drawn(fault, seed)
        assert fault.problems(args, where) == [], (where, args)
        assert fault.complete(args, where, dice(seed + 1)) == args, "nothing was left open"


@every_kind
def test_plans_are_json(kind):
    fault = load(kind)
    for seed in range(100):
        _, args = drawn(fault, seed)
        assert json.loads(json.dumps(args, allow_nan=False)) == args


@every_kind
def test_a_plan_is_a_function_of_its_dice(kind):
    fault = load(kind)
    assert all(drawn(fault, seed) == drawn(fault, seed) for seed in range(30))
    plans = {json.dumps(drawn(fault, seed)[1], sort_keys=True) for seed in range(30)}
    assert len(plans) > 10 or (kind == "power" and len(plans) == len(fault.variants))


@pytest.mark.parametrize("kind", [kind for kind in EVERY_KIND if kind != "adversary"])  # see test_adversary
def test_effects_fit_the_power_the_cluster_and_the_time(kind):
    fault = load(kind)
    for seed in range(200):
        where, args = drawn(fault, seed)
        hit, steps = fault.resolve(args, where.nodes, random_roles(len(where.nodes), dice(seed)))
        assert hit
        assert set(hit) <= set(where.nodes)
        assert steps
        for step in steps:
            assert type(step.effect) is EFFECT_OF[fault.power]
            assert 0 <= step.offset_s < where.length_s
            assert step.length_s is None or step.length_s > 0
            if isinstance(step.effect, Cut | Shape):
                assert step.effect.links
                assert all(a != b and {a, b} <= set(where.nodes) for a, b in step.effect.links)
            else:
                assert step.effect.nodes
                assert set(step.effect.nodes) <= set(where.nodes)
        ends = [step.offset_s + step.length_s for step in steps if step.length_s is not None]
        assert max(ends, default=0) <= where.length_s + 0.05


@every_kind
def test_roles_are_asked_for_exactly_where_arguments_name_a_target(kind):
    """The injector asks the nodes for their roles only if ``target`` is among the arguments."""
    fault = load(kind)
    for seed in range(100):
        where, args = drawn(fault, seed)
        found = {
            fault.resolve(args, where.nodes, {node: "leader" if node == chosen else "follower"})[0]
            for chosen in where.nodes
            for node in [chosen]
        }
        if "target" not in args:
            assert len(found) == 1
        elif args["target"] == "leader":
            assert found == {(node,) for node in where.nodes}


@pytest.mark.parametrize("kind", [kind for kind in EVERY_KIND if kind not in AIMLESS])
def test_an_aimed_fault_hits_the_role_and_without_one_its_substitute(kind):
    fault = load(kind)
    for seed in range(50):
        args = fault.plan(scene(aim="leader"), dice(seed))
        assert args["target"] == "leader"
        assert fault.resolve(args, names(5), {"n3": "leader"})[0] == ("n3",)
        assert fault.resolve(args, names(5), {})[0] == (args["else"],)


@every_kind
def test_an_empty_entry_is_completed_too(kind):
    fault = load(kind)
    for seed in range(100):
        assert fault.problems({}, scene()) == []
        args = fault.complete({}, scene(), dice(seed))
        assert fault.problems(args, scene()) == []


@every_kind
def test_descriptions_are_short_and_name_the_kind(kind):
    fault = load(kind)
    for seed in range(100):
        _, args = drawn(fault, seed)
        text = fault.describe(args)
        assert text.startswith(f"{kind}: ")
        assert len(text) < 200
        assert "\n" not in text


@every_kind
def test_an_unknown_argument_gets_a_suggestion(kind):
    problems = load(kind).problems({"tagret": "leader"}, scene())
    assert problems
    assert any("tagret" in problem for problem in problems)


def shows(name: str, args: dict) -> bool:
    """Whether arguments drawn for 7 nodes are those of the variant ``name``: a shape, a behaviour of links, or a node spec."""
    behaviours = [word for word, field in (("delay", "delay_s"), ("rate", "bytes_per_s")) if field in args]
    if name in (args.get("shape"), *behaviours) or name in args:
        return True
    least, most = SIZES_OF.get(name, lambda _: (0, -1))(7)
    return least <= len(args.get("nodes", ())) <= most


@every_kind
def test_every_variant_is_drawn_when_it_alone_has_weight(kind):
    """A variant that no weight can bring out would be a weight that weighs nothing."""
    fault = load(kind)
    for name in fault.variants:
        weights = {other: float(other == name) for other in fault.variants}
        plans = [fault.plan(Scene(nodes=names(7), length_s=9, weights=weights), dice(seed)) for seed in range(60)]
        share = sum(shows(name, plan) for plan in plans) / len(plans)
        if kind == "partition" and name not in SHAPES:
            assert any(shows(name, plan) for plan in plans if plan["shape"] == "one-way"), name
        else:
            assert share == 1, name


@every_kind
def test_no_variant_is_drawn_that_has_no_weight(kind):
    fault = load(kind)
    shapes = [name for name in fault.variants if name not in SIZES_OF]
    for off in shapes:
        weights = {name: float(name != off) for name in fault.variants}
        plans = [fault.plan(Scene(nodes=names(7), length_s=9, weights=weights), dice(seed)) for seed in range(30)]
        assert kind == "packet" or not any(shows(off, plan) for plan in plans), off
