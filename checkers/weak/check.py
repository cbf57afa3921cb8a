"""The checker ``weak``: is a history of registers pram, causal, causal-memory, causal-convergence or sequential?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from checkers.linearizable.encode import Unjudgeable
from checkers.linearizable.models import CAS_REGISTER
from checkers.linearizable.shrink import shrink
from checkers.substance import lack
from checkers.weak.reads_from import NONE, Sessions, Unseen, sessions_of
from checkers.weak.relations import relation, saturate
from checkers.weak.sequential import find_order
from checkers.wording import Narrator, count
from harness.errors import PlanError, suggest
from harness.history import Calls, History, Ints
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "weak"
# Operations times sessions: the table of who reaches whom.
CELLS_MAX = 50_000_000
# Calls judged anew for a smaller witness, in all; longer histories keep the cycle itself.
SHRINK_CALLS_MAX = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a model says: the operations that refute it, in order; or why nothing is known."""

    cycle: Sequence[int] | None = None
    doubt: str = ""
    rule: str = ""


def make(*, model: str = "sequential") -> Checker:
    """Does some order explain all reads? Option model: see the package. Raises PlanError for an unknown one."""
    if model not in MODELS:
        raise PlanError(f"unknown model {model!r}: {suggest(model, MODELS)}")
    return Weak(model=model)


@dataclass(slots=True, kw_only=True)
class Weak:
    """See the module."""

    model: str
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            s = sessions_of(calls)
            found = _judge(self.model, s, budget)
        except Unjudgeable as problem:
            return self._verdict(Validity.UNKNOWN, str(problem), calls)
        except Unseen as unseen:
            return self._phantom(calls, unseen.row)
        if found.cycle is not None:
            anomaly = _anomaly(s, found)
            return self._verdict(Validity.INVALID, anomaly.reason, calls, anomaly)
        if found.doubt:
            return self._verdict(Validity.UNKNOWN, found.doubt, calls)
        if doubt := lack(calls, blind=CAS_REGISTER.blind, reads=CAS_REGISTER.reads):
            return self._verdict(Validity.UNKNOWN, doubt, calls)
        what = f"{count(len(calls), 'operation')} of {count(max(0, s.sessions - 1), 'session')}"
        return self._verdict(Validity.VALID, f"{what} can be explained (model {self.model})", calls)

    def _phantom(self, calls: Calls, row: int) -> Verdict:
        say = Narrator(calls)
        reason = f"{say.whose(row)}{say.key(row, 'from')} {say.span(row)} saw what nobody ever wrote"
        lines = say.lines([row])
        anomaly = Anomaly(checker=NAME, name="phantom-read", ops=lines, reason=reason, witness=lines)
        return self._verdict(Validity.INVALID, reason, calls, anomaly)

    def _verdict(self, validity: Validity, reason: str, calls: Calls, *anomalies: Anomaly) -> Verdict:
        stats = {"model": self.model, "operations": len(calls)}
        return Verdict(checker=NAME, validity=validity, reason=reason, anomalies=anomalies, stats=stats)


def _judge(model: str, s: Sessions, budget: Budget) -> Found:
    if len(s) * s.sessions > CELLS_MAX:
        raise Unjudgeable(f"{count(len(s), 'operation')} of {count(s.sessions, 'session')} are too many for this model")
    return MODELS[model](s, budget)


def _anomaly(s: Sessions, found: Found) -> Anomaly:
    assert found.cycle is not None
    say = Narrator(s.calls)
    rows = [int(s.row[i]) for i in found.cycle if s.row[i] != NONE]
    told = "; then ".join(f"{say.whose(row)}{say.key(row, 'on')} {say.span(row)}" for row in rows[:6])
    more = f"; and {len(rows) - 6} more" if len(rows) > 6 else ""
    reason = f"{found.rule}: {told}{more}; then the first again"
    # With every read what it saw, so that the lines can be judged by themselves.
    seen = [int(s.row[s.source[i]]) for i in found.cycle if s.source[i] != NONE and s.row[s.source[i]] != NONE]
    readers = [int(s.row[i]) for i in found.cycle]
    witness = say.lines(sorted({row for row in (*readers, *seen) if row != NONE}))
    return Anomaly(checker=NAME, name="cyclic-order", ops=say.lines(rows[:6]), reason=reason, witness=witness)


def _reads(s: Sessions, session: int | None = None) -> Ints:
    mask = s.source != NONE
    return np.flatnonzero(mask if session is None else mask & (s.session == session))


