"""The checker ``litmus``: does a shared memory show outcomes of litmus tests that its model forbids?

An operation ``program`` is one thread of one instance of a test: its key names the instance, its value is {"test": name, "thread": number
(or "end"), "steps": instructions}, with ["r", location, null] for a read; it completes with the same in which reads have their values.
An instance whose threads have all succeeded has an outcome. See ``harness.litmus`` for the tests, ``models`` for what is allowed.

``forbidden-outcome`` is an outcome that no execution under the model has. The histogram of all outcomes, with those that only weaker
models allow, is in the figures: it says how much of its freedom a memory uses. Source of the method: Alglave et al., "Litmus" (TACAS 2011).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkers.findings import Findings, unknown
from checkers.memory.models import MODELS, Outcome
from checkers.wording import Narrator, count, text
from harness.errors import PlanError, suggest
from harness.history import OK, Calls, History
from harness.litmus import LITMUS, READ, Litmus
from harness.verdict import Budget, Checker, Verdict

NAME = "litmus"
PROGRAM, FORBIDDEN, END = "program", "forbidden-outcome", "end"


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """The history holds what is no thread of a litmus test."""


def make(*, model: str = "sc") -> Checker:
    """Does a memory show outcomes that its model forbids? Option model: sc, tso or rc. Raises PlanError for another one."""
    if model not in MODELS:
        raise PlanError(f"unknown memory model {model!r}: {suggest(model, MODELS)}")
    return LitmusTests(model=model)


@dataclass(slots=True, kw_only=True)
class Instance:
    """One instance of ``test``: the rows and the values that were read, by thread (END for the end)."""

    test: Litmus
    rows: list[int] = field(default_factory=list)
    read: dict[Any, list[int]] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome | None:
        """None while a thread has not succeeded."""
        wanted = [*range(len(self.test.threads)), *([END] if self.test.end else [])]
        if not all(thread in self.read for thread in wanted):
            return None
        return tuple(value for thread in wanted for value in self.read[thread])


@dataclass(slots=True, kw_only=True)
class LitmusTests:
    """See the module."""

    model: str = "sc"
    name: str = field(default=NAME, init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        calls = history.calls()
        try:
            instances = _instances(calls)
        except (Unjudgeable, TypeError, ValueError) as problem:
            return unknown(NAME, f"not a history of litmus tests: {problem}")
        found = Findings(NAME, Narrator(calls))
        seen: dict[str, Counter[Outcome]] = {}
        shown: dict[tuple[str, Outcome], Instance] = {}
        for instance in instances:
            if (outcome := instance.outcome) is not None:
                seen.setdefault(instance.test.name, Counter())[outcome] += 1
                shown.setdefault((instance.test.name, outcome), instance)
        for name, outcomes in seen.items():
            for outcome, times in outcomes.items():
                if outcome not in MODELS[self.model](LITMUS[name]):
                    what = f"{name} ended with {_words(LITMUS[name], outcome)} in {times:,} of {count(outcomes.total(), 'run')}"
                    reason = f"{what}, which no execution under {self.model} does"
                    found.add(FORBIDDEN, shown[name, outcome].rows, reason, times=times)
        complete = sum(outcomes.total() for outcomes in seen.values())
        stats = {
            "model": self.model,
            "instances": len(instances),
            "complete": complete,
            "outcomes": {name: _histogram(LITMUS[name], outcomes) for name, outcomes in sorted(seen.items())},
        }
        doubt = "" if complete else f"of {count(len(instances), 'instance')} of litmus tests none was completed"
        tests = f"{count(len(seen), 'litmus test')} ({', '.join(sorted(seen))})"
        fine = f"all outcomes of {count(complete, 'run')} of {tests} are allowed under {self.model}"
        return found.verdict(doubt=doubt, fine=fine, stats=stats)


def _histogram(test: Litmus, outcomes: Mapping[Outcome, int]) -> dict[str, dict[str, Any]]:
    """Outcome → how often it was, and which models allow it."""
    return {
        _words(test, outcome): {
            "times": times,
            "allowed_by": [model for model, allowed in MODELS.items() if outcome in allowed(test)],
        }
        for outcome, times in sorted(outcomes.items())
    }


def _words(test: Litmus, outcome: Outcome) -> str:
    return " ".join(f"{register}={value}" for register, value in zip(test.registers, outcome, strict=True))


def _instances(calls: Calls) -> list[Instance]:
    instances: dict[Hashable, Instance] = {}
    for row in range(len(calls)):
        if calls.history.fs[calls.f[row]] != PROGRAM:
            continue
        argument = calls.history.values[calls.argument[row]]
        test, thread = _named(argument)
        key = int(calls.key[row])
        instance = instances.setdefault(key, Instance(test=test))
        if instance.test is not test or thread in instance.read:
            raise Unjudgeable(f"two operations are thread {text(thread)} of one instance, or it is of two tests")
        instance.rows.append(row)
        if calls.outcome[row] == OK:
            done = calls.history.values[calls.result[row]]
            instance.read[thread] = _values(test.end if thread == END else test.threads[thread], done)
    return list(instances.values())


def _named(argument: Any) -> tuple[Litmus, Any]:
    if not isinstance(argument, Mapping) or argument.get("test") not in LITMUS:
        raise Unjudgeable(f"{text(argument)} names none of {', '.join(LITMUS)}")
    test, thread = LITMUS[argument["test"]], argument.get("thread")
    if thread != END and not (type(thread) is int and 0 <= thread < len(test.threads)):
        raise Unjudgeable(f"{test.name} has no thread {text(thread)}")
    return test, thread


def _values(steps: Sequence[Sequence[Any]], done: Any) -> list[int]:
    """What the reads of a thread returned."""
    made = done.get("steps") if isinstance(done, Mapping) else None
    if not isinstance(made, list | tuple) or [step[0] for step in made] != [step[0] for step in steps]:
        raise Unjudgeable(f"{text(done)} are not the steps of the thread")
    values = [step[2] for step in made if step[0] == READ]
    if not all(type(value) is int for value in values):
        raise Unjudgeable(
            f"a read returned {text(next(v for v in values if type(v) is not int))}, which is no whole number"
        )
    return values
