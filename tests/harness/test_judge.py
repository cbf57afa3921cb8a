"""Verdicts are merged by the worst, and a checker that fails is never a pass."""

from __future__ import annotations

import pytest

from harness.history import History
from harness.judge import judge, substance
from harness.verdict import Anomaly, Budget, Validity, Verdict, worst
from tests.builders import history


class Fixed:
    name = "fixed"

    def __init__(self, answer: Verdict | Exception) -> None:
        self.answer = answer

    def check(self, history: History, budget: Budget) -> Verdict:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def verdict(validity: Validity, *anomalies: Anomaly) -> Verdict:
    return Verdict(checker="fixed", validity=validity, reason="because", anomalies=anomalies)


ANOMALY = Anomaly(checker="fixed", name="lost-write", ops=(1,), reason="it was lost")
EMPTY = History.of([])


@pytest.mark.parametrize(
    ("validities", "expected"),
    [
        ([], Validity.UNKNOWN),
        ([Validity.VALID], Validity.VALID),
        ([Validity.VALID, Validity.UNKNOWN], Validity.UNKNOWN),
        ([Validity.UNKNOWN, Validity.INVALID, Validity.VALID], Validity.INVALID),
    ],
)
def test_the_worst_wins(validities: list[Validity], expected: Validity) -> None:
    assert worst([verdict(v) for v in validities]) is expected


@pytest.mark.parametrize("error", [ValueError("boom"), MemoryError(), RecursionError()])
def test_a_crashing_checker_is_unknown(error: Exception) -> None:
    [answer] = judge(EMPTY, [Fixed(error)], Budget())
    assert answer.validity is Validity.UNKNOWN
    assert answer.reason


def test_a_history_in_which_nothing_succeeded_is_unknown() -> None:
    assert substance(EMPTY).validity is Validity.UNKNOWN
    assert substance(history("p0 invoke read x _\np0 fail read x _")).validity is Validity.UNKNOWN
    assert substance(history("p0 invoke read x _\np0 ok read x 1")).validity is Validity.VALID


def test_invalid_without_evidence_is_unknown() -> None:
    assert judge(EMPTY, [Fixed(verdict(Validity.INVALID))], Budget())[0].validity is Validity.UNKNOWN
    assert judge(EMPTY, [Fixed(verdict(Validity.INVALID, ANOMALY))], Budget())[0].validity is Validity.INVALID
