"""The checker ``coherence`` of a shared memory: one writer or many readers at any time, and one order of writes per location. By names:

* ``two-writers``: two nodes may write one location at once (or both own it); ``reader-beside-writer``: one may write it while another
  may read it. By what the nodes log of their caches (see ``owners``); nodes that log nothing are judged by what clients see alone;
* ``incoherent``: no order of the writes to a location explains what every process saw there (see ``orders``);
* ``future-read``: a process read what it wrote only later; ``phantom``: one read what nobody wrote.

Operations are ``read`` and ``write`` of a location (the key); all others are left to other checkers. Times of logs are compared between
nodes: where these have clocks of their own, ``slack_s`` says for how many seconds two may seem to clash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from checkers.findings import Findings, unknown
from checkers.memory import orders, owners
from checkers.memory.orders import READ, WRITE, Location, location_of
from checkers.memory.owners import OWNERS, Logs, clashes, spells_of
from checkers.windows import windows_of
from checkers.wording import SECOND_NS, Narrator, count, name, text
from harness.history import NO_KEY, Calls, History
from harness.verdict import Budget, Checker, Verdict

NAME = "coherence"
TWO_WRITERS, READER_BESIDE_WRITER = "two-writers", "reader-beside-writer"
INCOHERENT, FUTURE, PHANTOM = "incoherent", "future-read", "phantom"


def make(*, slack_s: float = 0.0) -> Checker:
    """One writer or many readers at any time, and one order of writes per location? Option slack_s: how far nodes' clocks may differ."""
    return Coherence(slack_s=slack_s)


@dataclass(slots=True, kw_only=True)
class Coherence:
    """See the module. Satisfies ``harness.verdict.ReadsNodeLogs``; a history may do without logs."""

    slack_s: float = 0.0
    logs: Logs = field(default_factory=dict)
    name: str = field(default=NAME, init=False)

    def with_logs(self, logs: Logs) -> Checker:
        return replace(self, logs=logs)

    def check(self, history: History, budget: Budget) -> Verdict:
        whole = history.calls()
        calls = whole.where(np.isin(whole.f, [code for code, f in enumerate(history.fs) if f in (READ, WRITE)]))
        found = Findings(NAME, Narrator(whole))
        try:
            spells = spells_of(self.logs, windows_of(history), self._end_s(history))
            locations = [_judge(mine, key, found) for key, mine in calls.by_key()]
        except (orders.Unjudgeable, owners.Unjudgeable, TypeError, ValueError) as problem:
            return unknown(NAME, f"not a record of a shared memory: {problem}")
        for one, other in clashes(spells, self.slack_s):
            both = TWO_WRITERS if {one.state, other.state} <= OWNERS else READER_BESIDE_WRITER
            first = f"{name(one.node)} held {name(one.location)} in state {one.state} from {one.since_s:.6g} s to {one.until_s:.6g} s"
            found.add(
                both,
                [],
                f"{first}, but {name(other.node)} held it in state {other.state} from {other.since_s:.6g} s on",
            )
        stats = {
            "locations": len(locations),
            "reads": sum(location.reads for location in locations),
            "writes": sum(len(location.writes) for location in locations),
            "spells": len(spells),
            "locations_in_caches": len({text(spell.location) for spell in spells}),
        }
        return found.verdict(doubt=_doubt(stats), fine=_fine(stats), stats=stats)

    def _end_s(self, history: History) -> float:
        """When the last line was written, of the history or of a log."""
        logged = (line["t"] for lines in self.logs.values() for line in lines if isinstance(line.get("t"), int | float))
        return float(max(np.max(history.time_ns, initial=0) / SECOND_NS, *logged, 0.0))


def _doubt(stats: Mapping[str, Any]) -> str:
    if not stats["reads"] or not stats["writes"]:
        return "no read and no write of a location succeeded together, so there was nothing to judge"
    return ""


def _fine(stats: Mapping[str, Any]) -> str:
    orders_found = (
        f"one order of {count(stats['writes'], 'write')} explains {count(stats['reads'], 'read')}, location by location"
    )
    if not stats["spells"]:
        return f"{orders_found}; nodes told nothing of their caches"
    caches = count(stats["locations_in_caches"], "location")
    return f"{orders_found}; {caches} had one writer or many readers at any time"


def _judge(mine: Calls, key: int, found: Findings) -> Location:
    """Judge one location; ``found`` hears of it, by rows of the whole history's calls."""
    location = location_of(mine, None if key == NO_KEY else mine.history.keys[key])
    rows = np.searchsorted(found.say.calls.call, mine.call)
    say = found.say
    for at in location.strangers:
        row = int(rows[at])
        found.add(
            PHANTOM, [row], f"{say.whose(row)}{say.key(row, 'from')} {say.span(row)} returned what nobody wrote there"
        )
    for read, write in location.early:
        row = int(rows[read])
        why = f"which it wrote only {say.began(int(rows[write]))}"
        found.add(
            FUTURE,
            [row, int(rows[write])],
            f"{say.whose(row)}{say.key(row, 'from')} {say.span(row)} returned a value {why}",
        )
    if location.circle:
        parts = [_saying(say, int(rows[one]), int(rows[other])) for one, other in location.circle]
        whole = (
            f"no order of the writes{say.key(int(rows[location.circle[0][0]]), 'to')} explains all: {'; '.join(parts)}"
        )
        found.add(INCOHERENT, sorted({int(rows[row]) for pair in location.circle for row in pair}), whole)
    return location


def _saying(say: Narrator, one: int, other: int) -> str:
    if one == other:
        return f"before {say.whose(one)} {say.span(one)} stands null, which is there before all writes"
    return f"{say.whose(one)} {say.span(one)} came before its {say.what(other)} {say.span(other)}"
