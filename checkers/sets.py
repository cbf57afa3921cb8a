"""The checker ``set``: a set to which elements are only ever added. Of what was acknowledged, how much is gone?

Operations are add (the element) and read (a list in any order; null is the empty set), per key. An element is *known* once an add of it
has succeeded or a read that returned it has ended, whichever came first. Then, by names (Jepsen's checkers set and set-full):

* ``lost``: it was known, and a read that began after that and after every read that returned it had ended did not return it;
* ``stale``: it was known, a read that began after that did not return it, but it was not lost: it came (back) later;
* ``unexpected``: a read returned it that ended before any add of it began, or of which all adds failed, or which has none;
* ``duplicated``: one read returned it twice;
* ``recovered``: nobody knows whether its add succeeded, but it was read. That is no anomaly, and neither is its absence.

A set that is but eventually consistent may be stale. One that is ``linearizable`` may not, and two more anomalies are then looked for, so
that the verdict is exactly linearizability:

* ``fork``: two reads, each of which lacks what the other returned: no order of them explains both;
* ``reordered``: a read returned an element and lacks another whose add had succeeded before the add of the first one began.

(Why that is all: a legal order exists iff the relation "comes before" has no cycle, where an add comes before the reads that return its
element and after those that lack it, and what has ended comes before what begins later. Reads without forks stand in a chain of ever
larger sets, each element's add just before the first read that returns it. What breaks that order is a later member that had ended before
an earlier one began; for each of the four pairs of add and read that is one of the names above.)

A difference to Jepsen: there the last read to begin decides between lost and stale, even if a read that overlaps it returned the element.
Here such an element is stale. And duplicates are found: Jepsen's set-full compares their number with the wrong side of 1.

The time is linear in the number of adds plus the elements of all distinct reads, plus a vector operation per read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.wording import Narrator, count, text
from harness.history import FAIL, FOREVER, OK, Calls, History, Ints
from harness.interning import identity
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "set"
ADD, READ = "add", "read"
# The worst first: so they are told. Those behind ``stale`` included are anomalies of linearizable sets alone.
LOST, UNEXPECTED, DUPLICATED, STALE, FORK, REORDERED = "lost", "unexpected", "duplicated", "stale", "fork", "reordered"
ALWAYS, LINEARIZABLE = (LOST, UNEXPECTED, DUPLICATED), (LOST, UNEXPECTED, DUPLICATED, STALE, FORK, REORDERED)
# Of each name this many anomalies are shown; counts are of all.
SHOWN_MAX = 8
QUANTILES = (0.5, 0.95, 0.99, 1.0)
MILLISECOND_NS = 1_000_000


def make(*, linearizable: bool = False) -> Checker:
    """Is every acknowledged element still in the set? Option linearizable: must each read also be up to date?"""
    return Sets(linearizable=linearizable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One element or pair of reads that breaks a rule. ``calls`` are rows of the calls that show it, ``reason`` says how."""

    name: str
    calls: tuple[int, ...]
    reason: str


@dataclass(slots=True, kw_only=True)
class Sets:
    """See the module."""

    linearizable: bool = False
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            keys = [_Key(part, say) for say in [Narrator(calls)] for part in _parts(calls)]
        except _Unjudgeable as problem:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=str(problem))
        wrong = LINEARIZABLE if self.linearizable else ALWAYS
        counts: Counter[str] = Counter()
        anomalies = []
        for name in wrong:
            for key in keys:
                for finding in key.findings(name):
                    counts[name] += 1
                    if counts[name] <= SHOWN_MAX:
                        anomalies.append(_anomaly(key.say, finding))
        return _verdict(keys, counts, tuple(anomalies))


