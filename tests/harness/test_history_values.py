"""When two values of a history are one: the ground of every verdict."""

from __future__ import annotations

import enum
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.formats.edn import Char, EdnList, FrozenMap, Keyword, Symbol, Tagged
from harness.history import History
from harness.interning import Interner, identity
from harness.op import Op
from tests.harness.formats.strategies import json_values, patient


class Colour(enum.StrEnum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


ALIKE: list[list[Any]] = [  # each row is one value, and no two rows are
    [None],
    [True, np.True_],
    [False],
    [1, Number.ONE, np.int64(1)],
    [1.0, np.float64(1)],
    [0],
    [0.0, -0.0],
    ["1"],
    ["red", Colour.RED, np.str_("red")],
    [Keyword("red")],
    [Symbol("red")],
    [Char("r")],
    ["r"],
    [[1, 2], (1, 2), EdnList([1, 2])],
    [[1, True]],
    [[1, 1]],
    [[1.0, 2]],
    [[]],
    [{}, FrozenMap()],
    [{"a": 1, "b": [2]}, {"b": (2,), "a": 1}, FrozenMap(a=1, b=[2])],
    [{"a": 1, "b": [2.0]}],
    [{"a": True, "b": [2]}],
    [{Keyword("a"): 1, "b": [2]}],
    [{"a": 1}],
    [frozenset({1, 2}), {2, 1}],
    [frozenset({True, 2})],
    [frozenset()],
    [Fraction(1, 2)],
    [0.5],
    [Decimal("0.5")],
    [Tagged("inst", "x")],
    [Tagged("uuid", "x")],
    [Tagged("inst", [1])],
    [Tagged("inst", [True])],
    [10**30],
    [1e30],
    ["é"],
    ["e\u0301"],  # the same to the eye, but not to a database
]


def test_what_is_one_value_and_what_is_not() -> None:
    interner = Interner()
    for code, row in enumerate(ALIKE):
        assert [interner.code(value) for value in row] == [code] * len(row)


def test_the_first_spelling_comes_back() -> None:
    interner = Interner([(1, 2), [1, 2]])
    assert [type(value) for value in interner.table] == [tuple]


@pytest.mark.parametrize(
    "value", [bytearray(b"x"), [bytearray(b"x")], {"a": {"b": bytearray(b"x")}}, Tagged("t", bytearray())]
)
def test_what_cannot_be_compared_is_an_error(value: Any) -> None:
    with pytest.raises(TypeError):
        identity(value)


def naive_same(one: Any, other: Any) -> bool:
    """The dumb twin for JSON values."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(naive_same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(naive_same(one[name], other[name]) for name in one)
    return bool(one == other)


@patient
@given(st.lists(json_values(), max_size=8))
def test_codes_agree_with_the_dumb_twin(values: list[Any]) -> None:
    run = History.of([Op(f="w", process=process, value=value) for process, value in enumerate(values)])
    for row, value in enumerate(values):
        assert naive_same(run[row].value, value)
        for other in range(row):
            assert (run.value[row] == run.value[other]) == naive_same(value, values[other])
