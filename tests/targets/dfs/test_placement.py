"""Where replicas go, and which go first when there are too many."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from targets.dfs.gfs.placement import choose, rack_of, surplus

NODES = tuple(f"n{number}" for number in range(1, 7))
LOADS = st.lists(st.integers(0, 5), min_size=len(NODES), max_size=len(NODES))


@given(st.sets(st.sampled_from(NODES)), st.sets(st.sampled_from(NODES)), st.integers(0, 4), st.integers(1, 3), LOADS)
def test_new_replicas_go_to_other_nodes_and_not_all_into_one_rack(
    have: set[str], can: set[str], count: int, racks: int, loads: list[int]
) -> None:
    def rack(node: str) -> int:
        return rack_of(node, NODES, racks)

    load = dict(zip(NODES, loads, strict=True)).__getitem__
    chosen = choose(sorted(have), sorted(can), count, rack=rack, load=load, rng=random.Random(0))
    assert len(chosen) == len(set(chosen)) == min(count, len(can - have))
    assert set(chosen) <= can - have
    both = {*have, *chosen}
    could = {rack(node) for node in can | have}
    if len(both) > 1 and chosen and len({*have, *can}) > len(have) and len(could) > 1:
        assert len({rack(node) for node in both}) > 1


@given(st.sets(st.sampled_from(NODES), min_size=1), st.integers(1, 4), LOADS)
def test_what_is_too_much_goes_from_loaded_nodes_and_leaves_two_racks(
    have: set[str], count: int, loads: list[int]
) -> None:
    def rack(node: str) -> int:
        return rack_of(node, NODES, 2)

    load = dict(zip(NODES, loads, strict=True)).__getitem__
    dropped = surplus(sorted(have), count, rack=rack, load=load)
    left = have - set(dropped)
    assert len(left) == min(count, len(have))
    if count > 1 and len(left) > 1:
        assert len({rack(node) for node in left}) == min(2, len({rack(node) for node in have}))


def test_the_least_loaded_node_comes_first() -> None:
    loads = {"n1": 3, "n2": 1, "n3": 2}
    found = choose([], list(loads), 2, rack=lambda _node: 0, load=loads.__getitem__, rng=random.Random(0))
    assert found == ["n2", "n3"]
