"""How far registers are from linearizable, as two numbers, exactly: k-atomicity and Δ-atomicity.

A register is *k-atomic* if some order of its operations respects real time, and every read returns one of the last k values
written before it; 1-atomic is linearizable. It is *Δ-atomic* if it is linearizable once every read may have begun Δ earlier
than it did. The least k and the least Δ say how stale reads must have been, in versions and in seconds. Both are local: the
number of a history is the worst of its keys.

Sources: Aiyer, Alvisi, Bazzi, "On the availability of non-strict quorum systems" (2005); Golab, Li, Shah, "Analyzing
consistency properties for fun and profit" (2011), whose Δ is taken: only reads move, writes and cas stay.

Δ is found by bisection in whole nanoseconds, with the checker of linearizability as the judge. k is counted up from what is
certain (see ``staleness``), with a register that remembers k values as the model of a search. Where the budget ends, bounds
are left.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from checkers.linearizable import generic, registers
from checkers.linearizable.check import Case, decide
from checkers.linearizable.encode import Unjudgeable
from checkers.linearizable.models import CAS_REGISTER, UNKNOWN, Model
from checkers.linearizable.tabled import Tabled
from checkers.staleness import measure
from checkers.substance import lack
from checkers.versions import versions_of
from checkers.wording import Narrator
from harness.errors import PlanError
from harness.history import FAIL, FOREVER, OK, Calls, History, Ints
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "atomicity"
TOO_STALE, NEVER = "too-stale", "never-atomic"
KEYS_LISTED_MAX = 100
SECOND_NS = 1_000_000_000


def make(*, k: int | None = None, seconds: float | None = None) -> Checker:
    """The least k and Δ for which every key is k-atomic and Δ-atomic. Options k and seconds: more than that is an anomaly.

    Raises PlanError for a k below 1, or seconds below 0.
    """
    if k is not None and (type(k) is not int or k < 1):
        raise PlanError(f"k is {k!r}; it is a whole number from 1, which means linearizable")
    if seconds is not None and not seconds >= 0:
        raise PlanError(f"seconds is {seconds!r}; a bound on staleness is a number from 0")
    return Atomicity(k=k, seconds=seconds)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least number that will do is one from ``low`` to ``high`` (None: nobody knows how much it takes)."""

    low: int
    high: int | None

    @property
    def exact(self) -> bool:
        return self.low == self.high

    def told(self, unit: int = 1) -> Any:
        """The number itself, or both bounds."""
        low, high = (None if n is None else n if unit == 1 else n / unit for n in (self.low, self.high))
        return low if self.exact else [low, high]


@dataclass(slots=True)
class Purse:
    """A budget, and what was spent of it."""

    budget: Budget
    spent: int = 0

    def rest(self) -> Budget:
        return replace(self.budget, steps_max=max(1, self.budget.steps_max - self.spent))


@dataclass(slots=True, kw_only=True)
class Atomicity:
    """See the module."""

    k: int | None = None
    seconds: float | None = None
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        try:
            return self._check(_registers_alone(history), Purse(budget))
        except Unjudgeable as problem:
            return Verdict(checker=NAME, validity=Validity.UNKNOWN, reason=str(problem))

    def _check(self, calls: Calls, purse: Purse) -> Verdict:
        timed = is_timed(calls)
        loosest, shown = relaxed(calls, 1 + int(_times(calls)[-1]))
        impossible = worst_of(loosest, purse)
        if _validity(impossible) is Validity.INVALID:
            anomaly = impossible.anomaly(Narrator(shown))
            anomaly = replace(anomaly, name=NEVER, reason=f"however stale reads may be: {anomaly.reason}")
            return _verdict(Validity.INVALID, anomaly.reason, {"k": None, "seconds": None}, [anomaly])
        ks = least_ks(calls, purse)
        delta = least_delta_ns(calls, purse) if timed else None
        highs = [bounds.high for bounds in ks.values()]
        k = Bounds(
            max(bounds.low for bounds in ks.values()),
            None if None in highs else max(high for high in highs if high is not None),
        )
        stats = {
            "k": k.told(),
            "seconds": None if delta is None else delta.told(SECOND_NS),
            "by_key": _by_key(calls, ks),
            "steps": purse.spent,
        }
        return self._judged(calls, purse, (k, ks, delta), stats)

    def _judged(
        self, calls: Calls, purse: Purse, found: tuple[Bounds, dict[int, Bounds], Bounds | None], stats: dict[str, Any]
    ) -> Verdict:
        k, ks, delta = found
        anomalies, doubts = list[Anomaly](), list[str]()
        if self.k is not None:
            if k.low > self.k:
                key = next(key for key, bounds in ks.items() if bounds.low > (self.k or 0))
                anomalies += [_beyond_k(calls, key, self.k, purse)]
            elif k.high is None or k.high > self.k:
                doubts.append(f"whether k is at most {self.k}")
        if self.seconds is not None:
            limit = int(self.seconds * SECOND_NS)
            if delta is not None and delta.low > limit:
                moved, shown = relaxed(calls, limit)
                anomaly = worst_of(moved, purse).anomaly(Narrator(shown))
                reason = f"even if reads may be {self.seconds:g} s out of date: {anomaly.reason}"
                anomalies.append(replace(anomaly, name=TOO_STALE, reason=reason))
            elif delta is None:
                return _verdict(Validity.UNKNOWN, "the history has no times, so seconds cannot be judged", stats)
            elif delta.high is None or delta.high > limit:
                doubts.append(f"whether Δ is at most {self.seconds:g} s")
        if anomalies:
            return _verdict(Validity.INVALID, anomalies[0].reason, stats, anomalies)
        if doubts:
            return _verdict(Validity.UNKNOWN, f"the budget ended before it was known {doubts[0]}", stats)
        known = k.exact and (delta is None or delta.exact)
        if not known and self.k is None and self.seconds is None:
            return _verdict(Validity.UNKNOWN, f"the budget ended with bounds alone: {_words(k, delta)}", stats)
        doubt = lack(calls, blind=CAS_REGISTER.blind, reads=CAS_REGISTER.reads)
        return _verdict(Validity.UNKNOWN if doubt else Validity.VALID, doubt or _words(k, delta), stats)


