from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemesis import targets
from nemesis.fault import Scene
from tests.nemesis.scenes import dice, names, quick, scene, seeds


@pytest.mark.parametrize(
    ("word", "sizes"),
    [
        ("one", {1: {1}, 2: {1}, 5: {1}}),
        ("some", {1: {1}, 2: {1, 2}, 3: {1, 2, 3}}),
        ("minority", {3: {1}, 4: {1}, 5: {2}, 6: {2}, 7: {3}}),
        ("minority-third", {4: {1}, 6: {1}, 7: {2}, 10: {3}}),
        ("majority", {1: {1}, 2: {2}, 3: {2}, 4: {3}, 5: {3}}),
        ("all", {1: {1}, 5: {5}}),
    ],
)
def test_sizes_of_node_specs(word, sizes):
    for count, allowed in sizes.items():
        seen = {len(targets.complete({"target": word}, scene(count), dice(seed))["nodes"]) for seed in range(40)}
        assert seen == allowed


@quick
@given(st.sampled_from(sorted(targets.SIZES)), st.integers(min_value=1, max_value=9), seeds)
def test_drawn_nodes_are_known_different_and_in_order(word, count, seed):
    if word not in targets.possible([word], count):
        return
    nodes = targets.complete({"target": word}, scene(count), dice(seed))["nodes"]
    assert nodes == sorted(set(nodes), key=names(count).index)


def test_words_that_hit_nobody_are_not_possible():
    assert targets.possible(targets.SIZES, 2) == ["one", "some", "majority", "all"]
    assert targets.possible(targets.SIZES, 3) == ["one", "some", "minority", "majority", "all"]


def test_a_role_waits_for_the_injection_but_its_substitute_is_drawn_now():
    args = targets.complete({"target": "leader"}, scene(), dice(1))
    assert args["target"] == "leader"
    assert args["else"] in names(5)
    assert targets.complete(args, scene(), dice(2)) == args


def test_the_role_hits_who_has_it_now():
    args = {"target": "leader", "else": "n2"}
    assert targets.hit(args, names(5), {"n1": "follower", "n4": "leader"}) == ("n4",)


@pytest.mark.parametrize("role_of", [{}, {"n1": "follower"}, {"n1": "candidate", "n2": "follower"}])
def test_without_a_leader_somebody_is_hit_all_the_same(role_of):
    assert targets.hit({"target": "leader", "else": "n2"}, names(5), role_of) == ("n2",)


def test_of_several_with_the_role_the_next_after_the_substitute_is_hit():
    role_of = dict.fromkeys(("n1", "n3", "n5"), "follower")
    assert targets.hit({"target": "follower", "else": "n4"}, names(5), role_of) == ("n5",)
    assert targets.hit({"target": "follower", "else": "n3"}, names(5), role_of) == ("n3",)


def test_named_nodes_are_hit_whatever_their_roles():
    assert targets.hit({"nodes": ["n4", "n1"]}, names(5), {"n1": "leader"}) == ("n1", "n4")


@pytest.mark.parametrize(
    ("roles", "wanted"),
    [
        (("follower", "leader"), ("leader",)),
        (("primary", "backup", "coordinator"), ("primary", "coordinator")),
        (("owner", "sharer"), ("owner", "sharer")),
        ((), ()),
    ],
)
def test_the_random_nemesis_aims_at_the_roles_that_matter(roles, wanted):
    assert targets.aims(roles) == wanted


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ({"nodes": ["n9"]}, 'nodes: there is no node "n9": the nodes are n1 n2 n3 n4 n5'),
        ({"nodes": "n1"}, 'nodes: "n1" is not a list of nodes such as ["n1", "n2"]'),
        ({"nodes": []}, 'nodes: [] is not a list of nodes such as ["n1", "n2"]'),
        ({"nodes": ["n1", "n1"]}, 'nodes: ["n1", "n1"] names a node twice'),
        ({"nodes": ["n1"], "target": "one"}, "target: not together with nodes: write one of them"),
        ({"target": "minorty"}, "target: unknown \"minorty\": did you mean 'minority'?"),
        ({"target": "leader", "else": "n6"}, 'else: there is no node "n6": the nodes are n1 n2 n3 n4 n5'),
        ({"target": "one", "else": "n1"}, 'else: only together with a role as target, such as "leader"'),
        ({"else": "n1"}, 'else: only together with a role as target, such as "leader"'),
    ],
)
def test_problems_say_what_and_what_would_be_right(args, problem):
    assert targets.problems(args, scene()) == [problem]


def test_a_word_that_hits_nobody_here_is_a_problem():
    assert targets.problems({"target": "minority"}, scene(2)) == [
        'target: "minority" of 2 nodes is nobody: "one" is the least'
    ]


def test_a_role_that_the_target_does_not_have_is_a_problem():
    assert targets.problems({"target": "leader"}, Scene(nodes=names(3), length_s=5))


def test_descriptions():
    assert targets.describe({"nodes": ["n1", "n4"]}) == "n1 n4"
    assert targets.describe({"target": "leader", "else": "n2"}) == "the leader"
