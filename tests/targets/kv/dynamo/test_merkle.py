"""Merkle trees: equal hashes for equal tables and no others; the descent finds exactly what differs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from targets.kv.dynamo.merkle import DEPTH, FANOUT, Path, Tree, path_of

TABLES = st.dictionaries(st.integers(0, 300).map(str), st.sampled_from(["a", "b", "c"]), max_size=60)


def differing(one: Tree, other: Tree, path: Path = ()) -> set[str]:
    """What a descent from ``path`` finds."""
    if one.hash(path) == other.hash(path):
        return set()
    if len(path) == DEPTH:
        mine, theirs = one.leaf(path), other.leaf(path)
        return {slot for slot in {**mine, **theirs} if mine.get(slot) != theirs.get(slot)}
    return set().union(*(differing(one, other, (*path, child)) for child in range(FANOUT)))


@given(one=TABLES, other=TABLES)
def test_the_descent_finds_what_differs(one: dict[str, str], other: dict[str, str]) -> None:
    wanted = {slot for slot in {**one, **other} if one.get(slot) != other.get(slot)}
    assert differing(Tree(one), Tree(other)) == wanted
    assert (Tree(one).hash(()) == Tree(other).hash(())) == (one == other)


@given(table=TABLES)
def test_the_order_of_a_table_does_not_matter(table: dict[str, str]) -> None:
    turned = dict(reversed(table.items()))
    assert Tree(table).children(()) == Tree(turned).children(())


def test_keys_spread_over_the_leaves() -> None:
    assert len({path_of(str(key)) for key in range(2000)}) == FANOUT**DEPTH
