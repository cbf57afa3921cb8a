"""The checker ``set``: a set to which elements are only ever added. Of what was acknowledged, how much is gone?

Operations are add (the element) and read (a list in any order; null is the empty set), per key. An element is *known* once an add of it
has succeeded or a read that returned it has ended, whichever came first. Then, by names (Jepsen's checkers set and set-full):

* ``lost``: it was known, and a read that began after that and after every read that returned it had ended does not return it;
* ``stale``: it was known, and a read that began after that does not return it; but it is not lost, for it came (back) later;
* ``unexpected``: a read returned it that ended before any add of it began, or of which all adds failed, or which has none;
* ``duplicated``: one read returned it twice;
* ``recovered``: whether its add succeeded is unknown, but it was read. That is no anomaly, and neither is its absence.

A set that is but eventually consistent may be stale. One that is ``linearizable`` may not, and two more anomalies are then looked for, so
that the verdict is exactly linearizability:

* ``fork``: two reads, each of which lacks what the other returned: no order of them explains both;
* ``reordered``: a read returned an element and lacks another whose add had succeeded before the add of the first one began.

(Why that is all: a legal order exists iff the relation "comes before" has no cycle, where an add comes before the reads that return its
element and after those that lack it, and what has ended comes before what begins later. Reads without forks stand in a chain of ever
larger sets, each element's add just before the first read that returns it. What breaks that order is a later member that had ended before
an earlier one began; for each of the four pairs of add and read that is one of the names above.)

An acknowledged element after which no read began is unjudged, and the verdict unknown at best.

A difference to Jepsen: there the last read to begin decides between lost and stale, even if a read that overlaps it returned the element.
Here such an element is stale. And duplicates are found: Jepsen's set-full looks for elements that occur less than once.

The time is linear in the number of adds plus the elements of all distinct reads, plus a few vector operations per read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.set_facts import ADD, READ, Facts, Unjudgeable
from checkers.substance import lack
from checkers.wording import Narrator, count, listed, text
from harness.history import FOREVER, Calls, History
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "set"
LOST, UNEXPECTED, DUPLICATED, STALE, FORK, REORDERED = "lost", "unexpected", "duplicated", "stale", "fork", "reordered"
# Of each name this many anomalies are shown; counts are of all.
SHOWN_MAX = 8
QUANTILES = (0.5, 0.95, 0.99, 1.0)
MILLISECOND_NS = 1_000_000


def make(*, linearizable: bool = False) -> Checker:
    """Is every acknowledged element still in the set? Option linearizable: must every read be up to date, too?"""
    return Sets(linearizable=linearizable)


@dataclass(slots=True, kw_only=True)
class Sets:
    """See the module."""

    linearizable: bool = False
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            keys = _keys(calls)
        except Unjudgeable as problem:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=str(problem))
        say = Narrator(calls)
        counts: Counter[str] = Counter()
        anomalies = []
        for name, find in (_ALWAYS | _LINEARIZABLE if self.linearizable else _ALWAYS).items():
            for facts in keys:
                for rows, reason in find(facts, say):
                    counts[name] += 1
                    if counts[name] <= SHOWN_MAX:
                        ops = say.lines(rows)
                        anomalies.append(Anomaly(checker=NAME, name=name, ops=ops, reason=reason, witness=ops))
        return _verdict(calls, keys, counts, anomalies)


def _keys(calls: Calls) -> list[Facts]:
    strange = sorted({calls.history.fs[code] for code in np.unique(calls.f).tolist()} - {ADD, READ})
    if strange:
        raise Unjudgeable(
            f"a set has the operations add and read, but the history also has {listed(map(repr, strange))}"
        )
    return [Facts(calls, key) for _, key in calls.by_key()]


# The anomalies of each name: rows of the calls that show one, and the sentence.

Findings = Iterator[tuple[Sequence[int], str]]


def _lost(facts: Facts, say: Narrator) -> Findings:
    for element in np.flatnonzero(facts.lost).tolist():
        add, seen, missed = (int(row[element]) for row in (facts.add_row, facts.seen_row, facts.missed_row))
        acked = facts.acked[element] < FOREVER
        what = f"{say.whose(add)}{say.key(add, 'to')}"
        what += f" succeeded {say.ended(add)}" if acked else ", of which the outcome is unknown, took effect"
        if seen >= 0:
            what += f" and {_read(say, seen)} returned it {say.ended(seen)}"
        rows = [row for row in (add, seen, missed) if row >= 0]
        yield rows, f"{what}, but {_read(say, missed)} that began {say.began(missed)} does not return it"


def _stale(facts: Facts, say: Narrator) -> Findings:
    for element in np.flatnonzero(facts.stale).tolist():
        add, known, missed = (int(row[element]) for row in (facts.add_row, facts.known_row, facts.missed_row))
        if known < 0:
            what = f"{say.whose(add)}{say.key(add, 'to')} succeeded {say.ended(add)}"
        else:
            what = f"{_read(say, known)} returned {text(facts.elements[element])}{say.key(known, 'from')} {say.ended(known)}"
        rows = [row for row in (add, known, missed) if row >= 0]
        yield rows, f"{what}, but {_read(say, missed)} that began {say.began(missed)} does not return it"


def _unexpected(facts: Facts, say: Narrator) -> Findings:
    for row, stranger in facts.strangers:
        yield [row], _returned(say, row, stranger, ", which nobody ever added")
    for read, element in facts.too_early():
        add = int(facts.add_row[element])
        failed = facts.began[element] == FOREVER
        why = f", although {say.whose(add)} had failed" if failed else f", before any add of it began {say.began(add)}"
        yield [read.row, add], _returned(say, read.row, facts.elements[element], why)


def _duplicated(facts: Facts, say: Narrator) -> Findings:
    for row, element in facts.repeats:
        yield [row], _returned(say, row, element, " more than once")


def _fork(facts: Facts, say: Narrator) -> Findings:
    for one, other, mine, theirs in facts.forks():
        x, y = text(facts.elements[mine]), text(facts.elements[theirs])
        first = (
            f"{_read(say, one.row)} that ended {say.ended(one.row)} returned {x} but not {y}{say.key(one.row, 'from')}"
        )
        second = f"{_read(say, other.row)} that ended {say.ended(other.row)} returned {y} but not {x}"
        yield [one.row, other.row], f"{first}, and {second}"


def _reordered(facts: Facts, say: Narrator) -> Findings:
    for read, there, absent in facts.reordered():
        earlier, later = int(facts.add_row[absent]), int(facts.add_row[there])
        returned = _returned(say, read.row, facts.elements[there], f" but not {text(facts.elements[absent])}")
        order = f"although the add of the latter had succeeded {say.ended(earlier)}, before that of the former began"
        yield [read.row, earlier, later], f"{returned}, {order}"


def _read(say: Narrator, row: int) -> str:
    return f"process {say.calls.process[row]}'s read"


def _returned(say: Narrator, row: int, element: Any, how: str) -> str:
    return f"{_read(say, row)} that ended {say.ended(row)} returned {text(element)}{say.key(row, 'from')}{how}"


_ALWAYS: dict[str, Callable[[Facts, Narrator], Findings]] = {
    LOST: _lost,
    UNEXPECTED: _unexpected,
    DUPLICATED: _duplicated,
}
_LINEARIZABLE: dict[str, Callable[[Facts, Narrator], Findings]] = {STALE: _stale, FORK: _fork, REORDERED: _reordered}


# The verdict


def _verdict(calls: Calls, keys: Sequence[Facts], counts: Mapping[str, int], anomalies: Sequence[Anomaly]) -> Verdict:
    stats = _stats(calls.history, keys, counts)
    acknowledged, unjudged = stats["acknowledged"], stats["unjudged"]
    if anomalies:
        example = "for example, " if sum(counts.values()) > 1 else ""
        validity, reason = Validity.INVALID, f"{_summary(stats, counts)}: {example}{anomalies[0].reason}"
    elif unjudged:
        validity = Validity.UNKNOWN
        adds = count(acknowledged, "acknowledged add")
        reason = f"nothing is known of {unjudged:,} of {adds}: no read that succeeded began after them"
    elif doubt := lack(calls, blind={ADD}, reads={READ}):
        validity, reason = Validity.UNKNOWN, doubt
    else:
        validity, reason = Validity.VALID, _fine(stats)
    return Verdict(checker=NAME, validity=validity, reason=reason, anomalies=tuple(anomalies), stats=stats)


def _summary(stats: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    """How much of what is wrong, in one clause per name."""
    acknowledged, lost = stats["acknowledged"], stats["lost_acknowledged"]
    parts = []
    if lost:
        parts.append(f"lost {lost:,} of {count(acknowledged, 'acknowledged add')} ({100 * stats['lost_share']:.3g} %)")
    if counts[LOST] > lost:
        parts.append(f"lost {count(counts[LOST] - lost, 'element')} that had been read but not acknowledged")
    words = {
        UNEXPECTED: "unexpected element",
        DUPLICATED: "duplicated element",
        STALE: "stale element",
        FORK: "fork",
        REORDERED: "reordered element",
    }
    return "; ".join([*parts, *(count(counts[name], noun) for name, noun in words.items() if counts[name])])


def _fine(stats: Mapping[str, Any]) -> str:
    if not stats["acknowledged"]:
        return "no add was acknowledged, so none can be lost"
    seen = [count(stats["reads"], "read")]
    if stats["unknown"]:
        seen.append(f"{stats['recovered']:,} of {count(stats['unknown'], 'add')} of unknown outcome took effect")
    return f"nothing was lost of {count(stats['acknowledged'], 'acknowledged add')} ({'; '.join(seen)})"


def _stats(history: History, keys: Sequence[Facts], counts: Mapping[str, int]) -> dict[str, Any]:
    def total(of: Callable[[Facts], Any]) -> int:
        return sum(int(np.count_nonzero(of(facts))) for facts in keys)

    acknowledged = total(lambda facts: facts.acknowledged)
    lost = total(lambda facts: facts.lost & facts.acknowledged)
    return {
        "keys": len(keys),
        "elements": sum(len(facts.elements) for facts in keys),
        "reads": sum(len(facts.reads) for facts in keys),
        "acknowledged": acknowledged,
        "unknown": total(lambda facts: ~facts.acknowledged & (facts.began < FOREVER)),
        "recovered": total(lambda facts: facts.recovered),
        "unjudged": total(lambda facts: facts.unjudged),
        "never_read": total(lambda facts: facts.acknowledged & (facts.seen < 0)),
        "lost": total(lambda facts: facts.lost),
        "lost_acknowledged": lost,
        "lost_share": lost / acknowledged if acknowledged else 0.0,
        "stale": total(lambda facts: facts.stale),
        "unexpected": counts[UNEXPECTED],
        "duplicated": counts[DUPLICATED],
        "staleness_ms": _staleness_ms(history, keys),
    }


def _staleness_ms(history: History, keys: Sequence[Facts]) -> dict[str, float]:
    """How long after an element was known some read still began that did not return it; of all elements that were read and not lost."""
    times = history.time_ns
    if not len(times) or int(times.min()) < 0:
        return {}
    waits = [
        np.where(facts.stale, times[facts.missed] - times[np.minimum(facts.known, len(times) - 1)], 0)[
            (facts.seen >= 0) & ~facts.lost
        ]
        for facts in keys
    ]
    whole = np.concatenate(waits) if waits else np.zeros(0)
    if not len(whole):
        return {}
    found = np.quantile(whole, QUANTILES, method="inverted_cdf") / MILLISECOND_NS
    return {f"{quantile:g}": round(float(value), 6) for quantile, value in zip(QUANTILES, found, strict=True)}
