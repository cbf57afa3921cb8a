"""What is known of the order of a key's versions, as ranks: a greater rank is a newer version. Nothing is judged here.

``any``: nothing beyond what the guarantees themselves demand. ``real-time``: besides, of two writes that did not overlap the later
one made the newer version; stores with one leader, or consensus, promise that, those that order by clocks do not.
``value``: versions are numbers that count up, by one writer per key or by the store, so the order is known exactly.
"""

from __future__ import annotations

import numpy as np

from checkers.versions import BEFORE_ALL, NONE, Bools, Versions
from harness.history import Ints

ANY, REAL_TIME, VALUE = "any", "real-time", "value"
ORDERS = (ANY, REAL_TIME, VALUE)


def guessed(versions: Versions, touched: Ints) -> Ints:
    """Per version a rank that is right if the register behaved: by its first completion or last invocation, whichever came first.

    Gibbons and Korach's zones: in a linearizable history no two versions contradict this order. So what agrees with it
    needs no search; what does not may be right all the same.
    """
    calls = versions.calls
    last_call = np.full(len(versions.code), BEFORE_ALL, dtype=np.int64)
    known = touched != NONE
    np.maximum.at(last_call, touched[known], calls.call[known])
    start = np.where(versions.initial, BEFORE_ALL, np.minimum(versions.since, last_call))
    return np.unique(start, return_inverse=True)[1].reshape(-1).astype(np.int64)


def by_value(versions: Versions) -> tuple[Ints, Bools]:
    """Per version the rank of its number, and per key whether all of its values are numbers (or null, before all)."""
    values = [versions.value(version) for version in range(len(versions.code))]
    is_number = np.array([type(value) in {int, float} for value in values], dtype=np.bool_)
    proper = np.ones(versions.keys, dtype=np.bool_)
    proper[versions.register[~is_number & ~versions.initial]] = False
    numbers = sorted({value for value, fits in zip(values, is_number.tolist(), strict=True) if fits})
    places = {number: place for place, number in enumerate(numbers)}  # 1 and 1.0 are the same number
    ranks = [places[value] if fits else NONE for value, fits in zip(values, is_number.tolist(), strict=True)]
    return np.array(ranks, dtype=np.int64), proper


def unique_keys(versions: Versions) -> Bools:
    """Per key, whether every version has at most one write: only then does a value say which write was read."""
    several = versions.writers > np.where(versions.initial, 0, 1)
    unique = np.ones(versions.keys, dtype=np.bool_)
    unique[versions.register[several]] = False
    return unique
