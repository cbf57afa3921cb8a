"""The checker ``health``: of instances that are probed, who answers is told to pass, who is silent is not, and watches tell every change.

A reading is wrong if it tells at no moment between its beginning and its end what may be told (``spans`` says when that is):

* ``phantom-instance``: it tells of an instance before it can have been registered, or of one that never was;
* ``ghost-instance``: of one that had been taken back, or that was gone once before;
* ``false-alarm``: it tells that an instance is critical, or leaves it out of the healthy, which has answered all probes for long enough;
* ``healthy-though-silent``: it tells that an instance passes which has been silent for too long, or which somebody was told before does not
  pass, and has been silent since;
* ``not-deregistered``: it tells of one that has been silent for so long that it must be gone;
* ``lost-instance``: it does not tell of one that was registered and had not been silent.

Whoever is left out of the healthy may also be deregistered: that is held against a registry only where it is known that it was not, since
the instance must be registered, or was told of later. Alarms on instances that answered, faults or not, are counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from checkers.findings import Findings, unknown
from checkers.health.facts import PASSING, Name, facts_of
from checkers.health.judge import Judge
from checkers.health.spans import quiet_of, spans_of
from checkers.health.watches import judge_watches
from checkers.registry.facts import Unjudgeable
from checkers.windows import windows_of
from checkers.wording import SECOND_NS, Narrator, count
from harness.history import History
from harness.verdict import Budget, Checker, Verdict

NAME = "health"
LATE_S = 3.0


def make(*, late_s: float = LATE_S, excused: bool = True) -> Checker:
    """Is who answers probes told to be healthy, and who is silent not? Options late_s: so much later a registry may tell so; excused:
    faults excuse what is told late or wrong.
    """
    return Health(late_s=late_s, excused=excused)


@dataclass(slots=True, kw_only=True)
class Health:
    """See the module."""

    late_s: float = LATE_S
    excused: bool = True
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            facts = facts_of(calls)
        except Unjudgeable as problem:
            return unknown(NAME, f"not a history of instances that are probed: {problem}")
        if len(history) and int(history.time_ns.min()) < 0:
            return unknown(NAME, "the history has no times, so nobody knows how long an instance was silent")
        found = Findings(NAME, Narrator(calls))
        judge = Judge(calls, facts, found)
        judge.strangers()
        quiet, late_ns = quiet_of(windows_of(history).faults), round(self.late_s * SECOND_NS)
        passed, certain, alarms, noticed_s = list[tuple[Name, int]](), 0, 0, list[float]()
        for named, life in facts.lives.items():
            judge.there(named, life)
            passed += [(named, sight.row) for sight in judge.seen(named) if sight.status == PASSING][:1]
            if life.check is None:
                continue
            spans = spans_of(calls, life, life.check, quiet, late_ns, excused=self.excused)
            judge.told(named, life, spans)
            judge.relapsed(named, life, spans)
            judge.left_out(named, life, spans)
            certain += judge.certain(named, life, spans)
            alarms += sum(judge.alarmed(named, span) for span in spans.answering)
            noticed_s += [s for span in spans.muted if (s := judge.noticed_s(named, span)) is not None]
        told = judge_watches(calls, facts, passed, found)
        readings = sum(map(len, facts.readings.values()))
        seen = sum(len(reading.told) for rows in facts.readings.values() for reading in rows)
        stats = {
            "instances": len(facts.lives),
            "readings": readings,
            "sightings": seen,
            "certain": certain,
            "changes": len(told),
            "watches": len(facts.watches),
            "alarms_on_the_answering": alarms,
            "silences_noticed": len(noticed_s),
            "noticed_after_median_s": float(np.median(noticed_s)) if noticed_s else None,
        }
        doubt = ""
        if not seen:
            doubt = "no reading told of an instance, so there was nothing to judge"
        elif not certain:
            doubt = "no reading came when another answer would have been wrong, so there was nothing to judge"
        made = f"told of {count(len(facts.lives), 'instance')} what {count(len(told), 'change')} made of them"
        fine = f"{count(readings, 'reading')} {made}; {count(certain, 'time')} another answer would have been wrong"
        return found.verdict(doubt=doubt, fine=fine, stats=stats)