class _Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The history holds what is no operation of a set."""


def _parts(calls: Calls) -> Iterator[tuple[Calls, Ints]]:
    """The calls of each key, with their rows among all calls. Raises _Unjudgeable."""
    strange = sorted({calls.history.fs[code] for code in np.unique(calls.f)} - {ADD, READ})
    if strange:
        raise _Unjudgeable(f"a set has the operations add and read, but the history also has {', '.join(strange)}")
    for _, part in calls.by_key():
        yield part, np.searchsorted(calls.call, part.call).astype(np.int64)


@dataclass(slots=True, kw_only=True)
class _Read:
    """A read that succeeded: ``row`` among all calls, from ``call`` to ``ret``; ``ids`` of what it returned, ascending."""

    row: int
    call: int
    ret: int
    ids: Ints


class _Key:
    """One set: what happened to each of its elements, which are numbered in the order of their first adds.

    Per element: ``began`` (its first add that has not failed; FOREVER: all did), ``acked`` (its first success; FOREVER: none), ``known``,
    ``seen`` (the end of the last read that returned it; -1: none), ``missed`` (the beginning of the last read that began when it was known
    and does not return it; -1: none). All are lines of the history. ``add_row`` and ``miss_row`` are the calls behind.
    """

    def __init__(self, part: tuple[Calls, Ints], say: Narrator) -> None:
        self.say = say
        self._calls, self._rows = part
        self.elements: list[Any] = []
        self.reads: list[_Read] = []
        self._strangers: list[tuple[int, Any]] = []  # (read, element that nobody added)
        self._repeats: list[tuple[int, Any]] = []  # (read, element that it returned twice)
        self._index: dict[Any, int] = {}
        self._take_adds()
        self._take_reads()
        self._follow()

    # What is in the history

    def _take_adds(self) -> None:
        calls, values = self._calls, self._calls.history.values
        adds = [at for at in range(len(calls)) if calls.history.fs[calls.f[at]] == ADD]
        ids = []
        for at in adds:
            element = values[calls.argument[at]]
            ids.append(self._index.setdefault(identity(element), len(self.elements)))
            if ids[-1] == len(self.elements):
                self.elements.append(element)
        self.began, self.acked = (np.full(len(self.elements), FOREVER) for _ in range(2))
        self.add_row = np.full(len(self.elements), -1)
        self.adds = len(adds)
        for at, element_id in zip(adds, ids, strict=True):
            outcome, ret = calls.outcome[at], int(calls.ret[at])
            if outcome != FAIL:
                self.began[element_id] = min(self.began[element_id], calls.call[at])
            if self.add_row[element_id] < 0 or (outcome == OK and ret < self.acked[element_id]):
                self.add_row[element_id] = self._rows[at]  # the add to speak of: the first that succeeded, or else the first
            if outcome == OK:
                self.acked[element_id] = min(self.acked[element_id], ret)

    def _take_reads(self) -> None:
        calls, parsed = self._calls, dict[int, Ints]()
        for at in range(len(calls)):
            if calls.outcome[at] != OK or calls.history.fs[calls.f[at]] != READ:
                continue
            code, row = int(calls.result[at]), int(self._rows[at])
            if code not in parsed:  # what many reads return alike is looked at once
                parsed[code] = self._parse(row, calls.history.values[code])
            self.reads.append(_Read(row=row, call=int(calls.call[at]), ret=int(calls.ret[at]), ids=parsed[code]))

    def _parse(self, row: int, value: Any) -> Ints:
        """The ids of what a read returned; what has none, and what stands there twice, is noted."""
        if value is not None and not isinstance(value, list | tuple | set | frozenset):
            op = self.say.calls.op(row)
            raise _Unjudgeable(f"the read of index {op.index} returned {text(value)}, which is no list of elements")
        whole = list(value or ())
        plain = {type(element) for element in whole} <= {int, str}  # then ``identity`` changes nothing
        names = whole if plain else [identity(element) for element in whole]
        if len(set(names)) < len(names):
            first = dict(zip(names, whole, strict=True))
            self._repeats += [(row, first[name]) for name, times in Counter(names).items() if times > 1]
        found = [self._index.get(name, -1) for name in names]
        self._strangers += [(row, element) for element, known in zip(whole, found, strict=True) if known < 0]
        ids = np.unique(np.array(found, dtype=np.int64))
        return ids[ids >= 0]

    # What became of each element

    def _follow(self) -> None:
        size = len(self.elements)
        self.known = self.acked.copy()
        self.seen, self.missed, self.miss_row = (np.full(size, -1) for _ in range(3))
        for read in self.reads:
            self.known[read.ids] = np.minimum(self.known[read.ids], read.ret)
            self.seen[read.ids] = np.maximum(self.seen[read.ids], read.ret)
        self.known[self.began == FOREVER] = FOREVER  # of what certainly was not added nothing is expected
        for read in self.reads:  # in the order in which they began
            missing = self.known < read.call
            missing[read.ids] = False
            self.missed[missing], self.miss_row[missing] = read.call, read.row
        self.lost = self.missed > self.seen
        self.stale = (self.missed >= 0) & ~self.lost
        last = max((read.call for read in self.reads), default=-1)
        self.unjudged = (self.acked < FOREVER) & (self.acked > last)

    def findings(self, name: str) -> Iterable[Finding]:
        """All anomalies of that name."""
        return _FIND[name](self)

    def _lost(self) -> Iterator[Finding]:
        say = self.say
        for element in np.flatnonzero(self.lost).tolist():
            read = int(self.miss_row[element])
            absent = f"{say.whose(read).split(' read')[0]} read that began {say.began(read)} does not return it"
            yield Finding(name=LOST, calls=(*self._sources(element), read), reason=f"{self._why_known(element)}, but {absent}")

    def _stale(self) -> Iterator[Finding]:
        say = self.say
        for element in np.flatnonzero(self.stale).tolist():
            read = int(self.miss_row[element])
            absent = f"process {say.calls.process[read]}'s read that began {say.began(read)} does not return it yet"
            yield Finding(name=STALE, calls=(*self._sources(element), read), reason=f"{self._why_known(element)}, but {absent}")

    def _unexpected(self) -> Iterator[Finding]:
        say = self.say
        for row, element in self._strangers:
            yield self._read_of(UNEXPECTED, row, element, "which nobody ever added")
        told = set()
        for read in self.reads:
            for element in read.ids[self.began[read.ids] > read.ret].tolist():
                if element in told:
                    continue
                told.add(element)
                add = int(self.add_row[element])
                failed = self.began[element] == FOREVER
                why = "whose add had failed" if failed else f"whose add began only {say.began(add)}"
                yield self._read_of(UNEXPECTED, read.row, self.elements[element], why, add)

    def _duplicated(self) -> Iterator[Finding]:
        for row, element in self._repeats:
            yield self._read_of(DUPLICATED, row, element, "more than once")

    def _fork(self) -> Iterator[Finding]:
        """Reads in the order of their sizes: where one is no part of the next, each lacks something that the other has."""
        say = self.say
        for smaller, larger in self._chain():
            mine = np.setdiff1d(smaller.ids, larger.ids)
            if len(mine):
                other = np.setdiff1d(larger.ids, smaller.ids)
                x, y = (text(self.elements[int(ids[0])]) for ids in (mine, other))
                reason = (
                    f"process {say.calls.process[smaller.row]}'s read that began {say.began(smaller.row)} returned {x}{self._where(smaller.row)} "
                    f"but not {y}, and process {say.calls.process[larger.row]}'s read that began {say.began(larger.row)} returned {y} but not {x}"
                )
                yield Finding(name=FORK, calls=(smaller.row, larger.row), reason=reason)

    def _chain(self) -> Iterator[tuple[_Read, _Read]]:
        """The reads by size, each with the next larger one, or the next of the same size that differs."""
        ordered = sorted(self.reads, key=lambda read: len(read.ids))
        for one, other in zip(ordered, ordered[1:], strict=False):
            if len(one.ids) < len(other.ids) or not np.array_equal(one.ids, other.ids):
                yield one, other
