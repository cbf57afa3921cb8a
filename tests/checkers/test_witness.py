"""A witness is small, still impossible by the definition, and never lies: no part of a legal history may look broken."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.linearizable import generic, witness
from checkers.linearizable.check import make
from checkers.linearizable.models import CAS_REGISTER
from checkers.linearizable.shrink import shrink
from checkers.linearizable.sources import Sources
from checkers.linearizable.witness import Part
from harness.history import History
from harness.verdict import Budget
from tests.builders import timeline
from tests.checkers.brute import linearizable
from tests.checkers.runs import STEPS, Step, register_run, rolls
from tests.checkers.test_algorithms import keys_of
from tests.examples import examples

CHECKER = make()


def legal(run: History, indices: tuple[int, ...]) -> bool:
    """By definition, of these lines alone."""
    part = run.select(run.rows_of(indices))
    return all(linearizable(CAS_REGISTER, case.calls) for case in generic.cases(part.calls(), CAS_REGISTER))


@examples(30)
@given(STEPS)
def test_a_witness_is_impossible_by_definition(steps: list[Step]) -> None:
    for domain in (0, 2, 4):
        run = register_run(steps, domain=domain)
        for anomaly in CHECKER.check(run, Budget()).anomalies:
            assert not legal(run, anomaly.witness)


def test_witnesses_of_longer_histories_are_impossible_and_small() -> None:
    sizes = []
    for domain in (0, 3):
        for seed in range(0, 60, 2):
            run = register_run(rolls(400, seed), domain=domain, crashes=seed % 4 == 0)
            for anomaly in CHECKER.check(run, Budget()).anomalies:
                lines = run.select(run.rows_of(anomaly.witness))
                sizes.append(len(lines.calls()))
                assert not legal(run, anomaly.witness)
                assert set(anomaly.ops) <= set(run.index.tolist())
    assert len(sizes) >= 30
    # What a read may have seen is shown with it: with few values that can be many writes.
    assert sorted(sizes)[len(sizes) * 3 // 4] <= 4
    assert max(sizes) <= 40


@examples(30)
@given(STEPS, st.data())
def test_no_part_of_a_legal_history_looks_broken(steps: list[Step], data: st.DataObject) -> None:
    """Taking away the write of 7 must not make a read of 7 look impossible."""
    for domain in (0, 2, 4):
        run = register_run(steps, domain=domain, lies=False)
        for ops in keys_of(run):
            part = Part(ops, Sources(ops))
            chosen = data.draw(st.sets(st.integers(0, max(0, len(ops) - 1)), max_size=len(ops)))
            assert part.broken(sorted(i for i in chosen if i < len(ops))) is None


@examples(25)
@given(STEPS)
def test_nothing_more_can_be_taken_from_a_witness(steps: list[Step]) -> None:
    for domain in (0, 3):
        run = register_run(steps, domain=domain)
        calls = run.calls()
        row_of = {int(run.index[position]): row for row, position in enumerate(calls.call.tolist())}
        for anomaly in CHECKER.check(run, Budget()).anomalies:
            (ops,) = keys_of(run)
            at = {int(row): i for i, row in enumerate(ops.row)}
            shown = sorted(at[row_of[index]] for index in anomaly.witness if index in row_of)
            part = Part(ops, Sources(ops))
            assert part.broken(shown) == shown
            assert all(part.broken([i for i in shown if i != gone]) is None for gone in shown)


def test_the_witness_of_a_chain_of_cas_is_its_near_end_not_all_of_it() -> None:
    text = "p0 |-- write x 0 --|" + "".join(f"|-- cas x [{i},{i + 1}] --|" for i in range(60))
    run = timeline(text + "\np1 " + " " * len(text) + "|-- read x 3 --|")
    (anomaly,) = CHECKER.check(run, Budget()).anomalies
    assert anomaly.name == "stale-read"
    assert len(run.select(run.rows_of(anomaly.witness)).calls()) == 3


def test_an_unobserved_crash_is_in_no_witness() -> None:
    run = timeline("""
        p0   |-- write x 1 -->
        p1   |-- write x 2 --|  |-- write x 3 --|  |-- read x 2 --|
    """)
    (anomaly,) = CHECKER.check(run, Budget()).anomalies
    assert anomaly.witness == (1, 3, 4, 5, 6, 7)


def test_shrinking_finds_the_smallest_part() -> None:
    assert shrink(list(range(100)), lambda part: part if {17, 58} <= set(part) else None) == [17, 58]
    assert shrink([5], lambda part: part or None) == [5]
    assert shrink([1, 2, 3], lambda part: part) == []


def test_shrinking_follows_what_the_fault_takes_along() -> None:
    """Where 9 goes, 10 goes too."""

    def broken(part: list[int]) -> list[int] | None:
        part = [i for i in part if i != 10 or 9 in part]
        return part if 3 in part else None

    assert shrink(list(range(20)), broken) == [3]


@pytest.mark.parametrize(
    ("drawing", "name", "shown"),
    [
        (
            """
            p0    |- cas x [null,3] >
            p1   |- cas x [null,2] --|
            p2                          |- cas x [3,2] |
            """,
            "nonlinearizable",
            (0, 1, 2, 3, 4, 5),
        ),
        (
            """
            p0   |- write x 4 -| |- cas x [4,5] -|
            p1                     |- write x 6 -------|  |- read x 5 -|  |- cas x [6,9] -|  |- cas x [9,7] -|
            """,
            "impossible-cas",
            (2, 3, 4, 5, 6, 7, 8, 9),
        ),
        (
            """
            p0   |- cas x [null,3] -|
            p1    |- cas x [null,2] -|
            """,
            "lost-update",
            (0, 1, 2, 3),
        ),
    ],
    ids=["still open at the end", "of a chain", "two of null"],
)
def test_a_witness_with_cas_holds_what_is_wrong_and_no_more(drawing: str, name: str, shown: tuple[int, ...]) -> None:
    (anomaly,) = CHECKER.check(timeline(drawing), Budget()).anomalies
    assert (anomaly.name, anomaly.witness) == (name, shown)


@pytest.mark.parametrize(
    ("drawing", "sentence"),
    [
        (
            """
            p0    |- cas x [null,3] >
            p1   |- cas x [null,2] --|
            p2                          |- cas x [3,2] |
            """,
            (
                "no order that respects real time explains process 2's cas from 3 to 2 (0.028 s – 0.043 s) "
                "together with the operations of key x before it"
            ),
        ),
        (
            """
            p0   |- write x 1 -| |- read x 1 -|
            p1   |- write x 2 -| |- read x 2 -|
            p2                                   |- read x 1 -|
            p3                                   |- read x 2 -|
            """,
            "no order of the operations of key x that respects real time explains all their results",
        ),
    ],
    ids=["searched", "not searched"],
)
def test_where_a_witness_would_cost_too_much_the_sentence_says_less(drawing: str, sentence: str) -> None:
    with patch.object(witness, "WORK_MAX", 0):
        (anomaly,) = CHECKER.check(timeline(drawing), Budget()).anomalies
    assert (anomaly.witness, anomaly.name) == ((), "nonlinearizable")
    assert anomaly.reason == sentence