def _causal(s: Sessions, _budget: Budget, *, converging: bool = False) -> Found:
    """No write may lie, in causal order, between a read and what it saw; ``converging``: nor may writes of one key be
    ordered both ways by what reads hid.
    """
    rule = "each of these operations causally precedes the next"
    whole = relation(s, np.ones(len(s), dtype=np.bool_), seen_by=_reads(s))
    cycle = whole.close()
    if cycle is not None:
        return Found(cycle=cycle, rule=rule)
    hidden = []
    for read in _reads(s).tolist():
        source = int(s.source[read])
        for other in whole.hidden(read):
            hidden.append((other, source))
            if whole.precedes(source, other):
                rule = "a read saw what a later write that it knows of had replaced"
                return Found(cycle=[source, other, read], rule=rule)
    if converging:
        whole.add(hidden)
        cycle = whole.close()
        if cycle is not None:
            return Found(
                cycle=cycle, rule="each of these operations must come before the next, for all that ever agree"
            )
    return Found()


def _converging(s: Sessions, budget: Budget) -> Found:
    return _causal(s, budget, converging=True)


def _causal_memory(s: Sessions, budget: Budget) -> Found:
    """Causal, and every session has an order of its causal past that explains its own reads."""
    found = _causal(s, budget)
    if found.cycle is not None:
        return found
    everyone = np.ones(len(s), dtype=np.bool_)
    whole = relation(s, everyone, seen_by=_reads(s))
    whole.close()
    steps = 0
    for session in range(1, s.sessions):
        last = int(s.starts[session + 1]) - 1
        past = s.place < whole.reach[last][s.session]
        mine = relation(s, past, seen_by=_reads(s)[past[_reads(s)]])
        cycle = saturate(mine, _reads(s, session), overtaking=False, steps_max=budget.steps_max - steps)
        steps += mine.steps
        if cycle is not None:
            return Found(cycle=cycle, rule="for one process each of these operations must come before the next")
        if steps >= budget.steps_max:
            return Found(doubt=f"undecided within the budget of {budget.steps_max:,} steps, at session {session}")
    return Found()


def _pram(s: Sessions, budget: Budget) -> Found:
    """Every session has an order of its reads and all writes that keeps the order of every session."""
    steps = 0
    for session in range(1, s.sessions):
        present = (s.source == NONE) | (s.session == session)
        mine = relation(s, present, seen_by=_reads(s, session))
        cycle = saturate(mine, _reads(s, session), overtaking=False, steps_max=budget.steps_max - steps)
        steps += mine.steps
        if cycle is not None:
            return Found(cycle=cycle, rule="for one process each of these operations must come before the next")
        if steps >= budget.steps_max:
            return Found(doubt=f"undecided within the budget of {budget.steps_max:,} steps, at session {session}")
    return Found()


def _sequential(s: Sessions, budget: Budget) -> Found:
    whole = relation(s, np.ones(len(s), dtype=np.bool_), seen_by=_reads(s))
    cycle = saturate(whole, _reads(s), overtaking=True, steps_max=budget.steps_max)
    if cycle is not None:
        return Found(cycle=cycle, rule="in any one order each of these operations must come before the next")
    order, certain = find_order(s, whole, budget.steps_max)
    if order is not None:
        return Found()
    if not certain:
        return Found(doubt=f"neither an order nor a contradiction was found within {budget.steps_max:,} steps")
    if len(s) > SHRINK_CALLS_MAX:
        return Found(cycle=range(len(s)), rule="no one order of all operations explains every read")
    return Found(cycle=_smallest(s, budget), rule="no one order of these operations explains every read")


def _smallest(s: Sessions, budget: Budget) -> list[int]:
    """The fewest operations without an order; with every read stays what it saw."""

    def broken(part: list[int]) -> list[int] | None:
        kept = set(part)
        kept = {i for i in kept if s.source[i] == NONE or int(s.source[i]) in kept}
        rows = np.array(sorted(int(s.row[i]) for i in kept if s.row[i] != NONE), dtype=np.int64)
        mask = np.zeros(len(s.calls), dtype=np.bool_)
        mask[rows] = True
        try:
            smaller = sessions_of(s.calls.where(mask))
        except Unseen:
            return None
        whole = relation(smaller, np.ones(len(smaller), dtype=np.bool_), seen_by=_reads(smaller))
        if saturate(whole, _reads(smaller), overtaking=True, steps_max=budget.steps_max) is not None:
            return sorted(kept)
        order, certain = find_order(smaller, whole, 10_000)
        return sorted(kept) if order is None and certain else None

    return shrink(list(range(len(s))), broken)


MODELS: dict[str, Callable[[Sessions, Budget], Found]] = {
    "pram": _pram,
    "causal": _causal,
    "causal-memory": _causal_memory,
    "causal-convergence": _converging,
    "sequential": _sequential,
}
