"""Times with bounds: verdicts are the definition's, moment by moment; and each way to be wrong is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.time_bounds import make
from harness.history import History
from harness.op import NEMESIS, Op, OpType
from harness.verdict import Budget, Validity, Verdict

SECOND_NS = 1_000_000_000
Answer = tuple[int, int, int, int]  # from, to, the time that was told, its bound: whole seconds
Fault = tuple[int, int, tuple[str, ...]]  # from, to, whom it hit


def history_of(answers: list[Answer], faults: list[Fault]) -> History:
    """Each answer is asked for and given at its own seconds; the truth is the time since the beginning."""
    lines: list[tuple[float, Op]] = []
    for number, (start, end, told, bound) in enumerate(answers):
        asked = Op(f="now", process=number, time_ns=start * SECOND_NS)
        given_ = Op(
            f="now",
            type=OpType.OK,
            process=number,
            time_ns=end * SECOND_NS,
            value={"time_s": told, "bound_s": bound},
            extra={"true_s": [start, end]},
        )
        lines += [(start, asked), (end + 0.5, given_)]
    for number, (start, end, hit) in enumerate(faults):
        for at, f in ((start, "start-clock"), (end, "stop-clock")):
            value = {"id": number, "targets": list(hit), "bit": True, "healed": True}
            for _ in range(2):
                op = Op(f=f, type=OpType.INFO, process=NEMESIS, time_ns=at * SECOND_NS, value=value)
                lines.append((at + (0.6 if f == "stop-clock" else -0.1), op))
    ordered = [op for _, op in sorted(lines, key=lambda line: line[0])]
    return History.of(op.stamped(index, op.time_ns, None) for index, op in enumerate(ordered))


def judged(answers: list[Answer], faults: list[Fault] | None = None, **options: Any) -> Verdict:
    return make(**options).check(history_of(answers, faults or []), Budget())


ANSWERS = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 3), st.integers(-3, 12), st.integers(0, 3)).map(
        lambda a: (a[0], a[0] + a[1], a[2], a[3])
    ),
    min_size=1,
    max_size=4,
)
FAULTS = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 3), st.sets(st.sampled_from(["n1", "n2", "n3", "n4"]), min_size=1)).map(
        lambda f: (f[0], f[0] + f[1], tuple(sorted(f[2])))
    ),
    max_size=3,
)


@given(ANSWERS, FAULTS, st.integers(0, 2), st.integers(0, 2))
def test_verdicts_are_those_of_the_definition(
    answers: list[Answer], faults: list[Fault], liars_max: int, age_s: int
) -> None:
    references = ("n1", "n2", "n3")
    wrong = excused = 0
    for start, end, told, bound in answers:
        right = any(abs(told - moment) <= bound for moment in range(start, end + 1))
        liars = {
            node
            for fault_start, fault_end, hit in faults
            if any(fault_start <= moment <= fault_end for moment in range(start - age_s, end + 1))
            for node in hit
            if node in references
        }
        promised = len(liars) <= liars_max
        wrong += promised and not right
        excused += not promised and not right
    verdict = judged(answers, faults, references=references, liars_max=liars_max, age_s=age_s, bound_max_s=99)
    assert verdict.stats["anomalies"].get("out-of-bound", 0) == wrong
    assert verdict.stats["anomalies"].get("wrong-beyond-the-promise", 0) == excused
    assert (verdict.validity is Validity.INVALID) == (wrong > 0)


def test_the_words() -> None:
    verdict = judged([(1, 1, 1, 0), (2, 3, 5, 1)])
    assert verdict.reason == (
        "the time that process 1 was told at 3.00 s is 2.000000 s ahead of the truth, but is promised to be off by 1.000000 s at most"
    )
    assert [anomaly.name for anomaly in verdict.anomalies] == ["out-of-bound"]
    assert judged([(1, 2, 1, 0)]).validity is Validity.VALID
    assert judged([(1, 2, 1, 0)]).reason == "1 answer right within their bounds, of 0 ms in the median"


def test_a_bound_that_is_worth_nothing_is_no_answer() -> None:
    verdict = judged([(1, 1, 1, 30)])
    assert [anomaly.name for anomaly in verdict.anomalies] == ["vague"]
    assert "worth nothing" in verdict.reason


def test_where_nothing_was_promised_nothing_is_known() -> None:
    verdict = judged([(1, 1, 9, 0)], [(0, 2, ("n1", "n2"))], references=("n1", "n2", "n3"), liars_max=1)
    assert verdict.validity is Validity.UNKNOWN
    assert judged([]).validity is Validity.UNKNOWN


def test_unless_it_is_said_no_reference_may_be_wrong_and_none_is_remembered() -> None:
    references = ("n1", "n2", "n3")
    assert judged([(1, 1, 9, 0)], [(0, 2, ("n1",))], references=references).validity is Validity.UNKNOWN
    assert judged([(1, 1, 9, 0)], [(0, 0, ("n1",))], references=references).validity is Validity.INVALID


@pytest.mark.parametrize(
    "op",
    [
        Op(f="read", index=1, time_ns=2, process=1, type=OpType.OK),
        Op(f="now", index=1, time_ns=2, process=1, type=OpType.OK, value=7),
        Op(f="now", index=1, time_ns=2, process=1, type=OpType.OK, value={"time_s": 1.0, "bound_s": 1.0}),
    ],
)
def test_what_is_no_answer_is_unknown(op: Op) -> None:
    asked = Op(f=op.f, index=0, time_ns=1, process=1)
    verdict = make().check(History.of([asked, op]), Budget())
    assert verdict.validity is Validity.UNKNOWN
    assert "not a history of clocks" in verdict.reason
