"""What a history says about the elements of one set: when each was added, known, last returned and missed. Facts; ``sets`` judges.

Times are lines of the history, so "before" is the order of lines. Calls are named by their row among all calls of the history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from checkers.wording import text
from harness.history import FAIL, FOREVER, OK, Calls, Ints
from harness.interning import identity

ADD, READ = "add", "read"
Mask = npt.NDArray[np.bool_]


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The history holds what is no operation of a set."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Read:
    """A read that succeeded: ``row`` among all calls, from ``call`` to ``ret``; ``ids`` of what it returned, ascending."""

    row: int
    call: int
    ret: int
    ids: Ints


class Facts:
    """One set. Its elements are numbered in the order of their first adds, failed ones included.

    Per element: ``began``, the beginning of its first add that did not fail (FOREVER: all did); ``acked``, its first success (FOREVER:
    none); ``known``, that or the end of the first read that returned it; ``seen``, the end of the last such read (-1: none); ``missed``,
    the beginning of the last read that began after it was known and does not return it (-1: none). ``add_row``, ``known_row`` (-1: known
    by its add), ``seen_row`` and ``missed_row`` are the calls behind these.

    ``strangers`` are elements that nobody added, ``repeats`` those that one read returned twice: (row of the read, element).
    """

    def __init__(self, calls: Calls, key: Calls, add: str = ADD) -> None:
        """The facts about ``key``, the calls of one key among all ``calls``; elements are added by ``add``. Raises Unjudgeable."""
        self._history, self._add = calls.history, add
        self._rows = np.searchsorted(calls.call, key.call)
        self._fs = [calls.history.fs[code] for code in key.f.tolist()]
        self._index: dict[Any, int] = {}
        self.elements: list[Any] = []
        self.reads: list[Read] = []
        self.strangers: list[tuple[int, Any]] = []
        self.repeats: list[tuple[int, Any]] = []
        self._take_adds(key)
        self._take_reads(key)
        self._follow()

    @property
    def acknowledged(self) -> Mask:
        """The elements that had an add that succeeded."""
        found: Mask = self.acked < FOREVER
        return found

    @property
    def lost(self) -> Mask:
        """Missed by a read that began after every read that returned the element had ended."""
        found: Mask = self.missed > self.seen
        return found

    @property
    def stale(self) -> Mask:
        """Missed, but not lost."""
        found: Mask = (self.missed >= 0) & (self.missed <= self.seen)
        return found

    @property
    def unjudged(self) -> Mask:
        """Acknowledged, but no read began after that."""
        last = max((read.call for read in self.reads), default=-1)
        found: Mask = self.acknowledged & (self.acked > last)
        return found

    @property
    def recovered(self) -> Mask:
        """Read, though no add of it is known to have succeeded."""
        found: Mask = ~self.acknowledged & (self.began < FOREVER) & (self.seen >= 0)
        return found

    def _take_adds(self, key: Calls) -> None:
        values = self._history.values
        adds = [at for at, f in enumerate(self._fs) if f == self._add]
        ids = []
        for at in adds:
            element = values[key.argument[at]]
            ids.append(self._index.setdefault(identity(element), len(self.elements)))
            if ids[-1] == len(self.elements):
                self.elements.append(element)
        began, acked, add_row = ([nothing] * len(self.elements) for nothing in (FOREVER, FOREVER, -1))
        columns = (column[adds].tolist() for column in (key.call, key.ret, key.outcome, self._rows))
        for element_id, call, ret, outcome, row in zip(ids, *columns, strict=True):
            if outcome != FAIL:
                began[element_id] = min(began[element_id], call)
            if add_row[element_id] < 0 or (outcome == OK and ret < acked[element_id]):
                add_row[element_id] = row  # the add to speak of: the first that succeeded, or else the first
            if outcome == OK:
                acked[element_id] = min(acked[element_id], ret)
        self.began, self.acked, self.add_row = (np.array(column, dtype=np.int64) for column in (began, acked, add_row))

    def _take_reads(self, key: Calls) -> None:
        parsed: dict[int, _Result] = {}
        for at, f in enumerate(self._fs):
            if f != READ or key.outcome[at] != OK:
                continue
            code, row = int(key.result[at]), int(self._rows[at])
            if code not in parsed:  # what many reads return alike is looked at once
                parsed[code] = self._parse(int(key.ret[at]), self._history.values[code])
            result = parsed[code]
            self.strangers += [(row, element) for element in result.strangers]
            self.repeats += [(row, element) for element in result.repeats]
            self.reads.append(Read(row=row, call=int(key.call[at]), ret=int(key.ret[at]), ids=result.ids))

    def _parse(self, line: int, value: Any) -> _Result:
        if value is not None and not isinstance(value, list | tuple | set | frozenset):
            index = self._history.index[line]
            raise Unjudgeable(
                f"the read that ended with index {index} returned {text(value)}, which is no list of elements"
            )
        whole = list(value or ())
        plain = set(map(type, whole)) <= {int, str}  # then ``identity`` changes nothing
        names = whole if plain else [identity(element) for element in whole]
        found = [self._index.get(name, -1) for name in names]
        repeats = []
        if len(set(names)) < len(names):
            one = dict(zip(names, whole, strict=True))
            repeats = [one[name] for name, times in Counter(names).items() if times > 1]
        strangers = {}
        if -1 in found:
            strangers = {name: element for name, element, known in zip(names, whole, found, strict=True) if known < 0}
        ids = np.unique(np.array(found, dtype=np.int64))
        return _Result(ids=ids[ids >= 0], strangers=[*strangers.values()], repeats=repeats)

    def _follow(self) -> None:
        size = len(self.elements)
        self.known = self.acked.copy()
        self.known_row, self.seen, self.seen_row, self.missed, self.missed_row = (np.full(size, -1) for _ in range(5))
        for read in self.reads:
            ids = read.ids[self.began[read.ids] < read.ret]  # what a read could not know makes nothing known
            first, last = ids[self.known[ids] > read.ret], ids[self.seen[ids] < read.ret]
            self.known[first], self.known_row[first] = read.ret, read.row
            self.seen[last], self.seen_row[last] = read.ret, read.row
        for read in self.reads:  # in the order in which they began
            missing = self.known < read.call
            missing[read.ids] = False
            self.missed[missing], self.missed_row[missing] = read.call, read.row

    # What may not be

    def too_early(self) -> Iterator[tuple[Read, int]]:
        """Elements that a read returned although it had ended before any add of them began, with the first such read."""
        told = np.zeros(len(self.elements), dtype=np.bool_)
        for read in self.reads:
            for element in read.ids[(self.began[read.ids] > read.ret) & ~told[read.ids]].tolist():
                told[element] = True
                yield read, element

    def forks(self) -> Iterator[tuple[Read, Read, int, int]]:
        """Two reads, an element that only the first returned, and one that only the second did.

        Reads that are sorted by size stand in a chain if each is a part of the next one; so neighbours are compared.
        """
        ordered = sorted(self.reads, key=lambda read: len(read.ids))
        for one, other in pairwise(ordered):
            if one.ids is not other.ids and len(mine := np.setdiff1d(one.ids, other.ids, assume_unique=True)):
                theirs = np.setdiff1d(other.ids, one.ids, assume_unique=True)
                yield one, other, int(mine[0]), int(theirs[0])

    def reordered(self) -> Iterator[tuple[Read, int, int]]:
        """An element that a read returned, and one that it did not although its add had succeeded before the add of the first began; the
        first such read of each. What is lost or stale for that read is left out.
        """
        told = np.zeros(len(self.elements), dtype=np.bool_)
        for read in self.reads:
            began = np.where(self.began[read.ids] < read.ret, self.began[read.ids], -1)
            if not len(began):
                continue
            latest = int(np.argmax(began))
            missing = (self.acked < began[latest]) & (self.known >= read.call) & ~told
            missing[read.ids] = False
            for element in np.flatnonzero(missing).tolist():
                told[element] = True
                yield read, int(read.ids[latest]), element


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Result:
    """What a read returned: the ids of elements that somebody added, the others, and those that stand in it twice."""

    ids: Ints
    strangers: list[Any]
    repeats: list[Any]