def _verdict(validity: Validity, reason: str, stats: dict[str, Any], anomalies: list[Anomaly] | None = None) -> Verdict:
    told = tuple(replace(anomaly, checker=NAME) for anomaly in anomalies or ())
    return Verdict(checker=NAME, validity=validity, reason=reason, anomalies=told, stats=stats)


def _registers_alone(history: History) -> Calls:
    """What may have happened. Raises Unjudgeable for what is no register's, and where nothing happened."""
    calls = history.calls()
    strange = [f for f in history.fs if f not in CAS_REGISTER.fs and (calls.f == history.fs.index(f)).any()]
    if strange:
        raise Unjudgeable(f"registers know read, write and cas, but the history also has {strange[0]!r}")
    calls = calls.where(calls.outcome != FAIL)
    if not len(calls):
        raise Unjudgeable("nothing happened that could be judged")
    return calls


def is_timed(calls: Calls) -> bool:
    times = calls.history.time_ns
    return len(times) > 0 and int(times.min()) >= 0 and int(times.max()) > 0


def _times(calls: Calls) -> Ints:
    """Per row of the history, ascending: a foreign one may have two clocks, and then its order counts; or none at all."""
    history = calls.history
    return np.maximum.accumulate(history.time_ns) if is_timed(calls) else np.arange(len(history))


def relaxed(calls: Calls, delta_ns: int) -> tuple[Calls, Calls]:
    """The calls as if every read that returned had begun ``delta_ns`` earlier, with new positions; and as they were, in that order.

    What then began at the moment at which something else ended is concurrent with it.
    """
    if delta_ns == 0:
        return calls, calls
    history = calls.history
    moves = np.array([f == "read" for f in history.fs], dtype=np.bool_)[calls.f] & (calls.outcome == OK)
    times = _times(calls)
    done = np.flatnonzero(calls.ret != FOREVER)
    time = np.concatenate([times[calls.call] - np.where(moves, delta_ns, 0), times[calls.ret[done]]])
    late = np.concatenate([~moves, np.ones(len(done), dtype=np.bool_)])
    row = np.concatenate([calls.call, calls.ret[done]])
    place = np.empty(len(row), dtype=np.int64)
    place[np.lexsort((row, late, time))] = np.arange(len(row))
    ret = calls.ret.copy()
    ret[done] = place[len(calls) :]
    order = np.argsort(place[: len(calls)])
    return replace(calls, call=place[: len(calls)], ret=ret).take(order), calls.take(order)


def worst_of(calls: Calls, purse: Purse) -> Case:
    """The worst key, judged as a linearizable register."""
    assert CAS_REGISTER.register is not None
    cases = registers.cases(calls, CAS_REGISTER.register)
    purse.spent += decide(cases, purse.rest())
    return max(cases, key=_validity)


def _validity(case: Case) -> Validity:
    return Validity.UNKNOWN if case.found is None else case.found.validity


def least_delta_ns(calls: Calls, purse: Purse) -> Bounds:
    """The least Δ, in nanoseconds, of calls that have one."""
    low, high = 0, 1 + int(_times(calls)[-1])
    if _validity(worst_of(calls, purse)) is Validity.VALID:
        return Bounds(0, 0)
    while low < high:  # with high it is linearizable, with anything below low it is not
        middle = (low + high) // 2
        validity = _validity(worst_of(relaxed(calls, middle)[0], purse))
        if validity is Validity.UNKNOWN:
            return Bounds(low, high)
        low, high = (low, middle) if validity is Validity.VALID else (middle + 1, high)
    return Bounds(low, high)


