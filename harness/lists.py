"""Values that are lists, as codes of their elements: what a read of a whole set shows.

Imports the ground floor alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.columns import Codes
from harness.pairs import PLAIN, named


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lists:
    """Per code of a value where its elements begin in ``element`` (and one more); nothing for what is no list.

    Elements are ascending and without repetitions. One that is a value of the history itself has that one's code; others have codes from
    there on, and stand in ``others``. ``whole``: whether the value is a list (or null, which is an empty one).
    """

    first: Codes
    element: Codes
    whole: np.ndarray
    others: Sequence[Any]


def lists_of(values: Sequence[Any]) -> Lists:
    """Of all ``values``, which have no repetitions. Raises HistoryError for an element that no history can hold."""
    size = len(values)
    codes: dict[Hashable, int] = {}
    lists: list[tuple[int, Any]] = []
    whole = np.zeros(size, dtype=np.bool_)
    for code, value in enumerate(values):
        if isinstance(value, list | tuple | set | frozenset):
            lists.append((code, value))
            whole[code] = True
        else:
            codes[named(value)] = code
            whole[code] = value is None
    if not all(type(item) in PLAIN for _, value in lists for item in value):
        codes.update((named(value), code) for code, value in lists)
    elements, others = array("i"), list[Any]()
    sizes = np.zeros(size + 1, dtype=np.int32)
    for code, value in lists:
        found = set[int]()
        for item in value:
            number = codes.setdefault(item if type(item) in PLAIN else named(item), size + len(others))
            if number == size + len(others):
                others.append(item)
            found.add(number)
        elements.extend(sorted(found))
        sizes[code + 1] = len(found)
    return Lists(
        first=np.cumsum(sizes, dtype=np.int32), element=np.array(elements, dtype=np.int32), whole=whole, others=others
    )
