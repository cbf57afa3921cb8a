"""When two values of a history are the same, and the numbering of values by that. Imports errors alone.

A wrong answer here is a wrong verdict: a checker sees codes, so what gets one code is one value to it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np

from harness.columns import Codes
from harness.errors import HistoryError

DEPTH_MAX = 200  # of values in files: deeper than any history, far from Python's own limit for whoever walks them


def identity(value: Any) -> Hashable:
    """A key that two values share iff they are the same: 1, 1.0 and true differ; sequences, maps, sets
    compare deeply.

    Python's own equality would merge 1 with True and thereby hide a wrong read. Subclasses of str (EDN's
    keywords) are not the string of that name, as in EDN; enums are the value behind them. Raises ValueError
    for NaN, which is not even equal to itself, and TypeError for what cannot be compared.
    """
    kind = type(value)
    if kind is int or kind is str or value is None:
        return value  # type: ignore[no-any-return]  # the three kinds just named are hashable
    if kind is bool:
        return (bool, value)
    if kind is float:
        if value != value:  # noqa: PLR0124 - the definition of NaN
            raise ValueError("NaN is not even equal to itself; use null or a string")
        return (float, value)
    if isinstance(value, list | tuple):
        return (list, tuple([identity(item) for item in value]))
    if isinstance(value, Mapping):
        return (dict, frozenset([(identity(name), identity(item)) for name, item in value.items()]))
    if isinstance(value, set | frozenset):
        return (set, frozenset([identity(item) for item in value]))
    if isinstance(value, Enum):
        return identity(value.value)
    if isinstance(value, np.generic):
        return identity(value.item())
    if hasattr(value, "identity_parts"):  # a container of another module, which says what it is made of
        return (kind, identity(value.identity_parts()))
    hash(value)  # what is left must at least be hashable
    return (kind, value)


class Interner:
    """Values to codes 0, 1, 2, ...: two values get one code iff ``identity`` says that they are the same."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self.table: list[Any] = []
        self._codes: dict[Hashable, int] = {}
        for value in values:
            self.code(value)

    def code(self, value: Any) -> int:
        """The code of ``value``. Raises HistoryError, without a place, for what no history can hold."""
        try:
            key = identity(value)
        except (ValueError, TypeError) as error:
            raise HistoryError(f"a {type(value).__name__} value cannot stand in a history: {error}") from error
        except RecursionError as error:
            raise HistoryError("a value is nested too deeply, or contains itself; flatten it") from error
        code = self._codes.setdefault(key, len(self.table))
        if code == len(self.table):
            self.table.append(value)
        return code

    def find(self, value: Any) -> int:
        """The code of ``value``, or -2 if it has none."""
        return self._codes.get(identity(value), -2)


def intern_table(values: Sequence[Any], codes: Codes) -> tuple[Sequence[Any], Codes]:
    """``values`` without repetitions, and ``codes`` to match; both as they are if nothing repeats."""
    if isinstance(values, range):
        return values, codes
    interner = Interner()
    renumber = np.array([interner.code(value) for value in values], dtype=np.int32)
    if len(interner.table) == len(values):
        return values, codes
    return interner.table, np.where(codes >= 0, renumber[np.maximum(codes, 0)], codes).astype(np.int32)


def same_column(codes: Codes, table: Sequence[Any], other: Codes, other_table: Sequence[Any]) -> bool:
    """Whether two columns hold the same values row by row, however each numbers them."""
    interner = Interner(table)  # a table has no repetitions, so its own codes come out
    renumber = np.array([*(interner.find(value) for value in other_table), -1], dtype=np.int32)
    return np.array_equal(codes, renumber[other])


def same(one: Any, other: Any) -> bool:
    """Whether two objects are the same value, or, where ``identity`` has no answer, whether Python holds them equal."""
    try:
        return identity(one) == identity(other)
    except (ValueError, TypeError, RecursionError):
        return bool(one == other)
