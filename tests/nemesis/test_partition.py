from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.effects import Cut
from nemesis.partition import PARTITION
from nemesis.partition_shapes import DRAWN, SHAPES
from tests.nemesis.scenes import counts, dice, names, quick, scene, seeds
from tests.nemesis.test_grudges import hears

TWO_WAY = ("one", "halves", "minority-third", "split", "bridge", "swizzle-clog")


def cut_of(args, count, role_of=None):
    """All links that are cut at some time, and the nodes hit."""
    hit, steps = PARTITION.resolve(args, names(count), role_of or {})
    return hit, frozenset().union(*(step.effect.links for step in steps))


def drawn(shape, count, seed, length_s=8.0):
    return PARTITION.complete({"shape": shape}, scene(count, length_s=length_s), dice(seed))


def heard_under(args, count, role_of=None):
    _, cut = cut_of(args, count, role_of)
    return {dest: {src for src in names(count) if (src, dest) not in cut} for dest in names(count)}


@quick
@given(st.sampled_from(["one", "halves", "minority-third", "split"]), counts, seeds)
def test_sides_hear_themselves_and_nobody_else(shape, count, seed):
    if count < SHAPES[shape].nodes_min:
        return
    args = drawn(shape, count, seed)
    sides = [set(side) for side in args["sides"]]
    for node, heard in heard_under(args, count).items():
        assert heard == next(side for side in sides if node in side)
    small = min(map(len, sides))
    sizes = {"one": {1}, "halves": {count // 2}, "minority-third": {(count - 1) // 3}}
    assert small in sizes.get(shape, range(1, count))


@quick
@given(st.integers(min_value=3, max_value=9), seeds)
def test_the_bridge_hears_all(count, seed):
    args = drawn("bridge", count, seed)
    heard = heard_under(args, count)
    assert heard[args["bridge"]] == set(names(count))
    assert all(args["bridge"] in view for view in heard.values())
    assert abs(len(args["sides"][0]) - len(args["sides"][1])) <= 1


@quick
@given(st.integers(min_value=3, max_value=9), seeds)
def test_the_ring_is_explicit_in_the_arguments(count, seed):
    args = drawn("majority-ring", count, seed)
    assert heard_under(args, count) == hears(args["grudge"], names(count))


@quick
@given(counts, seeds)
def test_one_way_cuts_only_one_direction(count, seed):
    args = drawn("one-way", count, seed)
    hit, cut = cut_of(args, count)
    rest = [node for node in names(count) if node not in hit]
    there = {(node, other) for node in hit for other in rest}
    assert cut == (there if args["cannot"] == "send" else {(b, a) for a, b in there})


@pytest.mark.parametrize(
    ("cannot", "cut"), [("send", {("n2", "n1"), ("n2", "n3")}), ("hear", {("n1", "n2"), ("n3", "n2")})]
)
def test_a_leader_cut_off_in_one_direction(cannot, cut):
    args = {"shape": "one-way", "cannot": cannot, "target": "leader", "else": "n1"}
    assert cut_of(args, 3, {"n2": "leader"}) == (("n2",), cut)


def test_the_leader_alone():
    args = drawn("isolate-leader", 3, 1)
    assert args["target"] == "leader"
    assert cut_of(args, 3, {"n3": "leader"}) == (("n3",), {("n1", "n3"), ("n2", "n3"), ("n3", "n1"), ("n3", "n2")})


def test_another_role_is_isolated_where_there_is_no_leader():
    where = scene(roles=("backup", "primary"))
    assert PARTITION.complete({"shape": "isolate-leader"}, where, dice(1))["target"] == "primary"


@pytest.mark.parametrize("length_s", [1.0, 2.5, 8.0, 30.0])
@pytest.mark.parametrize("count", [2, 5, 9])
def test_swizzled_nodes_are_cut_one_by_one_and_mended_one_by_one(count, length_s):
    for seed in range(30):
        args = drawn("swizzle-clog", count, seed, length_s)
        hit, steps = PARTITION.resolve(args, names(count), {})
        starts = [step.offset_s for step in steps]
        ends = [step.offset_s + step.length_s for step in steps]
        assert starts[0] == 0
        assert max(ends) == pytest.approx(length_s, abs=0.01)
        assert max(starts) < min(ends), "all are cut off before the first is mended"
        assert len(set(starts)) == len(starts) == len(set(ends)) == len(hit)
        for clog, step in zip(args["clogs"], steps, strict=True):
            others = [node for node in names(count) if node != clog["node"]]
            assert step.effect == Cut(
                links=frozenset({(clog["node"], o) for o in others} | {(o, clog["node"]) for o in others})
            )


def test_swizzling_mends_in_another_order_than_it_cuts():
    orders = []
    for seed in range(20):
        clogs = drawn("swizzle-clog", 9, seed, 20.0)["clogs"]
        mended = sorted(clogs, key=lambda clog: clog["at_s"] + clog["length_s"])
        orders.append([clog["node"] for clog in mended] == [clog["node"] for clog in clogs])
    assert orders.count(True) < 10


@pytest.mark.parametrize("shape", TWO_WAY)
def test_what_is_cut_is_cut_both_ways(shape):
    for seed in range(20):
        _, cut = cut_of(drawn(shape, 5, seed), 5)
        assert cut == {(b, a) for a, b in cut}


def test_all_drawn_shapes_occur_where_there_are_enough_nodes():
    rng = dice(3)
    assert {PARTITION.plan(scene(7), rng)["shape"] for _ in range(200)} == set(DRAWN)
    assert {PARTITION.plan(scene(2), rng)["shape"] for _ in range(200)} == {
        "one",
        "halves",
        "split",
        "one-way",
        "swizzle-clog",
    }


def test_an_aimed_partition_isolates_the_leader_or_half_of_its_links():
    rng = dice(3)
    seen = [PARTITION.plan(scene(aim="leader"), rng)["shape"] for _ in range(200)]
    assert set(seen) == {"isolate-leader", "one-way"}
    assert seen.count("isolate-leader") > 100


@pytest.mark.parametrize(
    ("args", "shape"),
    [
        ({"target": "leader"}, "isolate-leader"),
        ({"nodes": ["n3"]}, "one"),
        ({"nodes": ["n3", "n1"]}, "halves"),
        ({"sides": [["n1"], ["n2", "n3", "n4", "n5"]]}, "one"),
        ({"nodes": ["n1"], "cannot": "hear"}, "one-way"),
        ({"target": "leader", "cannot": "hear"}, "one-way"),
        ({"bridge": "n2"}, "bridge"),
        ({"grudge": {"n1": ["n2"]}}, "grudge"),
    ],
)
def test_the_shape_is_guessed_from_what_is_written(args, shape):
    assert PARTITION.problems(args, scene()) == []
    completed = PARTITION.complete(args, scene(), dice(1))
    assert completed["shape"] == shape
    assert PARTITION.problems(completed, scene()) == []


def test_one_side_is_enough():
    args = {"shape": "halves", "nodes": ["n5", "n1"]}
    assert PARTITION.complete(args, scene(), dice(1)) == {
        "shape": "halves",
        "sides": [["n1", "n5"], ["n2", "n3", "n4"]],
    }


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ({"shape": "halvs"}, "shape: unknown \"halvs\": did you mean 'halves'?"),
        ({"shape": ["halves"]}, "shape: unknown [\"halves\"]: did you mean 'halves'?"),
        (
            {"shape": "one", "target": "leader"},
            'target: not an argument of the shape "one": only "isolate-leader" and "one-way" take it',
        ),
        (
            {"shape": "one", "nodes": ["n1", "n2"]},
            'nodes: the smaller side must be 1 of 5 nodes, not 2: the shape "split" takes any',
        ),
        ({"shape": "split", "nodes": list(names(5))}, None),
        ({"shape": "split", "sides": [["n1"], ["n2"]]}, "sides: n3 n4 n5 on neither side"),
        ({"shape": "split", "sides": [["n1"], ["n1", "n2"]]}, "sides: n1 on both sides"),
        ({"shape": "split", "sides": [["n1"]]}, None),
        (
            {"shape": "split", "sides": [["n1"], ["n7"]]},
            'sides[1]: there is no node "n7": the nodes are n1 n2 n3 n4 n5',
        ),
        ({"shape": "bridge", "sides": [["n1", "n2"], ["n3", "n4"]]}, None),
        ({"shape": "bridge", "bridge": "n8"}, 'bridge: there is no node "n8": the nodes are n1 n2 n3 n4 n5'),
        ({"shape": "grudge"}, 'grudge is missing: {"n1": ["n2"]} if n1 is not to hear the other'),
        ({"shape": "grudge", "grudge": {"n1": ["n1"]}}, "grudge.n1: a node always hears itself"),
        ({"shape": "grudge", "grudge": {"n9": ["n1"]}}, 'grudge: there is no node "n9"'),
        (
            {"shape": "majority-ring", "grudge": {"n1": ["n2"]}},
            'grudge: not every node hears a majority of its own: the shape "grudge" takes any',
        ),
        ({"shape": "one-way", "cannot": "see"}, 'cannot: unknown "see": known: hear, send'),
        ({"shape": "one-way", "target": "all"}, None),
        ({"shape": "one-way", "nodes": list(names(5))}, None),
        ({"shape": "swizzle-clog", "clogs": [{"node": "n1", "at_s": 9, "length_s": 1}]}, None),
        ({"shape": "swizzle-clog", "clogs": [{"node": "n1", "at_s": 1}]}, "clogs[0].length_s: missing"),
        ({"shape": "swizzle-clog", "clogs": [7]}, "clogs[0].node: 7 is not an object with node, at_s, length_s"),
        ({"target": "minority"}, None),
    ],
)
def test_problems(args, problem):
    found = PARTITION.problems(args, scene())
    assert len(found) == 1
    if problem is not None:
        assert found == [problem]