def least_ks(calls: Calls, purse: Purse) -> dict[int, Bounds]:
    """Per key (its code) the least k, of keys that have one."""
    assert CAS_REGISTER.register is not None
    cases = registers.cases(calls, CAS_REGISTER.register)
    purse.spent += decide(cases, purse.rest())
    ks = {case.key: Bounds(1, 1) for case in cases if _validity(case) is Validity.VALID}
    certain = _certain(calls)
    for key, part in calls.by_key():
        if key not in ks:
            ks[key] = _least_k(key, part, certain.get(key, 1), purse)
    return ks


def _certain(calls: Calls) -> dict[int, int]:
    """Per key what k must be at least, since so many newer writes had been completed before some read began."""
    versions = versions_of(calls.history)
    found = measure(versions)
    least = dict[int, int]()
    for row, behind in zip(found.call.tolist(), found.versions.tolist(), strict=True):
        key = int(versions.calls.key[row])
        least[key] = max(least.get(key, 1), behind + 1)
    return least


def _least_k(key: int, part: Calls, low: int, purse: Purse) -> Bounds:
    """Counting up from ``low``, in steps that grow, and back by bisection."""
    high: int | None = None
    most = 1 + int((part.f != -1).sum())  # with all values ever written in memory, only what no k explains is left
    step, at = 1, low
    while high is None and at <= most:
        validity = k_atomic(key, part, at, purse)
        if validity is Validity.VALID:
            high = at
        elif validity is Validity.INVALID:
            low = at + 1
        at, step = at + step, 2 * step
    while high is not None and low < high:
        middle = (low + high) // 2
        validity = k_atomic(key, part, middle, purse)
        if validity is Validity.UNKNOWN:
            break
        low, high = (low, middle) if validity is Validity.VALID else (middle + 1, high)
    return Bounds(low, high)


def k_register(k: int) -> Model:
    """A register of which a read returns one of the last ``k`` values, the newest first in its state; the first one is null."""

    def step(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, Any]:
        if f == "read":
            return result is UNKNOWN or result in state, state
        if f == "write":
            return True, (argument, *state[: k - 1])
        expected, new = argument
        if state[0] == expected:
            return True, (new, *state[: k - 1])
        return result is UNKNOWN, state

    fs = frozenset({"read", "write", "cas"})
    return Model(name=f"{k}-atomic register", summary="", init=(None,), step=step, fs=fs, reads=frozenset({"read"}))


def _case(key: int, part: Calls, k: int, purse: Purse) -> generic.GenericCase:
    """One key, judged for one k."""
    case = generic.case_of(key, _without_unseen(part), range(len(part)), k_register(k))
    case.algorithm, case.tabled = generic.TABLED, Tabled(case.model, case.calls)
    purse.spent += decide([case], purse.rest())
    return case


def k_atomic(key: int, part: Calls, k: int, purse: Purse) -> Validity:
    """Whether the calls of one key are k-atomic."""
    return _validity(_case(key, part, k, purse))


def _without_unseen(part: Calls) -> Calls:
    """Without writes that never completed and whose value nobody read: they need not have happened."""
    history = part.history
    writes = np.array([f == "write" for f in history.fs], dtype=np.bool_)[part.f]
    if "cas" in history.fs:
        return part
    return part.where(~(writes & (part.ret == FOREVER) & ~np.isin(part.argument, part.result[~writes])))


def _beyond_k(calls: Calls, key: int, k: int, purse: Purse) -> Anomaly:
    """Why the key is not k-atomic."""
    part = calls.where(calls.key == key)
    case = _case(key, part, k, purse)
    reason = f"even if reads may return any of the last {k} values" if k > 1 else "with every read of the last value"
    if case.found is None or case.found.validity is not Validity.INVALID:
        anomaly = worst_of(part, purse).anomaly(Narrator(part))
    else:
        kept = _without_unseen(part)
        anomaly = case.anomaly(Narrator(kept))
    return replace(anomaly, name=TOO_STALE, reason=f"{reason}: {anomaly.reason}")


def _by_key(calls: Calls, ks: dict[int, Bounds]) -> list[dict[str, Any]]:
    """The worst keys."""
    worst = sorted(ks, key=lambda key: (-ks[key].low, key))[:KEYS_LISTED_MAX]
    return [{"key": None if key < 0 else calls.history.keys[key], "k": ks[key].told()} for key in worst]


def _words(k: Bounds, delta: Bounds | None) -> str:
    exact = f"{k.low}" if k.exact else f"{k.low} to {'unknown' if k.high is None else k.high}"
    if k == Bounds(1, 1):
        return "every key is linearizable (k = 1, Δ = 0)"
    seconds = ""
    if delta is not None:
        bounds = [f"{n / SECOND_NS:.6g}" for n in (delta.low, delta.high) if n is not None]
        seconds = f", Δ = {bounds[0] if delta.exact else ' to '.join(bounds)} s"
    return f"every read returned one of the last k values, or what had been so Δ before: k = {exact}{seconds}"
