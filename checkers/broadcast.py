"""The checkers ``broadcast`` and ``g-set``: once everything is healed and quiet, does every node have every value?

Values are sent by ``broadcast`` (of a g-set: by ``add``) and returned by ``read``, as a list in any order (null is the empty one). A value
is *known* once a sending of it has succeeded or a read that returned it has ended, whichever came first. The promise (reliable broadcast,
uniform: Hadzilacos and Toueg 1994; of a grow-only set: strong eventual consistency, Shapiro 2011): what is known reaches every node. It has
``settle_s`` for that, from the heal and from when it was known. So judged are the *final reads* that begin ``settle_s`` after the heal,
each for the values that were known ``settle_s`` before it. By names:

* ``lost``: no final read has the value, although one should;
* ``undelivered``: some final reads have it, and one that should does not;
* ``phantom``: any read returned what nobody had sent by the time it ended, or what failed whenever it was sent;
* ``duplicated``: any read returned a value twice that was sent but once (of a set: that is in it at all).

Whoever reads before may find a value missing: such values are *stale*, and how long that went on is the *stable latency* (Jepsen's
set-full): from when the value was known to the beginning of the last read without it; 0 if there was none.

Every node that clients spoke to must have been read in the end, or nobody knows what it held: unknown. Where a history has no nodes,
every process that reads in the end stands for one, and none can be missed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checkers.finals import is_final
from checkers.replicas import Ending, ending_of
from checkers.set_facts import ADD, READ, Facts, Mask, Unjudgeable
from checkers.settling import unhealed, untimed
from checkers.windows import windows_of
from checkers.wording import Narrator, count, listed, name, text
from harness.errors import PlanError
from harness.history import FOREVER, Calls, History
from harness.interning import identity
from harness.samples import quantiles
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

BROADCAST, G_SET = "broadcast", "g-set"
LOST, UNDELIVERED, PHANTOM, DUPLICATED = "lost", "undelivered", "phantom", "duplicated"
# Nobody promises to deliver at once. A workload must stay quiet for so long before its final reads, or nothing can be judged.
SETTLE_S = 1.0
MILLISECOND_NS = 1_000_000
# Of each name this many anomalies are told, and of each so many nodes; counts are of all.
ANOMALIES_MAX, NODES_SHOWN_MAX = 8, 5

Findings = Iterator[tuple[Sequence[int], str]]  # rows of the calls that show an anomaly, and the sentence


def make(*, settle_s: float = SETTLE_S) -> Checker:
    """Is every value that was acknowledged on every node in the end? Option settle_s: how long after the heal, and after it was known.

    Raises PlanError for a time below 0.
    """
    return Delivery(name=BROADCAST, send=BROADCAST, settle_s=_checked(settle_s))


def make_g_set(*, settle_s: float = SETTLE_S) -> Checker:
    """Is every element that was added in the set of every node in the end? Option settle_s: as for broadcast.

    Raises PlanError for a time below 0.
    """
    return Delivery(name=G_SET, send=ADD, settle_s=_checked(settle_s))


def _checked(settle_s: float) -> float:
    if not settle_s >= 0:
        raise PlanError(f"settle_s is {settle_s!r}; it is a time in seconds, from 0")
    return settle_s


@dataclass(slots=True, kw_only=True)
class Delivery:
    """See the module. ``send`` is the operation that sends a value."""

    name: str
    send: str
    settle_s: float = field(default=SETTLE_S)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            collections = self._facts(calls)
        except Unjudgeable as problem:
            return Verdict(checker=self.name, validity=Validity.UNKNOWN, reason=str(problem))
        doubt = unhealed(windows_of(history)) or untimed(history, self.settle_s)
        finals = np.flatnonzero(is_final(calls))
        endings = [ending_of(facts, calls, finals, windows_of(history), self.settle_s) for facts in collections]
        if doubt:
            endings = [ending.unjudged() for ending in endings]
        found = _Found(calls=calls, send=self.send, facts=collections, endings=endings)
        return self._verdict(found, doubt)

    def _facts(self, calls: Calls) -> list[Facts]:
        strange = sorted({calls.history.fs[code] for code in np.unique(calls.f).tolist()} - {self.send, READ})
        if strange:
            raise Unjudgeable(f"{self.name} has the operations {self.send} and read, not {listed(map(repr, strange))}")
        return [Facts(calls, key, self.send) for _, key in calls.by_key()]

    def _verdict(self, found: _Found, doubt: str) -> Verdict:
        say = Narrator(found.calls)
        counts: Counter[str] = Counter()
        anomalies = []
        for kind, findings in found.anomalies(say).items():
            for rows, reason in findings:
                counts[kind] += 1
                if counts[kind] <= ANOMALIES_MAX:
                    ops = say.lines(rows)
                    anomalies.append(Anomaly(checker=self.name, name=kind, ops=ops, reason=reason, witness=ops))
        stats = found.stats(counts)
        doubt = doubt or found.doubt(self.settle_s)
        if anomalies:
            validity, reason = Validity.INVALID, f"{_summary(stats)}: {anomalies[0].reason}"
        elif doubt:
            validity, reason = Validity.UNKNOWN, doubt
        else:
            validity, reason = Validity.VALID, _fine(stats)
        return Verdict(checker=self.name, validity=validity, reason=reason, anomalies=tuple(anomalies), stats=stats)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a history says of all its collections: their facts and their endings, in the same order."""

    calls: Calls
    send: str
    facts: list[Facts]
    endings: list[Ending]

    def anomalies(self, say: Narrator) -> dict[str, Findings]:
        return {
            LOST: self._missing(say, lost=True),
            UNDELIVERED: self._missing(say, lost=False),
            PHANTOM: self._phantoms(say),
            DUPLICATED: self._duplicated(say),
        }

    def _missing(self, say: Narrator, *, lost: bool) -> Findings:
        for facts, ending in zip(self.facts, self.endings, strict=True):
            for value in np.flatnonzero(ending.lost if lost else ending.undelivered).tolist():
                lacking = ending.lacking(value)
                first = self._known(say, facts, value)
                rows = [int(facts.add_row[value]), int(facts.known_row[value]), *lacking[:NODES_SHOWN_MAX]]
                where = _places(say, lacking)
                if lost:
                    told = f"{first}, but none of {count(len(ending.finals), 'final read')} has it, among them {where}"
                else:
                    having = ending.having(value)
                    rows.append(having)
                    verb = "does" if len(lacking) == 1 else "do"
                    told = f"{first}, and the final read of {say.who(having)} has it, but {where} {verb} not"
                yield [row for row in rows if row >= 0], told

    def _known(self, say: Narrator, facts: Facts, value: int) -> str:
        sent, read = int(facts.add_row[value]), int(facts.known_row[value])
        what = f"{say.whose(sent)}{say.key(sent, 'to')}"
        if facts.acked[value] < FOREVER:
            return f"{what} was acknowledged {say.ended(sent)}"
        return f"{what} was not acknowledged, but {say.who(read)} had read it {say.ended(read)}"

    def _phantoms(self, say: Narrator) -> Findings:
        for facts in self.facts:
            for row, stranger in facts.strangers:
                yield [row], _returned(say, row, stranger, ", which nobody ever sent")
            for read, value in facts.too_early():
                sent = int(facts.add_row[value])
                failed = facts.began[value] == FOREVER
                why = (
                    f", although {say.whose(sent)} had failed" if failed else f", before it was sent {say.began(sent)}"
                )
                yield [read.row, sent], _returned(say, read.row, facts.elements[value], why)

    def _duplicated(self, say: Narrator) -> Findings:
        for facts in self.facts:
            often = self._often_sent() if facts.repeats else set()
            for row, value in facts.repeats:
                if (int(self.calls.key[row]), identity(value)) not in often:
                    yield [row], _returned(say, row, value, " more than once")

    def _often_sent(self) -> set[Any]:
        """(key, value) of what was broadcast more than once, so that it may stand in a list as often. In a set it may not."""
        if self.send == ADD:
            return set()
        calls = self.calls
        sent = np.array([f == self.send for f in calls.history.fs], dtype=np.bool_)[calls.f]
        pairs = zip(calls.key[sent].tolist(), calls.argument[sent].tolist(), strict=True)
        times = Counter((key, identity(calls.history.values[code])) for key, code in pairs)
        return {pair for pair, often in times.items() if often > 1}

    def doubt(self, settle_s: float) -> str:
        """Why delivery cannot be asserted; empty if it can."""
        if not any(len(ending.finals) for ending in self.endings):
            return "there is no final read that succeeded, so nobody knows what arrived in the end"
        unread = sorted({place for ending in self.endings for place in ending.unread()}, key=str)
        if unread:
            return (
                f"no final read that can be judged tells what {listed(name(place) for place in unread)} held in the end"
            )
        total = sum(int(np.count_nonzero(facts.acknowledged)) for facts in self.facts)
        if not total:
            return f"no {self.send} was acknowledged, so nothing had to arrive"
        unjudged = sum(int(np.count_nonzero(ending.undecided)) for ending in self.endings)
        if unjudged:
            return (
                f"nothing is known of {unjudged:,} of {count(total, 'acknowledged value')}: "
                f"they were acknowledged less than {settle_s:g} s before the final reads"
            )
        return ""

    def stats(self, counts: Mapping[str, int]) -> dict[str, Any]:
        pairs = list(zip(self.facts, self.endings, strict=True))

        def total(masks: Iterator[Mask]) -> int:
            return sum(int(np.count_nonzero(mask)) for mask in masks)

        acknowledged = total(facts.acknowledged for facts in self.facts)
        missing = total((ending.lost | ending.undelivered) & facts.acknowledged for facts, ending in pairs)
        return {
            "nodes": len({place for ending in self.endings for place in ending.places}),
            "values": sum(len(facts.elements) for facts in self.facts),
            "reads": sum(len(facts.reads) for facts in self.facts),
            "final_reads": sum(len(ending.finals) for ending in self.endings),
            "acknowledged": acknowledged,
            "unknown": total(~facts.acknowledged & (facts.began < FOREVER) for facts in self.facts),
            "recovered": total(facts.recovered for facts in self.facts),
            "lost": counts[LOST],
            "undelivered": counts[UNDELIVERED],
            "missing_share": missing / acknowledged if acknowledged else 0.0,
            "never_read": total(facts.acknowledged & (facts.seen < 0) for facts in self.facts),
            "unjudged": total(ending.undecided for ending in self.endings),
            "stale": total(_stale(facts, ending) for facts, ending in pairs),
            "phantom": counts[PHANTOM],
            "duplicated": counts[DUPLICATED],
            "stable_latency_ms": self._stable_latency_ms(),
        }

    def _stable_latency_ms(self) -> Mapping[str, float]:
        times = self.calls.history.time_ns
        if not len(times) or int(times.min()) < 0:
            return {}
        waits = []
        for facts, ending in zip(self.facts, self.endings, strict=True):
            stable = (facts.seen >= 0) & ~ending.lost & ~ending.undelivered
            late = times[facts.missed] - times[np.minimum(facts.known, len(times) - 1)]
            waits.append(np.where(facts.missed >= 0, late, 0)[stable] / MILLISECOND_NS)
        return quantiles(np.concatenate(waits)) if waits else {}


