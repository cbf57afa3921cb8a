"""The checker ``or-set``: a set with adds and removes on many replicas, where an add survives every remove that has not seen it.

The promise (observed-remove set: Shapiro and others 2011, section 3.3.5): a remove takes away the adds that its replica knows by then, and
no other; and in the end all replicas show the same. It is judged at the *final reads* that began ``settle_s`` after the heal, by what had
succeeded ``settle_s`` before. What a replica knows when is not recorded, so only what is certain is judged:

* a remove cannot have seen an add that began after the remove had ended. If that holds for every remove of an element that did not fail, it
  must be there: else it is ``lost``;
* a remove has seen every add that its own node had acknowledged before the remove began. If every add of an element that may have happened
  has been seen by a remove that succeeded, it must not be there: else it is ``resurrected``;
* if nothing about an element is in doubt, two final reads must say the same about it: else it is ``diverged``;
* ``phantom`` and ``duplicated`` are as for ``broadcast``, in any read.

Ops are ``add`` and ``remove`` (an element), ``read`` (a list in any order; null is the empty set), per key. Figures tell how many elements
were decided: what nobody can tell is not counted for right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.finals import is_final
from checkers.replicas import Ending, ending_of
from checkers.set_facts import ADD, READ, Facts, Read, Unjudgeable
from checkers.settling import SECOND_NS, unhealed, untimed
from checkers.windows import windows_of
from checkers.wording import Narrator, count, listed, name, text
from harness.errors import PlanError
from harness.history import FAIL, FOREVER, NO_KEY, OK, Calls, History
from harness.interning import identity
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME, REMOVE = "or-set", "remove"
LOST, RESURRECTED, DIVERGED, PHANTOM, DUPLICATED = "lost", "resurrected", "diverged", "phantom", "duplicated"
SETTLE_S = 1.0
ANOMALIES_MAX = 8  # of each name so many are told; counts are of all

Findings = Iterator[tuple[Sequence[int], str]]  # rows of the calls that show an anomaly, and the sentence


def make(*, settle_s: float = SETTLE_S) -> Checker:
    """Do all replicas of a set with adds and removes agree in the end, on what they should? Option settle_s: how long after heal and op.

    Raises PlanError for a time below 0.
    """
    if not settle_s >= 0:
        raise PlanError(f"settle_s is {settle_s!r}; it is a time in seconds, from 0")
    return OrSets(settle_s=settle_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An add or a remove that did not fail. ``ret`` is FOREVER where nobody knows whether and when it happened; ``node`` took it."""

    row: int
    adds: bool
    call: int
    ret: int
    node: int


@dataclass(slots=True, kw_only=True)
class OrSets:
    """See the module."""

    settle_s: float = SETTLE_S
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls, windows = history.calls(), windows_of(history)
        try:
            keys = [(key, Facts(calls, key)) for _, key in _known_only(calls).by_key()]
        except Unjudgeable as problem:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=str(problem))
        doubt = unhealed(windows) or untimed(history, self.settle_s)
        finals = np.flatnonzero(is_final(calls))
        sets = [
            _Set(
                calls=calls,
                facts=facts,
                ending=ending_of(facts, calls, finals, windows, self.settle_s),
                changes=_changes(calls, key, facts),
                settle_ns=round(self.settle_s * SECOND_NS),
                judged=not doubt,
            )
            for key, facts in keys
        ]
        return _verdict(calls, sets, doubt)


def _known_only(calls: Calls) -> Calls:
    strange = sorted({calls.history.fs[code] for code in np.unique(calls.f).tolist()} - {ADD, REMOVE, READ})
    if strange:
        raise Unjudgeable(
            f"an or-set has the operations add, remove and read, but the history also has {listed(map(repr, strange))}"
        )
    return calls


def _changes(calls: Calls, key: Calls, facts: Facts) -> list[list[Change]]:
    """Per element of ``facts`` the changes that may have happened, in the order of their invocations."""
    numbers = {identity(element): number for number, element in enumerate(facts.elements)}
    found: list[list[Change]] = [[] for _ in facts.elements]
    history, rows = calls.history, np.searchsorted(calls.call, key.call).tolist()
    columns = (column.tolist() for column in (key.call, key.ret, key.outcome, key.f, key.argument, key.node))
    for row, call, ret, outcome, f, argument, node in zip(rows, *columns, strict=True):
        kind = history.fs[f]
        number = numbers.get(identity(history.values[argument])) if kind != READ else None
        if number is None or outcome == FAIL:
            continue
        took = int(history.node[ret]) if outcome == OK else node
        found[number].append(Change(row=row, adds=kind == ADD, call=call, ret=ret, node=took))
    return found


