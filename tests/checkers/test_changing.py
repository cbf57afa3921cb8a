"""Sets that change and are read as a whole: the sweep and what proves it wrong, against the definition and against the search."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.kernels.engine import Plain
from checkers.linearizable import changing, elements, generic
from checkers.linearizable.check import make
from checkers.linearizable.models import SET
from harness.history import History
from harness.op import Op
from harness.verdict import Budget, Validity
from tests.builders import timeline
from tests.checkers.brute import defined, linearizable
from tests.checkers.engines import compiled
from tests.checkers.runs import ROLLS, rolls
from tests.examples import examples

CHECKER = make(model="set")
PROCESSES = 4
STEPS = st.lists(st.tuples(st.integers(0, PROCESSES - 1), st.integers(0, ROLLS - 1)), max_size=24)


def changing_run(
    steps: list[tuple[int, int]], values: int, *, processes: int = PROCESSES, lies: bool = True, fresh: bool = False
) -> History:
    """A set that ran, each value added and removed at most once, often read as a whole; with calls that crash before or after their
    effect, and now and then another answer. In ``steps`` a process goes on, and a roll decides what it does. ``fresh``: a value that is
    spent makes room for a new one, so that a long run goes on changing.
    """
    content, spent = set[int](), set[tuple[str, int]]()
    names, base = list(range(processes)), [0] * values
    open_ops: dict[int, Op] = {}
    answers: dict[int, object] = {}
    ops: list[Op] = []
    for process, roll in steps:
        if process not in open_ops:
            f, place = ("add", "remove", "read", "read", "contains")[roll % 5], roll // 5 % values
            value = place + base[place] * values
            if (f, value) in spent:
                f = "read"
            if f in ("add", "remove"):
                spent.add((f, value))
                if fresh and {("add", value), ("remove", value)} <= spent:
                    base[place] += 1
            open_ops[process] = Op(process=names[process], f=f, value=None if f == "read" else value)
            ops.append(open_ops[process])
            continue
        op = open_ops[process]
        if process not in answers and roll < 85:
            answers[process] = sorted(content) if op.f == "read" else op.value in content
            (content.add if op.f == "add" else content.discard if op.f == "remove" else bool)(op.value)
            continue
        del open_ops[process]
        answer = answers.pop(process, None)
        if answer is None or roll >= 94:
            names[process] += processes
            ops.append(op.info("timeout"))
            continue
        if lies and roll % 7 == 0 and op.f in ("read", "contains"):
            place = roll // 7 % values
            lie = place + max(base[place] - 1, 0) * values
            answer = not answer if op.f == "contains" else sorted({*answer} ^ {lie})
        ops.append(op.ok(answer if op.f in ("read", "contains") else op.value))
    return History.of(ops)


def decided(history: History) -> Validity:
    return CHECKER.check(history, Budget()).validity


@examples(150)
@given(STEPS, st.integers(1, 3))
def test_the_answer_is_the_definition(steps: list[tuple[int, int]], values: int) -> None:
    history = changing_run(steps, values)
    assert decided(history) is defined(SET, history)


def test_it_says_both_often() -> None:
    seen = Counter[Validity]()
    for seed in range(900):
        history = changing_run(rolls(10 + seed % 16, seed), 1 + seed % 3)
        wanted = defined(SET, history)
        assert decided(history) is wanted, seed
        seen[wanted] += 1
    assert min(seen[Validity.VALID], seen[Validity.INVALID]) >= 150, seen


def test_it_is_the_search_on_longer_histories_and_says_every_name() -> None:
    seen, names, by = Counter[Validity](), Counter[str](), Counter[str]()
    for seed in range(150):
        history = changing_run(rolls(110, seed), 6, lies=seed % 3 > 0, fresh=True)
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
        history = changing_run(rolls(1500, seed, processes), 8, processes=processes, lies=False, fresh=True)
        verdict = CHECKER.check(history, Budget(steps_max=1))
        assert verdict.validity is Validity.VALID, (seed, verdict.reason)
        assert verdict.stats["algorithms"] == {changing.MOMENTS: 1}


def test_machine_code_answers_alike() -> None:
    for seed in range(40):
        history = changing_run(rolls(120, seed), 5, fresh=True)
        verdict = CHECKER.check(history, Budget())
        with compiled():
            assert CHECKER.check(history, Budget()) == verdict, seed


def test_a_witness_is_impossible_on_one_of_its_elements_by_definition() -> None:
    sizes = []
    for seed in range(200):
        history = changing_run(rolls(40, seed), 3)
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
