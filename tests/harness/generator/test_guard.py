"""Checked, traced, and with errors that say whose they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.errors import PlanError, PluginError
from harness.generator import (
    EMPTY,
    PENDING,
    Answer,
    Context,
    Generator,
    clients,
    friendly_exceptions,
    pending_until,
    repeat,
    trace,
    until_ok,
    validate,
)
from harness.op import NEMESIS, Op, OpType
from tests.virtual_time import context, imperfect, perfect, told

A = {"f": "a"}
READ = Op(f="read", process=0, time_ns=0)


class Says:
    """A generator of someone else: it answers what it is told to."""

    def __init__(self, answer: Any, after_update: Any = None) -> None:
        self.answer, self.after_update = answer, after_update

    def __repr__(self) -> str:
        return "<theirs>"

    def op(self, ctx: Context) -> Answer:
        if isinstance(self.answer, Exception):
            raise self.answer
        answer: Answer = self.answer
        return answer

    def update(self, ctx: Context, event: Op) -> Generator:
        if isinstance(self.after_update, Exception):
            raise self.after_update
        changed: Generator = self.after_update
        return changed


@pytest.mark.parametrize("make", [validate, friendly_exceptions, lambda g: trace(lambda *_: None, g)])
def test_what_is_made_of_nothing_has_nothing(make: Callable[[Any], Generator]) -> None:
    assert make(None) is EMPTY


@pytest.mark.parametrize("make", [validate, friendly_exceptions, lambda g: trace(lambda *_: None, g)])
def test_a_guard_changes_nothing(make: Callable[[Any], Generator]) -> None:
    plain = imperfect(clients(until_ok([A, repeat(A)])))
    assert imperfect(make(clients(until_ok([A, repeat(A)])))) == plain
    assert make(pending_until(lambda _: False, A)).op(context()) is PENDING
    assert make(Says(None)).op(context()) is None


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (READ, r"an answer must be \(op, rest\), PENDING or None"),
        ((READ,), r"an answer must be \(op, rest\)"),
        ((READ, None), r"the rest must be a generator \(EMPTY if nothing is left\), not None"),
        ((A, EMPTY), "the op must be an Op, not dict"),
        ((Op(f="a", process=0, time_ns=0, type=OpType.OK), EMPTY), "its type must be 'invoke', not <OpType.OK"),
        ((Op(f="a", process=0, time_ns=0, type=OpType.INFO), EMPTY), "its type must be 'invoke'"),
        ((Op(f="a", process=NEMESIS, time_ns=0), EMPTY), "its type must be 'info'"),
        ((Op(f="a", process=0), EMPTY), "its time must be whole nanoseconds since the run began, not -1"),
        ((Op(f="a", process=0, time_ns=0.5), EMPTY), "not 0.5"),  # type: ignore[arg-type]  # what a user may do
        ((Op(f="a", process=1, time_ns=0), EMPTY), r"process 1 is not free: \[0, 'nemesis'\] are"),
        ((Op(f="a", process=2, time_ns=0), EMPTY), "process 2 is not free"),
        ((Op(f="a", process="n1", time_ns=0), EMPTY), "'n1' is not a process"),
        ((Op(f="a", process=-1, time_ns=0), EMPTY), "-1 is not a process"),
        ((Op(f="a", process=1, time_ns=-5), 3), "rest must be.*time must be.*not free"),
    ],
)
def test_a_bad_answer_is_explained(answer: Any, problem: str) -> None:
    with pytest.raises(PluginError, match=problem) as caught:
        validate(Says(answer)).op(context(2).busy(1, 0))
    assert "generator <theirs> gave" in str(caught.value)


def test_the_rest_is_checked_too() -> None:
    answer = validate(Says((READ, Says((READ, None))))).op(context())
    assert isinstance(answer, tuple)
    with pytest.raises(PluginError, match="the rest must be a generator"):
        answer[1].op(context())


def test_a_bad_update_is_explained() -> None:
    with pytest.raises(PluginError, match="generator <theirs> became 5 on an update: that is not a generator"):
        validate(Says(None, after_update=5)).update(context(), READ)


def test_long_things_are_shown_shortly() -> None:
    with pytest.raises(PluginError) as caught:
        validate(Says("x" * 10_000)).op(context())
    assert len(str(caught.value)) < 1000


def test_an_exception_says_whose_it_is() -> None:
    broken = friendly_exceptions(Says(ZeroDivisionError("oh"), after_update=KeyError("k")))
    with pytest.raises(
        PluginError, match=r"<theirs> raised ZeroDivisionError\('oh'\) when it was asked for an op"
    ) as caught:
        broken.op(context())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(PluginError, match=r"<theirs> raised KeyError\('k'\) when it was told of Op\(.*'read'"):
        broken.update(context(), READ)


def test_an_error_of_ours_stays_what_it_is() -> None:
    with pytest.raises(PlanError, match="mine"):
        friendly_exceptions(Says(PlanError("mine"))).op(context())
    with pytest.raises(PlanError, match="mine"):
        friendly_exceptions(Says(None, after_update=PlanError("mine"))).update(context(), READ)


def test_trace_tells_answers_and_events() -> None:
    seen: list[tuple[str, Any]] = []

    def tell(what: str, _: Context, subject: Any) -> None:
        seen.append((what, subject[0].type.value if isinstance(subject, tuple) else getattr(subject, "type", subject)))

    assert told(perfect(clients(trace(tell, until_ok(repeat(A)))), concurrency=1), "f") == ["a"]
    assert seen == [("op", "invoke"), ("update", "invoke"), ("op", PENDING), ("update", "ok")]