@dataclass(slots=True, kw_only=True)
class _Set:
    """One set: what its history says must be, must not be, or must be equal. ``judged``: whether the end is judged at all."""

    calls: Calls
    facts: Facts
    ending: Ending
    changes: list[list[Change]]
    settle_ns: int
    judged: bool
    wrong: set[int] = field(default_factory=set)  # elements of which something is wrong in the end
    decided: int = 0
    unsettled: int = 0

    def missing(self, say: Narrator) -> Findings:
        for element, changes in self._elements():
            for read in self._finals(element, there=False):
                add = self._survivor(changes, read)
                if add is not None:
                    self.wrong.add(element)
                    what = f"{say.whose(add.row)}{say.key(add.row, 'to')} was acknowledged {say.ended(add.row)}"
                    why = "and no remove of it can have seen that add"
                    yield [add.row, read.row], f"{what} {why}, but {_final(say, read)} does not have it"
                    break

    def resurrected(self, say: Narrator) -> Findings:
        for element, changes in self._elements():
            for read in self._finals(element, there=True):
                remove = self._last_remove(changes, read)
                if remove is not None:
                    self.wrong.add(element)
                    what = f"{say.whose(remove.row)}{say.key(remove.row, 'from')} succeeded {say.ended(remove.row)}"
                    why = "and each add of it had been acknowledged by a node that removed it later"
                    yield [remove.row, read.row], f"{what}, {why}, but {_final(say, read)} has it"
                    break

    def diverged(self, say: Narrator) -> Findings:
        finals = self.ending.finals if self.judged else ()
        for element, changes in self._elements():
            having = [read for at, read in enumerate(finals) if self.ending.has[at, element]]
            lacking = [read for at, read in enumerate(finals) if not self.ending.has[at, element]]
            if not having or not lacking or element in self.wrong:
                continue
            one, other = having[0], lacking[0]
            if all(self._settled(change, min(one.call, other.call)) for change in changes):
                self.wrong.add(element)
                what = f"the final reads differ about {text(self.facts.elements[element])}{say.key(one.row, 'of')}"
                why = "although nothing about it is in doubt"
                told = f"{what}, {why}: {_final(say, one)} has it, {_final(say, other)} does not"
                yield [one.row, other.row], told
            else:
                self.unsettled += 1

    def phantoms(self, say: Narrator) -> Findings:
        for row, stranger in self.facts.strangers:
            yield [row], _returned(say, row, stranger, ", which nobody ever added")
        for read, element in self.facts.too_early():
            add = int(self.facts.add_row[element])
            failed = self.facts.began[element] == FOREVER
            why = (
                f", although {say.whose(add)} had failed"
                if failed
                else f", before any add of it began {say.began(add)}"
            )
            yield [read.row, add], _returned(say, read.row, self.facts.elements[element], why)

    def duplicated(self, say: Narrator) -> Findings:
        for row, element in self.facts.repeats:
            yield [row], _returned(say, row, element, " more than once")

    def decide(self) -> int:
        """How many elements had to be there, or not to be there, in every final read."""
        finals = self.ending.finals if self.judged else ()
        return sum(
            bool(finals) and all(self._survivor(changes, read) or self._last_remove(changes, read) for read in finals)
            for changes in self.changes
        )

    def stale(self) -> int:
        """How many elements some earlier read lacked although an add of them had succeeded and no remove can have seen it."""
        reads = sorted(self.facts.reads, key=lambda read: read.call)
        found = 0
        for element, changes in enumerate(self.changes):
            if element in self.wrong:
                continue
            found += any(
                self._survivor(changes, read, settle_ns=0) is not None and not _has(read, element)
                for read in reads
                if changes and read.call > changes[0].call
            )
        return found

    # The rules

    def _elements(self) -> Iterator[tuple[int, list[Change]]]:
        return ((element, changes) for element, changes in enumerate(self.changes) if self.judged)

    def _finals(self, element: int, *, there: bool) -> Iterator[Read]:
        return (read for at, read in enumerate(self.ending.finals) if bool(self.ending.has[at, element]) == there)

    def _settled(self, change: Change, before: int, settle_ns: int | None = None) -> bool:
        """Whether the change had succeeded, and had time to reach everybody, before the row ``before``."""
        if change.ret >= before:
            return False
        times = self.calls.history.time_ns
        wait_ns = self.settle_ns if settle_ns is None else settle_ns
        return not wait_ns or int(times[change.ret]) + wait_ns <= int(times[before])

    def _survivor(self, changes: Sequence[Change], read: Read, settle_ns: int | None = None) -> Change | None:
        """An add that ``read`` must show: settled, and seen by no remove."""
        removes = [change for change in changes if not change.adds and change.call < read.ret]
        for add in changes:
            if (
                add.adds
                and self._settled(add, read.call, settle_ns)
                and all(remove.ret < add.call for remove in removes)
            ):
                return add
        return None

    def _last_remove(self, changes: Sequence[Change], read: Read) -> Change | None:
        """The last of the removes that have seen, between them, every add that can be there for ``read``; None if one may be unseen."""
        removes = [change for change in changes if not change.adds and self._settled(change, read.call)]
        last = None
        for add in (change for change in changes if change.adds and change.call < read.ret):
            seen = [r for r in removes if r.node == add.node != NO_KEY and add.ret < r.call]
            if not seen:
                return None
            last = max([*seen, *([last] if last else [])], key=lambda change: change.ret)
        return last


