"""Who counts, and how many are a majority."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.kv.raft.members import Members

NAMES = [f"n{number}" for number in range(1, 8)]


@pytest.mark.parametrize("count", range(1, 8))
def test_any_two_majorities_share_a_server(count: int) -> None:
    members = Members(NAMES[:count])
    majorities = list(itertools.combinations(members.nodes, members.quorum))
    assert all(set(one) & set(other) for one, other in itertools.product(majorities, majorities))
    assert members.quorum == min(size for size in range(1, count + 1) if 2 * size > count)


@pytest.mark.parametrize("count", [2, 4, 6])
def test_the_wrong_quorum_lets_two_halves_decide(count: int) -> None:
    assert Members(NAMES[:count], wrong_quorum_even=True).quorum == count // 2


@pytest.mark.parametrize("count", [1, 3, 5])
def test_the_wrong_quorum_is_right_for_odd_numbers(count: int) -> None:
    assert Members(NAMES[:count], wrong_quorum_even=True).quorum == Members(NAMES[:count]).quorum


@given(st.lists(st.integers(0, 9), min_size=1, max_size=7))
def test_agreed_is_the_largest_value_that_a_majority_has_reached(values: list[int]) -> None:
    members = Members(NAMES[: len(values)])
    reached = [value for value in values if sum(other >= value for other in values) >= members.quorum]
    assert members.agreed(values) == max(reached)


@given(st.lists(st.integers(0, 7), min_size=4, max_size=4), st.sampled_from(NAMES[:4]))
def test_majorities_before_and_after_a_change_of_one_server_share_a_server(_: list[int], gone: str) -> None:
    old, new = Members(NAMES[:4]), Members([name for name in NAMES[:4] if name != gone])
    for one in itertools.combinations(old.nodes, old.quorum):
        for other in itertools.combinations(new.nodes, new.quorum):
            assert set(one) & set(other)


def test_a_change_counts_until_it_is_truncated() -> None:
    members = Members(NAMES[:3])
    members.change(5, NAMES[:4])
    members.change(9, NAMES[:5])
    members.truncate(9)
    assert (members.index, members.nodes) == (5, tuple(NAMES[:4]))
    members.truncate(3)
    assert (members.index, members.nodes) == (0, tuple(NAMES[:3]))


def test_the_members_at_an_index_are_those_of_the_last_change_up_to_it() -> None:
    members = Members(NAMES[:3])
    members.change(5, NAMES[:4])
    assert members.at(4) == tuple(NAMES[:3])
    assert members.at(5) == tuple(NAMES[:4])
    members.change(9, NAMES[:5])
    members.compact(7)
    assert members.at(7) == tuple(NAMES[:4])
    assert members.nodes == tuple(NAMES[:5])
