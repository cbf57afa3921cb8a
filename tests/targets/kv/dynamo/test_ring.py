"""The ring: everybody computes the same lists, load spreads, and a node that comes moves only what becomes its own."""

from __future__ import annotations

from collections import Counter

import pytest

from targets.kv.dynamo.ring import Ring, place_of

NODES = ("n1", "n2", "n3", "n4", "n5")
SLOTS = [str(key) for key in range(2000)]


def test_a_preference_list_holds_every_node_once_and_does_not_depend_on_the_order_of_names() -> None:
    one, other = Ring(NODES, 16), Ring(NODES[::-1], 16)
    for slot in SLOTS[:200]:
        assert sorted(one.preference(slot)) == list(NODES)
        assert one.preference(slot) == other.preference(slot)


def test_places_are_the_same_in_every_process() -> None:
    assert place_of("x") == 5395104992458594383


def test_the_list_is_that_of_the_definition() -> None:
    ring = Ring(NODES, 4)
    places = sorted((place_of(f"{node}/{number}"), node) for node in NODES for number in range(4))
    for slot in SLOTS[:100]:
        behind = [node for place, node in places if place > place_of(slot)]
        assert ring.preference(slot) == tuple(dict.fromkeys([*behind, *(node for _, node in places)]))


def test_many_places_spread_the_load() -> None:
    def largest(vnodes: int) -> int:
        ring = Ring(NODES, vnodes)
        return max(Counter(ring.preference(slot)[0] for slot in SLOTS).values())

    assert largest(256) < 1.3 * len(SLOTS) / len(NODES) < largest(1)


@pytest.mark.parametrize("vnodes", [1, 16])
def test_a_node_that_comes_takes_keys_and_moves_none_between_the_others(vnodes: int) -> None:
    before, after = Ring(NODES, vnodes), Ring((*NODES, "n6"), vnodes)
    for slot in SLOTS:
        assert after.preference(slot)[0] in {before.preference(slot)[0], "n6"}
        assert tuple(node for node in after.preference(slot) if node != "n6") == before.preference(slot)
