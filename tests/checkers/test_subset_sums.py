"""Sums of subsets, as bits and as intervals, against all subsets."""

from __future__ import annotations

from itertools import combinations
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers import subset_sums
from checkers.subset_sums import NOTHING, Sums, reaches, sums_of

NUMBERS = st.lists(st.integers(-9, 9), max_size=6)


def all_sums(numbers: list[int]) -> set[int]:
    return {sum(some) for size in range(len(numbers) + 1) for some in combinations(numbers, size)}


def built(numbers: list[int]) -> Sums:
    sums = NOTHING
    for number in numbers:
        sums = sums.plus(number)
    return sums


def held(sums: Sums) -> set[int]:
    if sums.bits is not None:
        return {sums.low + place for place in range(sums.bits.bit_length()) if sums.bits >> place & 1}
    assert sums.spans is not None
    return {value for start, end in sums.spans for value in range(start, end + 1)}


@pytest.mark.parametrize("bits_max", [0, 12, 1 << 17])  # intervals alone, from bits to intervals on the way, bits alone
@given(numbers=NUMBERS)
def test_the_sums_of_all_subsets(bits_max: int, numbers: list[int]) -> None:
    wanted = all_sums(numbers)
    with patch.object(subset_sums, "BITS_MAX", bits_max):
        for sums in (built(numbers), sums_of(numbers)):
            assert held(sums) == wanted
            assert (sums.low, sums.high) == (min(wanted), max(wanted))


@pytest.mark.parametrize("bits_max", [0, 12, 1 << 17])
@given(one=NUMBERS, other=NUMBERS, target=st.integers(-40, 40))
def test_two_sums_that_make_a_target(bits_max: int, one: list[int], other: list[int], target: int) -> None:
    with patch.object(subset_sums, "BITS_MAX", bits_max):
        found = reaches(sums_of(one), sums_of(other), target)
    assert found is (target in {a + b for a in all_sums(one) for b in all_sums(other)})


def test_large_numbers_are_exact_while_they_are_few() -> None:
    sums = built([10**12, -(10**15), 3])
    assert reaches(sums, NOTHING, 10**12 + 3) is True
    assert reaches(sums, NOTHING, 10**12 + 4) is False
    assert reaches(sums, sums_of([1]), 10**12 + 4) is True


def test_too_many_intervals_leave_the_bounds() -> None:
    with patch.object(subset_sums, "SPANS_MAX", 8):
        sums = built([10**6, 10**7, 10**8, 10**9])
    assert sums.spans is None
    assert reaches(sums, NOTHING, 5) is None
    assert reaches(sums, NOTHING, 0) is True
    assert reaches(sums, NOTHING, -1) is False
    assert reaches(NOTHING, sums, 1_111_000_001) is False


def test_the_bounds_alone_decide_nothing_in_between() -> None:
    assert reaches(sums_of([3, 4]).bounds(), NOTHING, 5) is None
    assert reaches(sums_of([3, 4]).bounds(), NOTHING, 8) is False


def test_small_numbers_close_up() -> None:
    with patch.object(subset_sums, "BITS_MAX", 0):
        assert built([1, 2, 3, 4, 5] * 20).spans == ((0, 300),)
