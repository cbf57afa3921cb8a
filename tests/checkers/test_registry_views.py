"""Whole views of a registry: words by goldens, and verdicts are those of the definition, every order tried."""

from __future__ import annotations

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.registry.views import Look, Order, inversions, misfits
from harness.history import FOREVER
from tests.checkers.weak_goldens import cases, kind, told

CASES = cases("registry")


@pytest.mark.parametrize(("comment", "options", "drawing", "wanted"), CASES, ids=lambda text: text[:40])
def test_golden(comment: str, options: str, drawing: str, wanted: str) -> None:
    assert told("registry", options, drawing) == wanted
    assert wanted.split(maxsplit=1)[0] == kind(comment)


def in_order(order: Order, looks: list[Look]) -> bool:
    """The definition: changes and lookups can be put in an order in which every view is right and time is respected."""
    size = len(order.changes)
    spans = [*zip(order.earliest, order.latest, strict=True), *((look.call, look.ret) for look in looks)]
    for tried in permutations(range(len(spans))):
        places = {one: place for place, one in enumerate(tried)}
        if any(places[a] > places[a + 1] for a in range(size - 1)):
            continue
        if any(spans[a][1] < spans[b][0] and places[a] > places[b] for a in places for b in places):
            continue
        if all(
            _right(order, look, sum(places[size + at] > places[one] for one in range(size)))
            for at, look in enumerate(looks)
        ):
            return True
    return False


def _right(order: Order, look: Look, after: int) -> bool:
    later = after == len(order.changes) and _may_be_later(order, look)
    return later or _view(order, look, after) == look.found


def _view(order: Order, look: Look, after: int) -> set[object]:
    there: set[object] = set()
    for comes, service, session in order.changes[:after]:
        if service == look.service:
            (there.add if comes else there.discard)(session)
    return there


def _may_be_later(order: Order, look: Look) -> bool:
    """Whether there may have been changes before it of which nobody was told: they come after all that are known."""
    return max(order.earliest, default=-1) < look.ret


@st.composite
def small(draw: st.DrawFn) -> tuple[Order, list[Look]]:
    """A few changes of two sessions under two services, and lookups, at any times; no two lines are one."""
    size, many = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    lines = draw(st.permutations(range(2 * (size + many))))
    spans = [sorted(lines[2 * at : 2 * at + 2]) for at in range(size + many)]
    if draw(st.booleans()):  # as a registry would have it
        spans[:size] = sorted(spans[:size])
    there: set[tuple[str, str]] = set()
    changes = []
    for _ in range(size):
        entry = draw(st.tuples(st.sampled_from("st"), st.sampled_from("ab")))
        changes.append((entry not in there, *entry))
        there ^= {entry}
    latest = [FOREVER if draw(st.integers(0, 3)) == 0 else span[1] for span in spans[:size]]
    order = Order(changes=changes, earliest=[span[0] for span in spans[:size]], latest=latest)
    looks = [
        Look(number, draw(st.sampled_from("st")), *span, frozenset(draw(st.sets(st.sampled_from("ab")))))
        for number, span in enumerate(spans[size:])
    ]
    return order, looks


@given(small())
def test_verdicts_are_those_of_the_definition(drawn: tuple[Order, list[Look]]) -> None:
    order, looks = drawn
    if inversions(order):
        assert not in_order(order, [])
    else:
        assert in_order(order, [])
        assert (not misfits(order, looks)) == in_order(order, looks)


def test_large_histories_do_not_take_forever() -> None:
    dice = random.Random(1)
    changes, looks, there = [], [], set[int]()
    for at in range(20_000):
        session = dice.randrange(6)
        changes.append((session not in there, "s", session))
        there ^= {session}
        looks.append(Look(at, "s", 4 * at + 3, 4 * at + 4 + 40 * (at % 3), frozenset(there)))
    order = Order(
        changes=changes, earliest=[4 * at for at in range(20_000)], latest=[4 * at + 2 for at in range(20_000)]
    )
    assert misfits(order, looks) == []
