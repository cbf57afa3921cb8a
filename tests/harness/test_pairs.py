"""Parts of pairs have the codes that interning gives them, whatever they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.interning import Interner, identity
from harness.pairs import pairs_of

SCALARS = st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from([0.0, 1.0, 2.5, "1", "x", ""])
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner), max_leaves=5)


@given(st.lists(VALUES, max_size=12))
def test_pairs_are_as_interned(some: list[object]) -> None:
    values = Interner(some).table
    pairs = pairs_of(values)
    assert len(pairs.first) == len(pairs.second) == len(values)
    known = dict(enumerate(map(identity, values)))
    for code, value in enumerate(values):
        if not isinstance(value, list | tuple) or len(value) != 2:
            assert pairs.first[code] == pairs.second[code] == -1
            continue
        for part, number in zip(value, (int(pairs.first[code]), int(pairs.second[code])), strict=True):
            assert 0 <= number < pairs.size
            assert known.setdefault(number, identity(part)) == identity(part)
    assert len(set(known.values())) == len(known) == pairs.size
    assert pairs.null == next((number for number, value in known.items() if value is None), -2)