def _stale(facts: Facts, ending: Ending) -> Mask:
    """The values that some read lacked although they were known, and that arrived in the end."""
    found: Mask = (facts.missed >= 0) & ~ending.lost & ~ending.undelivered
    return found


def _places(say: Narrator, rows: Sequence[int]) -> str:
    """``that of process 0 on n2 (...) and that of process 1 on n3 (...)``, and how many more."""
    shown = [f"that of {say.who(row)} {say.span(row)}" for row in rows[:NODES_SHOWN_MAX]]
    if len(rows) > NODES_SHOWN_MAX:
        shown.append(f"those of {len(rows) - NODES_SHOWN_MAX:,} more")
    return listed(shown)


def _returned(say: Narrator, row: int, value: Any, how: str) -> str:
    return f"the read of {say.who(row)} that ended {say.ended(row)} returned {text(value)}{say.key(row, 'from')}{how}"


def _summary(stats: Mapping[str, Any]) -> str:
    """How much of what is wrong, in one clause per name."""
    share = f" ({100 * stats['missing_share']:.3g} % of those acknowledged)" if stats["missing_share"] else ""
    parts = []
    missing = [
        (LOST, f"{count(stats[LOST], 'value')} lost"),
        (UNDELIVERED, f"{count(stats[UNDELIVERED], 'value')} not on every node"),
    ]
    parts += [words for kind, words in missing if stats[kind]]
    if parts:
        parts[-1] += share
    if stats[PHANTOM]:
        parts.append(f"{count(stats[PHANTOM], 'phantom value')}")
    if stats[DUPLICATED]:
        parts.append(f"{count(stats[DUPLICATED], 'value')} duplicated")
    return "; ".join(parts)


def _fine(stats: Mapping[str, Any]) -> str:
    everywhere = f"{count(stats['acknowledged'], 'acknowledged value')} arrived everywhere"
    seen = [f"{count(stats['final_reads'], 'final read')} of {count(stats['nodes'], 'node')}"]
    if stats["unknown"]:
        seen.append(f"{stats['recovered']:,} of {stats['unknown']:,} of unknown outcome took effect")
    worst = stats["stable_latency_ms"].get("1")
    if worst:
        seen.append(f"the slowest was still missing somewhere after {worst / 1000:,.3f} s")
    return f"{everywhere} ({'; '.join(seen)})"
