"""The checker ``linearizable``: splits a history by keys, lets the right algorithm decide each, and says why.

For register-like models: ``unique`` decides all keys whose values are written once, in one sweep; of the
others those with an impossible read are refuted by ``sources``; the rest is searched. Other models are
searched key by key. Keys share the budget in rounds, each eight times as generous as the one before: one hard
key must not hide another's quick violation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from checkers import MODELS
from checkers.kernels.engine import Engine, engine
from checkers.linearizable import apart, registers
from checkers.linearizable.encode import Unjudgeable
from checkers.linearizable.limits import Found, Limits
from checkers.linearizable.models import Model
from checkers.linearizable.register_search import STEPS_PER_OP
from checkers.substance import lack
from checkers.wording import Narrator, count, listed, name
from harness.history import Calls, History
from harness.registry import Registry
from harness.verdict import Anomaly, Budget, Checker, Validity, Verdict

NAME = "linearizable"
# Of this many keys the verdict tells the reason, and the statistics the algorithm; counts are of all.
ANOMALIES_MAX = 8
NOT_TOLD = "not linearizable"
KEYS_LISTED_MAX = 100
# Configurations in the first round (and as many per operation), steps for each, and the factor from round to round.
ROUND_CONFIGS, ROUND_CONFIGS_PER_OP, ROUND_STEPS_PER_CONFIG, ROUND_FACTOR = 1024, 4, 8, 8
# After so many rounds a key that is alone gets all that is left.
FAIR_ROUNDS = 2


def make(*, model: str | Model = "cas-register", order: bool = False) -> Checker:
    """Is every key linearizable? Option model: a name (see MODELS) or a Model of your own; order: show one, if valid.

    Raises PlanError for an unknown name.
    """
    found: Model = Registry("model", MODELS).get(model) if isinstance(model, str) else model
    return Linearizable(model=found, order=order)


class Case(Protocol):
    """One key's part of a history and what is known of it. ``key`` is its code, ``size`` its number of
    operations.
    """

    key: int
    size: int
    algorithm: str
    found: Found | None

    def attempt(self, limits: Limits, run: Engine) -> None:
        """Search within ``limits``, on ``run`` if it has kernels, and note the answer in ``found``."""
        ...

    def anomaly(self, say: Narrator) -> Anomaly:
        """What is wrong, once ``found`` is invalid."""
        ...


@dataclass(slots=True, kw_only=True)
class Linearizable:
    """See the module. ``model`` is what every key is judged against."""

    model: Model
    order: bool = False
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            _refuse_unknown(history, calls, self.model)
            cases = self._cases(calls)
            steps = decide(cases, budget)
        except Unjudgeable as problem:
            return Verdict(
                checker=NAME, validity=Validity.UNKNOWN, reason=str(problem), stats={"model": self.model.name}
            )
        verdict = _verdict(self.model, calls, cases, steps, budget)
        if self.order and verdict.validity is Validity.VALID:
            from checkers.linearizable.orders import orders

            return replace(verdict, stats={**verdict.stats, "orders": orders(calls, self.model)})
        return verdict

    def _cases(self, calls: Calls) -> Sequence[Case]:
        """Every key, by the algorithms for its kind of object; each is imported when it is needed, since that takes time."""
        if self.model.register is not None:
            return registers.cases(calls, self.model.register)
        if self.model.container is not None:
            from checkers.linearizable.containers import case as containers

            return containers.cases(calls, self.model)
        if self.model.elements:
            from checkers.linearizable import sets

            return sets.cases(calls, self.model)
        if self.model.appends:
            from checkers.linearizable import appends

            return appends.cases(calls, self.model)
        from checkers.linearizable import generic

        return generic.cases(calls, self.model)


def _refuse_unknown(history: History, calls: Calls, model: Model) -> None:
    used = [history.fs[code] for code in np.flatnonzero(np.bincount(calls.f)).tolist()]
    strange = [f for f in used if f not in model.fs]
    if strange:
        known = listed(sorted(model.fs))
        raise Unjudgeable(
            f"the model {model.name} knows {known}, but the history also has {listed(map(repr, strange))}"
        )


def decide(cases: Sequence[Case], budget: Budget, processes: int | None = None) -> int:
    """Search what is undecided, round by round; returns the steps taken. What exceeds the budget is left
    UNKNOWN. ``processes`` search at once (None: as many as there is a use for), and find the same.
    """
    steps, factor, rounds = 0, 1, 0
    waiting = [case for case in cases if case.found is None]
    processes = apart.usable_processes() if processes is None else processes
    while waiting and steps < budget.steps_max:
        # All keys of a round together decide whether compiling pays for itself.
        run = engine(STEPS_PER_OP * factor * sum(case.size for case in waiting))
        fair = rounds < FAIR_ROUNDS or len(waiting) > 1
        # Keys that the first round could not decide are long searches, the only ones worth a process.
        last_round, hopeful = True, processes > 1 and rounds > 0
        ahead: list[apart.Ahead] = []
        for at, case in enumerate(waiting):
            left = replace(budget, steps_max=budget.steps_max - steps)
            limits, share = _limits(case, left, factor, fair=fair)
            last_round = last_round and not share
            if hopeful and not ahead:
                ahead = _ahead(waiting[at:], left, factor, run, processes)[::-1]
                hopeful = bool(ahead)
            if not ahead or not ahead.pop().resume(limits):
                case.attempt(limits, run)
            assert case.found is not None
            steps += case.found.steps
            if steps >= budget.steps_max:
                break
        waiting = [case for case in waiting if case.found is None or case.found.validity is Validity.UNKNOWN]
        if last_round:
            break
        factor, rounds = factor * ROUND_FACTOR, rounds + 1
    return steps


def _limits(case: Case, left: Budget, factor: int, *, fair: bool) -> tuple[Limits, bool]:
    """What ``case`` may cost now that so much is ``left``, and whether that is a share rather than all."""
    configs = (ROUND_CONFIGS + ROUND_CONFIGS_PER_OP * case.size) * factor
    share, steps = configs < left.configs_max and fair, left.steps_max
    if share:
        steps = min(steps, configs * ROUND_STEPS_PER_CONFIG)
    else:
        configs = left.configs_max
    return Limits(steps=steps, configs=configs, bytes=left.memory_max_mb << 20), share


def _ahead(waiting: Sequence[Case], left: Budget, factor: int, run: Engine, processes: int) -> list[apart.Ahead]:
    """The next keys, searched, whose shares the steps that are ``left`` cover whatever the others take, and one for each process even if
    they may not, since hardly a key takes all of its share; none if that is too little work.
    """
    tasks, shares = list[apart.Task](), list[Limits]()
    work, steps_left = 0, left.steps_max
    for case in waiting:
        limits, share = _limits(case, left, factor, fair=True)
        steps_left -= limits.steps
        covered = steps_left >= 0 or len(tasks) < processes
        if not (share and covered and isinstance(case, apart.Task) and case.may_go_apart()):
            break
        tasks.append(case)
        shares.append(limits)
        work += factor * case.size
    # Searches that two rounds could not end take so long that one for each process is enough.
    enough = len(tasks) >= apart.TASKS_EACH * processes or factor > ROUND_FACTOR
    return apart.search_ahead(tasks, shares, run, processes) if enough and work >= apart.FORK_FROM_OPS else []


def _validity(case: Case) -> Validity:
    return Validity.UNKNOWN if case.found is None else case.found.validity


def _verdict(model: Model, calls: Calls, cases: Sequence[Case], steps: int, budget: Budget) -> Verdict:
    say = Narrator(calls)
    broken = [case for case in cases if _validity(case) is Validity.INVALID]
    anomalies = tuple(case.anomaly(say) for case in broken[: ANOMALIES_MAX if budget.told else 0])
    validity = max(map(_validity, cases), default=Validity.VALID)
    match validity:
        case Validity.INVALID:
            more = (
                f" ({count(len(broken) - 1, 'more key')} of {len(cases):,} not linearizable)" if len(broken) > 1 else ""
            )
            reason = anomalies[0].reason + more if anomalies else NOT_TOLD
        case Validity.UNKNOWN:
            reason = _undecided(
                calls, [case for case in cases if _validity(case) is Validity.UNKNOWN], len(cases), budget
            )
        case _:
            doubt = lack(calls, blind=model.blind, reads=model.reads)
            validity = Validity.UNKNOWN if doubt else validity
            reason = doubt or _explained(model, len(calls), len(cases))
    return Verdict(
        checker=NAME, validity=validity, reason=reason, anomalies=anomalies, stats=_stats(model, calls, cases, steps)
    )


def _explained(model: Model, operations: int, keys: int) -> str:
    where = f" on {count(keys, 'key')}" if keys > 1 else ""
    what = f"{count(operations, 'operation')}{where}"
    return f"an order that respects real time explains every result of {what} (model {model.name})"


def _undecided(calls: Calls, open_cases: Sequence[Case], keys: int, budget: Budget) -> str:
    """How far the search came on the first key that it could not decide."""
    case = open_cases[0]
    of = f"of key {name(_key(calls, case))}, " if keys > 1 else ""
    reached = "nothing was tried yet"
    if case.found is not None:
        done, all_of_it = case.found.explained, case.found.completed
        reached = f"a legal order was found for the first {done:,} of {all_of_it:,} completed operations"
        reached += f" ({case.found.tried})" if case.found.tried else ""
    return (
        f"{count(len(open_cases), 'key')} of {keys:,} undecided within the budget ({budget.steps_max:,} steps, "
        f"{budget.configs_max:,} configurations, {budget.memory_max_mb:,} MiB); {of}{reached}"
    )


def _stats(model: Model, calls: Calls, cases: Sequence[Case], steps: int) -> dict[str, Any]:
    """Figures; of the keys, the worst first, the first hundred are listed with the algorithm that decided
    them.
    """
    algorithms: dict[str, int] = {}
    for case in cases:
        algorithms[case.algorithm] = algorithms.get(case.algorithm, 0) + 1
    listed_cases = sorted(cases, key=lambda case: (-_validity(case), case.algorithm == registers.UNIQUE))
    return {
        "model": model.name,
        "operations": len(calls),
        "keys": len(cases),
        "steps": steps,
        "algorithms": algorithms,
        "by_validity": {str(v): sum(_validity(case) is v for case in cases) for v in Validity},
        "by_key": [_key_row(calls, case) for case in listed_cases[:KEYS_LISTED_MAX]],
    }


def _key_row(calls: Calls, case: Case) -> dict[str, Any]:
    row = {
        "key": _key(calls, case),
        "validity": str(_validity(case)),
        "algorithm": case.algorithm,
        "operations": case.size,
    }
    if case.found is not None and case.found.validity is Validity.UNKNOWN:
        row |= {"explained": case.found.explained, "completed": case.found.completed}
    return row


def _key(calls: Calls, case: Case) -> Any:
    return None if case.key < 0 else calls.history.keys[case.key]
