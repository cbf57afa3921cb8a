"""Elements of lists have the codes that interning gives them, whatever they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HistoryError
from harness.interning import Interner, identity
from harness.lists import lists_of

SCALARS = st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from([0.0, 1.0, 2.5, "1", "x", ""])
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner), max_leaves=6)
NUMBERS = st.integers(-3, 4) | st.sampled_from([-(2**63), 2**63 - 1, 2**63, 10**6])
OF_NUMBERS = NUMBERS | st.none() | st.lists(NUMBERS, max_size=5) | st.frozensets(NUMBERS, max_size=4)


@given(st.lists(VALUES, max_size=12) | st.lists(OF_NUMBERS, max_size=12))
def test_elements_are_as_interned(some: list[object]) -> None:
    values = Interner(some).table
    lists = lists_of(values)
    assert len(lists.first) == len(values) + 1
    known = dict(enumerate(map(identity, values)))
    known.update((len(values) + at, identity(item)) for at, item in enumerate(lists.others))
    assert len(set(known.values())) == len(known)
    for code, value in enumerate(values):
        shown = lists.element[lists.first[code] : lists.first[code + 1]]
        items = value if isinstance(value, list | tuple | frozenset) else ()
        assert {known[number] for number in shown.tolist()} == {identity(item) for item in items}
        assert (np.diff(shown) > 0).all()
        assert lists.whole[code] == (value is None or isinstance(value, list | tuple | frozenset))
    assert set(range(len(values), len(known))) <= set(lists.element.tolist())


def test_an_element_that_no_history_can_hold_is_refused() -> None:
    with pytest.raises(HistoryError, match="cannot stand in a history"):
        lists_of([[1, float("nan")]])
