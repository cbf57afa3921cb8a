"""Sets that change and are read as a whole: the sweep and what proves it wrong, against the definition and against the search."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.kernels.engine import Plain
from checkers.linearizable import changing, elements, generic
from checkers.linearizable.check import make
from checkers.linearizable.models import SET
from harness.history import History
from harness.verdict import Budget, Validity
from tests.builders import timeline
from tests.checkers.brute import defined, linearizable
from tests.checkers.engines import compiled
from tests.checkers.runs import STEPS, rolls
from tests.checkers.set_runs import READ, set_run
from tests.examples import examples

CHECKER = make(model="set")


def decided(history: History) -> Validity:
    return CHECKER.check(history, Budget()).validity


@examples(150)
@given(STEPS, st.integers(1, 3))
def test_the_answer_is_the_definition(steps: list[tuple[int, int]], values: int) -> None:
    history = set_run(steps, values, READ)
    assert decided(history) is defined(SET, history)


def test_it_says_both_often() -> None:
    seen = Counter[Validity]()
    for seed in range(900):
        history = set_run(rolls(10 + seed % 16, seed), 1 + seed % 3, READ)
        wanted = defined(SET, history)
        assert decided(history) is wanted, seed
        seen[wanted] += 1
    assert min(seen[Validity.VALID], seen[Validity.INVALID]) >= 150, seen


def test_it_is_the_search_on_longer_histories_and_says_every_name() -> None:
    seen, names, by = Counter[Validity](), Counter[str](), Counter[str]()
    for seed in range(150):
        history = set_run(rolls(110, seed), 6, READ, lies=seed % 3 > 0, fresh=True)
        (search,) = generic.cases(history.calls(), SET)
        search.attempt(generic.PART_LIMITS, Plain())
        assert search.found is not None
        verdict = CHECKER.check(history, Budget())
        assert search.found.validity in (verdict.validity, Validity.UNKNOWN), seed
        assert (seed % 3 > 0) or verdict.validity is Validity.VALID
        seen[verdict.validity] += 1
        names.update(anomaly.name for anomaly in verdict.anomalies)
        by.update(verdict.stats["algorithms"])
    assert min(seen[Validity.VALID], seen[Validity.INVALID]) >= 30, seen
    assert names.keys() == elements.ANOMALIES.keys() - {"stale-read"}
    assert by[changing.MOMENTS] >= 140, by


@pytest.mark.parametrize("processes", [4, 12, 24])
def test_what_really_ran_needs_no_search(processes: int) -> None:
    for seed in range(6):
        history = set_run(rolls(1500, seed, processes), 8, READ, processes=processes, lies=False, fresh=True)
        verdict = CHECKER.check(history, Budget(steps_max=1))
        assert verdict.validity is Validity.VALID, (seed, verdict.reason)
        assert verdict.stats["algorithms"] == {changing.MOMENTS: 1}


def test_an_unknown_verdict_says_what_was_tried() -> None:
    history = set_run(rolls(110, 3), 6, READ, lies=False, fresh=True)
    with patch.object(changing, "sweep_moments", lambda world: 0):
        verdict = CHECKER.check(history, Budget(steps_max=1))
    assert verdict.validity is Validity.UNKNOWN
    assert changing.TRIED in verdict.reason


def test_machine_code_answers_alike() -> None:
    for seed in range(40):
        history = set_run(rolls(120, seed), 5, READ, fresh=True)
        verdict = CHECKER.check(history, Budget())
        with compiled():
            assert CHECKER.check(history, Budget()) == verdict, seed


def test_a_witness_is_impossible_on_one_of_its_elements_by_definition() -> None:
    sizes = []
    for seed in range(200):
        history = set_run(rolls(40, seed), 3, READ)
        for anomaly in CHECKER.check(history, Budget()).anomalies:
            assert set(anomaly.ops) <= set(anomaly.witness)
            parts = [about(history, anomaly.witness, item) for item in range(3)]
            cases = [case for part in parts for case in generic.cases(part.calls(), SET)]
            if anomaly.name != "nonlinearizable":
                assert any(not linearizable(SET, case.calls) for case in cases), seed
                sizes.append(len(anomaly.witness))
    assert len(sizes) >= 60
    assert max(sizes) <= 12


def invoked(history: History, row: int) -> int:
    return row if history.pair[row] < 0 else min(row, int(history.pair[row]))


def about(history: History, witness: tuple[int, ...], item: int) -> History:
    """The calls of the witness with all other elements forgotten."""
    part = history.select(history.rows_of(witness))
    other = {row for row, op in enumerate(part) if op.f != "read" and part[invoked(part, row)].value != item}
    return History.of(
        replace(op, value=[item] if item in op.value else []) if type(op.value) is list else op
        for row, op in enumerate(part)
        if row not in other
    )


def test_two_elements_can_be_impossible_together() -> None:
    verdict = CHECKER.check(
        timeline("""
            p0   |- add - 1 -|
            p1   |- add - 2 -|
            p2                |- read - [1] -|                   |- remove - 1 -|
            p3                |- read - [2] -|
        """),
        Budget(),
    )
    assert verdict.validity is Validity.INVALID
    (anomaly,) = verdict.anomalies
    assert len(anomaly.witness) <= 10
    assert verdict.stats["algorithms"] == {changing.MOMENTS: 1}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("|- read - 7 -|", "a read returned 7; of a set it returns the list of its elements"),
        ("|- contains - 7 -|", "a contains returned"),
    ],
)
def test_a_strange_answer_is_unknown_and_said(line: str, sentence: str) -> None:
    verdict = CHECKER.check(timeline(f"p0 |- add - 1 -| |- remove - 1 -| |- read - [] -| {line}"), Budget())
    assert verdict.validity is Validity.UNKNOWN
    assert sentence in verdict.reason


def test_the_sentence_names_the_element() -> None:
    (anomaly,) = CHECKER.check(
        timeline("p0 |- add - 1 -| |- add - 2 -| |- remove - 1 -| |- read - [1,2] -|"), Budget()
    ).anomalies
    assert anomaly.name == "stale-read"
    assert "found 1 after process 0's remove of 1 had completed" in anomaly.reason


def test_where_few_elements_prove_nothing_the_search_decides() -> None:
    """What had ended when the sweep was stuck, at the end of the removal, has an order; with the reads that were open then it has none."""
    history = timeline("""
        p0               |- remove - 1 -----------------------|
        p1   |- add - 0 ->
        p2                |- remove - 0 ->
        p3  |- add - 1 -----------------------|
        p4                                     |- read - [0,5] ---|
        p5                 |- read - [0,1] ------|
        p6                                        |- read - [1] -|
        p7                                |- add - 5 -------------->
    """)
    verdict = CHECKER.check(history, Budget())
    assert verdict.validity is defined(SET, history) is Validity.INVALID
    assert verdict.stats["algorithms"] == {generic.WGL: 1}