def _has(read: Read, element: int) -> bool:
    at = int(np.searchsorted(read.ids, element))
    return at < len(read.ids) and int(read.ids[at]) == element


def _final(say: Narrator, read: Read) -> str:
    return f"the final read of {say.who(read.row)} {say.span(read.row)}"


def _returned(say: Narrator, row: int, element: Any, how: str) -> str:
    return f"the read of {say.who(row)} that ended {say.ended(row)} returned {text(element)}{say.key(row, 'from')}{how}"


_FIND: Mapping[str, Callable[[_Set, Narrator], Findings]] = {
    LOST: _Set.missing,
    RESURRECTED: _Set.resurrected,
    DIVERGED: _Set.diverged,
    PHANTOM: _Set.phantoms,
    DUPLICATED: _Set.duplicated,
}


def _verdict(calls: Calls, sets: Sequence[_Set], doubt: str) -> Verdict:
    say = Narrator(calls)
    counts: Counter[str] = Counter()
    anomalies = []
    for kind, find in _FIND.items():
        for each in sets:
            for rows, reason in find(each, say):
                counts[kind] += 1
                if counts[kind] <= ANOMALIES_MAX:
                    ops = say.lines(rows)
                    anomalies.append(Anomaly(checker=NAME, name=kind, ops=ops, reason=reason, witness=ops))
    stats = _stats(calls, sets, counts)
    doubt = doubt or _doubt(sets, stats)
    if anomalies:
        told = "; ".join(f"{count(counts[kind], f'{kind} element')}" for kind in _FIND if counts[kind])
        validity, reason = Validity.INVALID, f"{told}: {anomalies[0].reason}"
    elif doubt:
        validity, reason = Validity.UNKNOWN, doubt
    else:
        reads = f"{count(stats['final_reads'], 'final read')} of {count(stats['nodes'], 'node')}"
        known = f"of {count(stats['elements'], 'element')} {stats['decided']:,} could have been shown in no other way"
        if stats["unsettled"]:
            known += f", and about {stats['unsettled']:,} they differ as operations of unknown outcome may have it"
        validity, reason = Validity.VALID, f"what {reads} returned is right; {known}"
    return Verdict(checker=NAME, validity=validity, reason=reason, anomalies=tuple(anomalies), stats=stats)


def _stats(calls: Calls, sets: Sequence[_Set], counts: Mapping[str, int]) -> dict[str, Any]:
    fs = np.array(calls.history.fs)[calls.f] if len(calls) else np.zeros(0, dtype=str)
    return {
        "nodes": len({place for each in sets for place in each.ending.places}),
        "elements": sum(len(each.facts.elements) for each in sets),
        "adds_ok": int(((fs == ADD) & (calls.outcome == OK)).sum()),
        "removes_ok": int(((fs == REMOVE) & (calls.outcome == OK)).sum()),
        "reads": sum(len(each.facts.reads) for each in sets),
        "final_reads": sum(len(each.ending.finals) for each in sets),
        "decided": sum(each.decide() for each in sets),
        "unsettled": sum(each.unsettled for each in sets),
        "never_read": sum(int((each.facts.acknowledged & (each.facts.seen < 0)).sum()) for each in sets),
        "stale": sum(each.stale() for each in sets),
        **{kind: counts[kind] for kind in _FIND},
    }


def _doubt(sets: Sequence[_Set], stats: Mapping[str, Any]) -> str:
    """Why agreement cannot be asserted; empty if it can."""
    if not stats["final_reads"]:
        return "there is no final read that succeeded, so nobody knows what the set held in the end"
    unread = sorted({place for each in sets for place in each.ending.unread()}, key=str)
    if unread:
        return f"no final read that can be judged tells what {listed(name(place) for place in unread)} held in the end"
    if not stats["adds_ok"]:
        return "no add was acknowledged, so nothing had to be there"
    if not stats["decided"]:
        return f"nobody can tell of any of {count(stats['elements'], 'element')} whether it had to be there in the end"
    return ""
