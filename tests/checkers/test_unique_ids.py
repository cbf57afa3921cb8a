"""Unique ids: words by goldens, verdicts against the definition."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.unique_ids import make
from harness.op import Op, OpType
from harness.verdict import Budget, Validity
from tests.builders import timeline
from tests.checkers.loose import stamped
from tests.checkers.weak_goldens import cases, kind, told

CASES = cases("unique_ids")


@pytest.mark.parametrize(("comment", "options", "drawing", "wanted"), CASES, ids=lambda text: text[:40])
def test_golden(comment: str, options: str, drawing: str, wanted: str) -> None:
    assert told("unique_ids", options, drawing) == wanted
    assert wanted.split(maxsplit=1)[0] == kind(comment)


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 1.0, True, "1", "a", None, [1], [True]]), st.sampled_from(["ok", "info", "fail"]))
    )
)
def test_verdicts_are_those_of_the_definition(completions: list[tuple[object, str]]) -> None:
    ops = []
    for process, (value, outcome) in enumerate(completions):
        call = Op(process=process, f="generate")
        ops += [call, Op(process=process, f="generate", type=OpType(outcome), value=value)]
    verdict = make().check(stamped(ops), Budget())
    times = Counter(repr(value) for value, outcome in completions if outcome == "ok")
    twice = [name for name, number in times.items() if number > 1]
    assert (verdict.validity is Validity.INVALID) == bool(twice)
    assert verdict.stats["duplicated_ids"] == len(twice)
    assert (verdict.validity is Validity.UNKNOWN) == (times.total() < 2)


def test_figures() -> None:
    drawing = "p0 |-- generate - 7 --| |-- generate - 3 --| |-- generate - 9 --!"
    stats = make().check(timeline(drawing), Budget()).stats
    assert stats == {"attempted": 3, "acknowledged": 2, "duplicated_ids": 0, "range": [3, 7]}
    mixed = make().check(timeline('p0 |-- generate - 7 --| |-- generate - "7" --|'), Budget())
    assert mixed.stats["range"] is None


def test_an_id_that_was_given_out_often_is_told_briefly() -> None:
    ops = [op for process in range(12) for call in [Op(process=process, f="generate")] for op in (call, call.ok(7))]
    (anomaly,) = make().check(stamped(ops), Budget()).anomalies
    assert anomaly.reason.startswith("the id 7 was given out 12 times: to process 0 (")
    assert anomaly.reason.endswith("and 2 more")
    assert anomaly.witness == (0, 1, 2, 3)


def test_many_ids_that_were_given_out_twice_are_counted_and_some_are_told() -> None:
    ops = [op for n in range(24) for call in [Op(process=n, f="generate")] for op in (call, call.ok(n % 12))]
    verdict = make().check(stamped(ops), Budget())
    assert len(verdict.anomalies) == 8
    assert verdict.stats["duplicated_ids"] == 12
