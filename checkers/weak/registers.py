"""The checker ``weak-registers``: are registers regular, or at least safe, by real time?

Source: Lamport, "On Interprocess Communication" (1986), for one writer; for several as MWR-weak of Shao, Welch,
Pierce, Lee, "Multiwriter Consistency Conditions for Shared Memory Registers" (2011): a read of a *regular* register
returns what a write wrote that began before the read ended and that no write had replaced before the read began. A
read of a *safe* register must do so only if no write overlaps it. Keys are judged one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from checkers.linearizable import patterns
from checkers.linearizable.encode import NOTHING, RegisterOps, Unjudgeable, encode
from checkers.linearizable.models import CAS_REGISTER, RegisterForm
from checkers.linearizable.sources import Sources
from checkers.substance import lack
from checkers.wording import Narrator, count, listed
from harness.errors import PlanError, suggest
from harness.history import Calls, History, Ints
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "weak-registers"
MODELS = ("regular", "safe")
ANOMALIES_MAX = 8


def make(*, model: str = "regular") -> Checker:
    """Does every read return what it may? Option model: regular or safe. Raises PlanError for another one."""
    if model not in MODELS:
        raise PlanError(f"unknown model {model!r}: {suggest(model, MODELS)}")
    return WeakRegisters(model=model)


@dataclass(slots=True, kw_only=True)
class WeakRegisters:
    """See the module."""

    model: str
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        stats = {"model": self.model, "operations": len(calls)}
        form = CAS_REGISTER.register
        assert form is not None
        try:
            ops = _encoded(calls, form)
        except Unjudgeable as problem:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=str(problem), stats=stats)
        say, anomalies, wrong = Narrator(calls), list[Anomaly](), 0
        order = np.argsort(ops.key, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(ops.key[order])) + 1) if len(order) else []:
            one = ops.register(part)
            sources = Sources(one)
            orphans = sources.orphans()
            if self.model == "safe":
                orphans = orphans[~_overlapped(one, orphans)]
            wrong += len(orphans)
            for orphan in orphans[: ANOMALIES_MAX - len(anomalies)].tolist():
                told = patterns.orphan(patterns.Case(ops=one, form=form, sources=sources, say=say), [orphan])
                assert told is not None
                lines = say.lines([*(int(one.row[i]) for i in told.shows), *told.failed])
                anomalies.append(Anomaly(checker=NAME, name=told.name, ops=lines, reason=told.sentence, witness=lines))
        if anomalies:
            more = f" (and {count(wrong - 1, 'more read')})" if wrong > 1 else ""
            reason, validity = anomalies[0].reason + more, Validity.INVALID
        elif doubt := lack(calls, blind=CAS_REGISTER.blind, reads=CAS_REGISTER.reads):
            reason, validity = doubt, Validity.UNKNOWN
        else:
            reason, validity = (
                f"every read of {count(len(calls), 'operation')} saw what it may (model {self.model})",
                Validity.VALID,
            )
        return Verdict(checker=NAME, validity=validity, reason=reason, anomalies=tuple(anomalies), stats=stats)


def _encoded(calls: Calls, form: RegisterForm) -> RegisterOps:
    odd = [calls.history.fs[code] for code in np.unique(calls.f) if calls.history.fs[code] not in CAS_REGISTER.fs]
    if odd:
        raise Unjudgeable(f"this model is of registers, but the history also has {listed(map(repr, odd))}")
    return encode(calls, form)


def _overlapped(ops: RegisterOps, reads: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of these operations overlap a write, or what may be one."""
    writes = np.flatnonzero(ops.made != NOTHING)
    begun = np.searchsorted(ops.call[writes], ops.ret[reads])  # in invocation order already
    ended = np.searchsorted(np.sort(ops.ret[writes]), ops.call[reads])
    return np.asarray(begun > ended)
