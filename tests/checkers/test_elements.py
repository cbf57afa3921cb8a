"""Sets that are asked element by element: the three shapes against the definition and against the search."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.kernels.engine import Plain
from checkers.linearizable import elements, generic
from checkers.linearizable.check import make
from checkers.linearizable.models import SET
from harness.history import History
from harness.op import Op
from harness.verdict import Budget, Validity
from tests.checkers.brute import defined, linearizable
from tests.checkers.runs import STEPS, rolls
from tests.checkers.set_runs import ASKED, set_run
from tests.examples import examples

CHECKER = make(model="set")


@examples(120)
@given(STEPS, st.integers(1, 3))
def test_the_shapes_are_the_definition(steps: list[tuple[int, int]], values: int) -> None:
    history = set_run(steps, values, ASKED)
    assert CHECKER.check(history, Budget()).validity is defined(SET, history)


def test_they_say_both_often_and_by_every_name() -> None:
    seen, names = Counter[Validity](), Counter[str]()
    for seed in range(1200):
        history = set_run(rolls(10 + seed % 14, seed), 1 + seed % 3, ASKED)
        verdict, wanted = CHECKER.check(history, Budget()), defined(SET, history)
        assert verdict.validity is wanted, seed
        seen[wanted] += 1
        names.update(anomaly.name for anomaly in verdict.anomalies)
    assert min(seen[Validity.VALID], seen[Validity.INVALID]) >= 150, seen
    assert names.keys() == elements.ANOMALIES.keys()


def test_they_are_the_search_on_longer_histories() -> None:
    seen = Counter[Validity]()
    for seed in range(60):
        history = set_run(rolls(150, seed), 8, ASKED, lies=seed % 2 > 0)
        (search,) = generic.cases(history.calls(), SET)
        search.attempt(generic.PART_LIMITS, Plain())
        assert search.found is not None
        verdict = CHECKER.check(history, Budget())
        assert search.found.validity in (verdict.validity, Validity.UNKNOWN), seed
        assert (seed % 2 > 0) or verdict.validity is Validity.VALID
        seen[search.found.validity] += 1
    assert min(seen[Validity.VALID], seen[Validity.INVALID]) >= 15, seen


def test_a_witness_is_impossible_by_definition() -> None:
    sizes = []
    for seed in range(300):
        history = set_run(rolls(40, seed), 3, ASKED)
        for anomaly in CHECKER.check(history, Budget()).anomalies:
            part = history.select(history.rows_of(anomaly.witness))
            (case,) = generic.cases(part.calls(), SET)
            assert not linearizable(SET, case.calls), seed
            assert set(anomaly.ops) <= set(anomaly.witness)
            sizes.append(len(part.calls()))
    assert len(sizes) >= 100
    assert max(sizes) <= 6


def one_by_one(*done: tuple[str, Any, Any]) -> History:
    """One process, one call after the other: f, value and result."""
    calls = [(Op(process=0, f=f, value=value), result) for f, value, result in done]
    return History.of([op for call, result in calls for op in (call, call.ok(result))])


ADD, REMOVE = ("add", 1, 1), ("remove", 1, 1)


@pytest.mark.parametrize(
    ("history", "algorithm"),
    [
        (one_by_one(ADD, REMOVE, ("contains", 1, False)), "elements"),
        (one_by_one(ADD, ("read", None, [1])), "chain"),
        (one_by_one(ADD, REMOVE, ADD, ("contains", 1, True)), "wgl"),
        (one_by_one(ADD, REMOVE, ("read", None, [])), "moments"),
    ],
    ids=["one by one", "as a whole", "added twice", "removed and read"],
)
def test_the_statistics_say_who_decided(history: History, algorithm: str) -> None:
    verdict = CHECKER.check(history, Budget())
    assert verdict.validity is Validity.VALID
    assert verdict.stats["algorithms"] == {algorithm: 1}


def test_an_answer_that_is_none_is_unknown() -> None:
    verdict = CHECKER.check(one_by_one(ADD, ("contains", 1, 7)), Budget())
    assert verdict.validity is Validity.UNKNOWN
    assert "returned 7" in verdict.reason


def test_the_sentence_says_what_happened() -> None:
    verdict = CHECKER.check(one_by_one(ADD, REMOVE, ("contains", 1, True)), Budget())
    (anomaly,) = verdict.anomalies
    assert anomaly.name == "stale-read"
    assert anomaly.reason == (
        "process 0's contains of 1 (index 4 – 5) found it after process 0's remove of 1 had completed at index 3, "
        "and it was added only before that: process 0's add of 1 (index 0 – 1)"
    )


FOUND, MISSED = ("contains", 1, True), ("contains", 1, False)


def beside(f: str, value: int, *done: tuple[str, Any, Any]) -> History:
    """The same beside a call of another process, which takes all the time."""
    call = Op(process=1, f=f, value=value)
    return History.of([call, *(replace(op, index=-1) for op in one_by_one(*done)), call.ok(value)])


@pytest.mark.parametrize(
    ("history", "name", "sentence"),
    [
        (
            one_by_one(FOUND, REMOVE),
            "phantom-read",
            "process 0's contains of 1 (index 0 – 1) found it, but nobody ever added it",
        ),
        (
            one_by_one(FOUND, ADD),
            "future-read",
            "process 0's contains of 1 (index 0 – 1) found it, but its addition began only at index 2: process 0's add of 1",
        ),
        (
            one_by_one(ADD, MISSED),
            "lost-add",
            (
                "process 0's contains of 1 (index 2 – 3) did not find it although process 0's add of 1 had completed at index 1, "
                "and nobody ever removed it"
            ),
        ),
        (
            one_by_one(ADD, MISSED, REMOVE),
            "lost-add",
            (
                "process 0's contains of 1 (index 2 – 3) did not find it although process 0's add of 1 had completed at index 1, "
                "and it was removed only later: process 0's remove of 1 (index 4 – 5)"
            ),
        ),
        (
            beside("add", 1, FOUND, MISSED, FOUND),
            "nonlinearizable",
            "no order that respects real time explains process 1's add of 1 (index 0 – 7) together with 2 other operations",
        ),
        (
            beside("remove", 1, ADD, MISSED, FOUND),
            "nonlinearizable",
            "no order that respects real time explains process 1's remove of 1 (index 0 – 7) together with 3 other operations",
        ),
        (
            beside("add", 1, ("read", None, [1]), ("read", None, []), FOUND),
            "nonlinearizable",
            (
                "no order that respects real time explains process 1's add of 1 (index 0 – 7) together with 2 other operations "
                "that tell of 1"
            ),
        ),
    ],
    ids=[
        "never added",
        "added later",
        "never removed",
        "removed later",
        "while added",
        "while removed",
        "read as a whole",
    ],
)
def test_each_sentence_says_what_happened(history: History, name: str, sentence: str) -> None:
    (anomaly,) = CHECKER.check(history, Budget()).anomalies
    assert (anomaly.name, anomaly.reason) == (name, sentence)
