"""What had certainly been replaced when a read began: the writes that came later in real time, counted in O(n log n).

A write comes later than a version for certain if it began after that version had taken effect (``Versions.since``). Writes that
overlap may have happened in either order and are never held against a read, and neither are those of unknown outcome: so
what is found here is a lower bound, and a linearizable register shows none of it. Positions are rows of the history.
"""

from __future__ import annotations

import numpy as np

from checkers.versions import NONE, Versions
from harness.history import FOREVER, Ints


class Replacements:
    """The writes of every register that certainly happened, in the order of their beginnings."""

    def __init__(self, versions: Versions) -> None:
        calls = versions.calls
        writes = np.flatnonzero((versions.made != NONE) & versions.certain)
        writes = writes[np.argsort(versions.key[writes], kind="stable")]  # calls are in order of invocation already
        # All registers stand on one line, one after the other, so that one search serves them all.
        self._width = len(calls.history) + 1
        self._line = versions.key[writes] * self._width
        self._began = self._line + calls.call[writes]
        self._ended = self._line + calls.ret[writes]
        self._earliest_end = np.minimum.accumulate(self._ended[::-1])[::-1]
        self._call_ending = np.full(self._width, NONE, dtype=np.int64)
        self._call_ending[calls.ret[writes]] = writes

    def first(self, key: Ints, since: Ints) -> Ints:
        """For registers and positions: where the first write completed that began after ``since`` (FOREVER: there is none)."""
        line = key * self._width
        place = np.searchsorted(self._began, line + np.minimum(since, self._width - 1), side="right")
        padded = np.append(self._earliest_end, FOREVER)
        found = padded[place]
        # The earliest end from here on is of a later register iff this one has no more writes.
        return np.where(found < line + self._width, found - line, FOREVER).astype(np.int64)

    def count(self, key: Ints, since: Ints, before: Ints) -> Ints:
        """How many writes began after ``since`` and had completed by ``before``."""
        line = key * self._width
        place = np.searchsorted(self._began, line + np.minimum(since, self._width - 1), side="right")
        all_ended = np.searchsorted(np.sort(self._ended), line + before)
        counts: Ints = all_ended - counts_below(self._ended, place, line + before)
        return counts

    def write_ending(self, rows: Ints) -> Ints:
        """The calls of the writes that completed in these rows; NONE where none did."""
        calls: Ints = self._call_ending[np.minimum(rows, self._width - 1)]
        return calls


def counts_below(values: Ints, prefix: Ints, bound: Ints) -> Ints:
    """How many of the first ``prefix[i]`` values are below ``bound[i]``, for all i.

    A prefix is cut into blocks by the binary digits of its length (13 = 8 + 4 + 1); the blocks of one size are sorted once,
    and every query searches one block of each size that it needs.
    """
    counts = np.zeros(len(prefix), dtype=np.int64)
    ordered = np.sort(values)
    rank, wanted = np.searchsorted(ordered, values), np.searchsorted(ordered, bound)
    size = 1
    while size <= len(values):
        asks = (prefix & size) != 0
        if asks.any():
            blocks = np.sort(np.arange(len(values)) // size * (len(values) + 1) + rank, kind="stable")
            start = prefix[asks] // (2 * size) * (2 * size)
            counts[asks] += np.searchsorted(blocks, start // size * (len(values) + 1) + wanted[asks]) - start
        size *= 2
    return counts
