"""The data types: joins are joins, reads show what was done, and gossip in any order comes to the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.kv.crdt.bugs import Bugs
from targets.kv.crdt.lattices import LATTICES, Lattice, Scene, part_of
from targets.node import codes
from targets.node.env import Refusal

SOUND = Bugs()
ENTRIES: dict[str, st.SearchStrategy[Any]] = {
    "broadcast": st.just(1),
    "g-set": st.just(1),
    "g-counter": st.tuples(st.integers(0, 9), st.just(0)).map(list),
    "pn-counter": st.tuples(st.integers(0, 9), st.integers(0, 9)).map(list),
    "or-set": st.tuples(*[st.lists(st.sampled_from("abcd"), unique=True).map(sorted)] * 2).map(list),
}


def scene(node: str = "n1", tag: str = "n1.1", wall_s: float = 0.0, bugs: Bugs = SOUND) -> Scene:
    return Scene(node=node, tag=tag, wall_s=wall_s, bugs=bugs)


@pytest.mark.parametrize("data", sorted(LATTICES))
@given(drawn=st.data())
def test_a_join_is_associative_commutative_and_idempotent(data: str, drawn: st.DataObject) -> None:
    join = LATTICES[data].join
    one, two, three = (drawn.draw(ENTRIES[data]) for _ in range(3))
    assert join(one, two, SOUND) == join(two, one, SOUND)
    assert join(one, join(two, three, SOUND), SOUND) == join(join(one, two, SOUND), three, SOUND)
    assert join(join(one, two, SOUND), two, SOUND) == join(one, two, SOUND)


class Peer:
    """A replica in a few lines: a map of entries, with every state that it has told."""

    def __init__(self, lattice: Lattice, name: str) -> None:
        self.lattice, self.name, self.entries, self.tags = lattice, name, dict[str, Any](), 0

    def do(self, kind: str, **fields: Any) -> None:
        self.tags += 1
        body = {"type": kind, **fields}
        self.hear(self.lattice.updates[kind](self.entries, body, scene(self.name, f"{self.name}.{self.tags}")))

    def hear(self, entries: Any) -> None:
        for part, came in dict(entries).items():
            there = self.entries.get(part)
            self.entries[part] = came if there is None else self.lattice.join(there, came, SOUND)

    @property
    def shown(self) -> Any:
        found = self.lattice.shown(self.entries, SOUND)
        return sorted(found) if isinstance(found, list) else found


STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(0, 2), st.booleans()), max_size=40)


@given(steps=STEPS)
def test_a_pn_counter_is_the_sum_of_what_was_added_however_peers_were_told(steps: list[Any]) -> None:
    peers, total = [Peer(LATTICES["pn-counter"], f"n{number}") for number in range(3)], 0
    for at, amount, other, tells in steps:
        if tells:
            peers[other].hear(peers[at].entries)
        else:
            delta = amount - 5
            total += delta
            peers[at].do("add", delta=delta)
    for _ in range(2):
        for one in peers:
            for another in peers:
                another.hear(one.entries)
    assert [peer.shown for peer in peers] == [total] * 3


@given(steps=STEPS)
def test_an_or_set_holds_what_was_added_and_not_removed_by_whoever_had_seen_it(steps: list[Any]) -> None:
    """Against the definition: an add is gone iff some remove saw it, and peers know of adds and removes what they were told."""
    peers = [Peer(LATTICES["or-set"], f"n{number}") for number in range(3)]
    seen: list[set[Any]] = [set() for _ in peers]  # what each peer knows of: (element, number of the add)
    gone: list[set[Any]] = [set() for _ in peers]
    for number, (at, roll, other, tells) in enumerate(steps):
        element = roll % 3
        if tells:
            peers[other].hear(peers[at].entries)
            seen[other] |= seen[at]
            gone[other] |= gone[at]
        elif roll % 2:
            peers[at].do("add", element=element)
            seen[at].add((element, number))
        else:
            peers[at].do("remove", element=element)
            gone[at] |= {add for add in seen[at] if add[0] == element}
        for peer, adds, removed in zip(peers, seen, gone, strict=True):
            assert peer.shown == sorted({element for element, _ in adds - removed})


def test_values_that_only_look_equal_are_different_elements() -> None:
    peer = Peer(LATTICES["g-set"], "n1")
    for value in (1, 1.0, True, "1", None, [1], {"a": 1}):
        peer.do("add", element=value)
        peer.do("add", element=value)
    assert len(peer.entries) == 7
    assert [repr(value) for value in LATTICES["g-set"].shown(peer.entries, SOUND)] == [
        repr(value) for value in (1, 1.0, True, "1", None, [1], {"a": 1})
    ]


@pytest.mark.parametrize(
    ("data", "body", "why"),
    [
        ("g-set", {"type": "add"}, "needs 'element'"),
        ("broadcast", {"type": "broadcast"}, "needs 'message'"),
        ("g-counter", {"type": "add", "delta": -1}, "at least 0, not -1"),
        ("g-counter", {"type": "add", "delta": 1.5}, "not 1.5"),
        ("pn-counter", {"type": "add", "delta": True}, "a whole number, not True"),
    ],
)
def test_what_makes_no_sense_is_refused_for_certain(data: str, body: dict[str, Any], why: str) -> None:
    with pytest.raises(Refusal, match=why) as caught:
        LATTICES[data].updates[body["type"]]({}, body, scene())
    assert codes.is_definite(caught.value.code)


def test_a_remove_of_what_is_not_there_changes_nothing() -> None:
    assert LATTICES["or-set"].updates["remove"]({}, {"type": "remove", "element": 7}, scene()) == {}


def test_a_name_of_a_part_is_one_for_equal_values() -> None:
    assert part_of({"b": 1, "a": [1, 2]}) == part_of({"a": [1, 2], "b": 1}) != part_of({"a": [2, 1], "b": 1})
