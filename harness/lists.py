"""Values that are lists, as codes of their elements: what a read of a whole set shows.

Imports the ground floor alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from typing import Any

import numpy as np

from harness.columns import Codes, Ints
from harness.pairs import PLAIN, named

_KINDS = (list, tuple, set, frozenset)
# Numbers are found in a table if they lie no further apart than so many times their count.
_SPARSE = 6


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
    entries = list(values)
    size, kinds = len(entries), np.fromiter(map(id, map(type, entries)), dtype=np.int64)
    listed = np.isin(kinds, [id(kind) for kind in set(map(type, entries)) if issubclass(kind, _KINDS)])
    lists, number = list(compress(entries, listed)), kinds == id(int)
    sizes = np.fromiter(map(len, lists), dtype=np.int64)
    found = _numbered(list(chain.from_iterable(lists)), list(compress(entries, number)), np.flatnonzero(number), size)
    element, others = found or _interned(entries, lists, listed)
    owner = np.repeat(np.flatnonzero(listed), sizes)
    if (np.diff(owner * (size + len(others)) + element) <= 0).any():
        owner, element = np.divmod(np.unique(owner * (size + len(others)) + element), size + len(others))
    first = np.zeros(size + 1, dtype=np.int32)
    np.cumsum(np.bincount(owner, minlength=size), out=first[1:])
    whole = listed | (kinds == id(type(None)))
    return Lists(first=first, element=element.astype(np.int32), whole=whole, others=others)


def _numbered(items: list[Any], numbers: list[int], codes: Ints, size: int) -> tuple[Ints, Sequence[Any]] | None:
    """The codes of ``items`` and what stands in ``others``, if they are all whole numbers of 64 bits; so are the values of ``codes``."""
    if not set(map(type, items)) <= {int}:
        return None
    try:
        flat, known = (np.array(column, dtype=np.int64) for column in (items, numbers))
    except OverflowError:
        return None
    low, high = int(flat.min(initial=0)), int(flat.max(initial=0))
    if high - low <= _SPARSE * (len(flat) + len(known)) + 64:
        every, place, at = np.arange(low, high + 1), flat - low, known - low
        mine = (low <= known) & (known <= high)
    else:
        every, place = np.unique(flat, return_inverse=True)
        at = np.minimum(np.searchsorted(every, known), len(every) - 1)
        mine = every[at] == known
    table = np.full(len(every), -1)
    table[at[mine]] = codes[mine]
    strange = np.unique(place[table[place] < 0])
    table[strange] = size + np.arange(len(strange))
    return table[place], every[strange].tolist()


def _interned(entries: list[Any], lists: list[Any], listed: np.ndarray) -> tuple[Ints, Sequence[Any]]:
    """The same of whatever elements, one after the other."""
    size = len(entries)
    codes: dict[Hashable, int] = {named(entries[at]): at for at in np.flatnonzero(~listed).tolist()}
    if not all(type(item) in PLAIN for items in lists for item in items):
        codes.update((named(entries[at]), at) for at in np.flatnonzero(listed).tolist())
    element, others = array("q"), list[Any]()
    for item in chain.from_iterable(lists):
        number = codes.setdefault(item if type(item) in PLAIN else named(item), size + len(others))
        if number == size + len(others):
            others.append(item)
        element.append(number)
    return np.array(element, dtype=np.int64), others
