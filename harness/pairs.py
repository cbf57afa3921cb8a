"""Values that are lists of two, as codes of their two parts: what a cas from one value to another expects and writes.

Imports the ground floor alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.columns import NO_KEY, Codes
from harness.errors import HistoryError
from harness.interning import identity

PLAIN = frozenset({int, str, type(None)})  # kinds of values that are their own identity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Per code of a value: the codes of its two parts, NO_KEY where it is no list of two.

    A part that is a value of the history itself has that one's code; other parts have codes from there up to ``size``.
    ``null`` is the code of null, -2 if it is neither a value nor a part of one.
    """

    first: Codes
    second: Codes
    size: int
    null: int


def pairs_of(values: Sequence[Any]) -> Pairs:
    """Of all ``values``, which have no repetitions. Raises HistoryError for a part that no history can hold."""
    codes: dict[Hashable, int] = {}
    pairs: list[tuple[int, Sequence[Any]]] = []
    others: list[tuple[int, Any]] = []
    for code, value in enumerate(values):
        if type(value) in PLAIN:
            codes[value] = code
        elif isinstance(value, list | tuple) and len(value) == 2:
            pairs.append((code, value))
        else:
            others.append((code, value))
    if not all(type(part) in PLAIN for _, pair in pairs for part in pair):
        codes.update((named(value), code) for code, value in (*others, *pairs))
    size = len(values)
    first, second = (np.full(size, NO_KEY, dtype=np.int32) for _ in range(2))
    for column, at in ((first, 0), (second, 1)):
        for code, pair in pairs:
            part = pair[at]
            number = codes.setdefault(part if type(part) in PLAIN else named(part), size)
            size += number == size
            column[code] = number
        column.flags.writeable = False
    return Pairs(first=first, second=second, size=size, null=codes.get(None, -2))


def named(value: Any) -> Hashable:
    """What is the same for equal values alone. Raises HistoryError for what no history can hold."""
    try:
        return identity(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise HistoryError(f"a {type(value).__name__} value cannot stand in a history: {error}") from error