def test_a_shape_needs_its_nodes():
    assert PARTITION.problems({"shape": "bridge"}, scene(2)) == ['shape: "bridge" needs at least 3 nodes, here are 2']


def test_a_target_without_roles_has_no_leader_to_isolate():
    assert PARTITION.problems({"shape": "isolate-leader"}, scene(roles=()))


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ({"shape": "halves", "sides": [["n1", "n2"], ["n3", "n4", "n5"]]}, "partition: n1 n2 | n3 n4 n5"),
        (
            {"shape": "bridge", "sides": [["n1", "n2"], ["n4", "n5"]], "bridge": "n3"},
            "partition: n1 n2 | n4 n5, bridged by n3",
        ),
        ({"shape": "isolate-leader", "target": "leader", "else": "n1"}, "partition: the leader | the others"),
        ({"shape": "one-way", "nodes": ["n1"], "cannot": "hear"}, "partition: n1 cannot hear"),
        ({"shape": "grudge", "grudge": {"n1": ["n2", "n3"]}}, "partition: n1 does not hear n2 n3"),
        (
            {"shape": "swizzle-clog", "clogs": [{"node": "n2", "at_s": 0, "length_s": 2}]},
            "partition: n2 cut off one after another",
        ),
    ],
)
def test_descriptions(args, text):
    assert PARTITION.describe(args) == text
