from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemesis import grudges
from tests.nemesis.scenes import counts, dice, names, quick, seeds


def hears(grudge: grudges.Grudge, nodes: tuple[str, ...]) -> dict[str, set[str]]:
    """Whom each node hears, itself included, worked out link by link."""
    cut = grudges.links(grudge)
    return {dest: {source for source in nodes if (source, dest) not in cut} for dest in nodes}


def test_links_point_from_the_one_not_heard_to_the_one_that_does_not_hear():
    assert grudges.links({"n1": ["n2", "n3"]}) == {("n2", "n1"), ("n3", "n1")}


@quick
@given(counts)
def test_bisect_has_the_smaller_half_first_and_keeps_the_order(count):
    small, large = grudges.bisect(names(count))
    assert len(large) - len(small) in (0, 1)
    assert (*small, *large) == names(count)


def test_split_one():
    assert grudges.split_one("n2", names(3)) == [["n2"], ["n1", "n3"]]


@quick
@given(st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=9))
def test_complete_grudge_keeps_sides_whole_and_apart(side_of):
    nodes = names(len(side_of))
    of = dict(zip(nodes, side_of, strict=True))
    sides = [[node for node in nodes if of[node] == side] for side in range(4)]
    heard = hears(grudges.complete_grudge(sides), nodes)
    assert heard == {node: {other for other in nodes if of[other] == of[node]} for node in nodes}


@quick
@given(counts, st.data())
def test_invert_leaves_exactly_those_who_are_to_be_heard(count, data):
    nodes = names(count)
    heard = {node: data.draw(st.lists(st.sampled_from(nodes), unique=True)) for node in nodes}
    assert hears(grudges.invert(heard, nodes), nodes) == {node: {node, *heard[node]} for node in nodes}


@quick
@given(st.integers(min_value=3, max_value=9), st.data())
def test_a_bridge_hears_all_and_is_heard_by_all(count, data):
    nodes = names(count)
    middle = data.draw(st.sampled_from(nodes))
    sides = grudges.bisect([node for node in nodes if node != middle])
    heard = hears(grudges.bridge(sides, middle), nodes)
    assert heard[middle] == set(nodes)
    for side in sides:
        for node in side:
            assert heard[node] == {*side, middle}


def test_the_bridge_may_also_be_listed_on_a_side():
    assert grudges.bridge([["n1"], ["n2", "n3"]], "n2") == {"n1": ["n3"], "n3": ["n1"]}


def test_one_way_cuts_one_direction_only():
    grudge = grudges.one_way(["n1"], ["n2", "n3"])
    assert hears(grudge, names(3)) == {"n1": {"n1", "n2", "n3"}, "n2": {"n2", "n3"}, "n3": {"n2", "n3"}}


@quick
@given(st.integers(min_value=3, max_value=15), seeds)
def test_in_a_ring_of_majorities_everyone_hears_a_majority_and_no_two_the_same(count, seed):
    nodes = names(count)
    heard = hears(grudges.majorities_ring(nodes, dice(seed)), nodes)
    assert all(node in view and 2 * len(view) > count for node, view in heard.items())
    assert all(heard[a] != heard[b] for a, b in itertools.combinations(nodes, 2))


@pytest.mark.parametrize("count", [3, 4, 5])
def test_a_small_ring_is_exact(count):
    """Everyone hears a majority and no one more, and is heard by as many."""
    nodes = names(count)
    heard = hears(grudges.majorities_ring(nodes, dice(1)), nodes)
    assert {len(view) for view in heard.values()} == {count // 2 + 1}
    assert {sum(node in view for view in heard.values()) for node in nodes} == {count // 2 + 1}


def test_of_five_everyone_hears_both_neighbours_on_the_ring():
    """With an odd majority a node stands in the middle of what it hears, so that links are cut both ways, as in Jepsen."""
    cut = grudges.links(grudges.majorities_ring(names(5), dice(1)))
    assert all((b, a) in cut for a, b in cut)
    assert len(cut) == 10


@quick
@given(st.integers(min_value=6, max_value=15), seeds)
def test_a_large_ring_goes_both_ways_and_is_balanced(count, seed):
    nodes = names(count)
    cut = grudges.links(grudges.majorities_ring(nodes, dice(seed)))
    assert all((b, a) in cut for a, b in cut)
    degrees = [sum((a, b) in cut for a in nodes) for b in nodes]
    assert max(degrees) - min(degrees) <= 2


def test_large_rings_differ_in_more_than_their_order():
    """From a ring drawn in order every node hears its neighbours; drawn ones have other shapes, which is why they are drawn."""
    nodes = names(9)

    def shape(seed: int) -> tuple[int, ...]:
        heard = hears(grudges.majorities_ring(nodes, dice(seed)), nodes)
        return tuple(sorted(len(heard[a] & heard[b]) for a, b in itertools.combinations(nodes, 2)))

    assert len({shape(seed) for seed in range(10)}) > 1


def test_two_nodes_have_no_ring():
    with pytest.raises(AssertionError):
        grudges.majorities_ring(names(2), dice(1))


@pytest.mark.parametrize(
    ("grudge", "good"),
    [
        ({"n1": ["n3"], "n2": ["n1"], "n3": ["n2"]}, True),
        ({"n1": ["n3"], "n2": ["n1"]}, True),
        ({"n1": ["n3"]}, False),  # n2 and n3 both hear all
        ({"n1": ["n2", "n3"], "n2": ["n1"]}, False),  # n1 hears no majority
        ({"n1": ["n3"], "n2": ["n3"]}, False),  # n1 and n2 hear the same
    ],
)
def test_what_a_ring_of_majorities_is(grudge, good):
    assert grudges.is_majorities_ring(grudge, names(3)) is good
