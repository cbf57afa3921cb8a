"""Dotted version vectors against the definition of causality: sets of events, never compressed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from targets.kv.dynamo.bugs import Bugs
from targets.kv.dynamo.cells import Cell
from targets.kv.dynamo.siblings import Siblings

NODES = ("n1", "n2", "n3")
KINDS = {node: Siblings(node, Bugs()) for node in NODES}

# A history: (node, what happens there, the other node or client that takes part).
STEPS = st.lists(
    st.tuples(st.sampled_from(NODES), st.sampled_from(("write", "read", "send", "delete")), st.integers(0, 2)),
    max_size=30,
)


@dataclass
class Definition:
    """Causal histories: every write is an event that knows the events that its client had seen, and is replaced by whoever knows it."""

    past: dict[int, frozenset[int]] = field(default_factory=dict)
    known: dict[str, frozenset[int]] = field(default_factory=lambda: dict.fromkeys(NODES, frozenset()))

    def write(self, node: str, seen: frozenset[int]) -> None:
        event = len(self.past)
        self.past[event] = seen
        self.known[node] |= seen | {event}

    def live(self, node: str) -> list[int]:
        known = self.known[node]
        return sorted(event for event in known if not any(event in self.past[other] for other in known))


def values(node: str, cell: Cell | None) -> list[int]:
    """All siblings' values, tombstones' too."""
    return sorted(sibling[2] for sibling in cell["sib"]) if cell else []


@given(steps=STEPS)
def test_siblings_are_the_events_that_nobody_knows_of(steps: list[tuple[str, str, int]]) -> None:
    cells: dict[str, Cell | None] = dict.fromkeys(NODES)
    contexts: list[Any] = [None] * 3
    seen: list[frozenset[int]] = [frozenset()] * 3
    truth = Definition()
    for node, what, other in steps:
        kind, cell = KINDS[node], cells[node]
        if what in {"write", "delete"}:
            written = kind.write(cell, contexts[other], len(truth.past), dead=what == "delete")
            cells[node] = written if cell is None else kind.merge(cell, written)
            truth.write(node, seen[other])
        elif what == "read":
            contexts[other] = None if cell is None else kind.context(cell)
            seen[other] = truth.known[node]
        elif cell is not None:
            to, theirs = NODES[other], cells[NODES[other]]
            cells[to] = cell if theirs is None else KINDS[to].merge(theirs, cell)
            truth.known[to] |= truth.known[node]
        assert values(node, cells[node]) == truth.live(node)


def made(steps: list[tuple[str, str, int]]) -> list[Cell]:
    """Cells of one key that really can stand beside each other."""
    cells: dict[str, Cell | None] = dict.fromkeys(NODES)
    for node, what, other in steps:
        kind, cell, theirs = KINDS[node], cells[node], cells[NODES[other]]
        if what in {"write", "delete"}:
            cells[node] = kind.write(cell, theirs and kind.context(theirs), len(steps), dead=what == "delete")
        elif theirs is not None:
            cells[node] = theirs if cell is None else kind.merge(cell, theirs)
    return [cell for cell in cells.values() if cell is not None]


@given(steps=STEPS)
def test_merge_is_a_join(steps: list[tuple[str, str, int]]) -> None:
    merge = KINDS["n1"].merge
    cells = made(steps)
    for one in cells:
        assert merge(one, one) is one
        for other in cells:
            assert merge(one, other) == merge(other, one)
            assert merge(merge(one, other), other) == merge(one, other)
            for third in cells:
                assert merge(merge(one, other), third) == merge(one, merge(other, third))


@given(steps=STEPS)
def test_a_cell_covers_another_iff_it_has_nothing_to_learn_from_it(steps: list[tuple[str, str, int]]) -> None:
    kind = KINDS["n1"]
    for one in made(steps):
        for other in made(steps):
            assert kind.covers(one, kind.context(other)) == (kind.merge(one, other) == one)
        assert kind.covers(one, None)


def test_two_clients_that_saw_the_same_and_write_at_one_node_stay_side_by_side() -> None:
    kind = KINDS["n1"]
    first = kind.write(None, None, "a", dead=False)
    seen = kind.context(first)
    second = kind.write(first, seen, "b", dead=False)
    third = kind.write(second, seen, "c", dead=False)
    assert kind.values(third) == ["b", "c"]
    assert kind.values(kind.write(third, kind.context(third), "bc", dead=False)) == ["bc"]


def test_a_deletion_leaves_no_value_and_is_known() -> None:
    kind = KINDS["n1"]
    first = kind.write(None, None, "a", dead=False)
    deleted = kind.write(first, kind.context(first), None, dead=True)
    assert kind.values(deleted) == []
    assert kind.values(kind.merge(first, deleted)) == []


def test_a_deletion_that_did_not_know_of_a_value_stands_beside_it() -> None:
    kind = KINDS["n1"]
    first = kind.write(None, None, "a", dead=False)
    deleted = kind.write(first, None, None, dead=True)
    assert kind.values(deleted) == ["a", None]
    assert kind.values(kind.write(deleted, kind.context(deleted), None, dead=True)) == []
