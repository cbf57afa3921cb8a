"""Echo: verdicts against the definition, and the words."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from checkers.echo import ANOMALIES_MAX, make
from harness.op import Op
from harness.verdict import Budget, Validity
from tests.checkers.loose import stamped

VALUES = [1, 1.0, True, "1", "a", None, [1], [True]]


def ops(pairs: list[tuple[Any, Any, str]]) -> list[Op]:
    lines = []
    for process, (asked, answered, outcome) in enumerate(pairs):
        call = Op(process=process, f="echo", value=asked)
        lines += [call, {"ok": call.ok(answered), "fail": call.fail("no"), "info": call.info("timeout")}[outcome]]
    return lines


@given(st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from(VALUES), st.sampled_from(["ok", "fail", "info"]))))
def test_verdicts_are_those_of_the_definition(pairs: list[tuple[Any, Any, str]]) -> None:
    verdict = make().check(stamped(ops(pairs)), Budget())
    wrong = sum(outcome == "ok" and repr(asked) != repr(answered) for asked, answered, outcome in pairs)
    assert verdict.stats["wrong"] == wrong
    assert len(verdict.anomalies) == min(wrong, ANOMALIES_MAX)
    answers = sum(outcome == "ok" for *_, outcome in pairs)
    assert verdict.validity is (Validity.INVALID if wrong else Validity.VALID if answers else Validity.UNKNOWN)


def test_the_words() -> None:
    verdict = make().check(stamped(ops([("a", "a", "ok"), ("b", "a", "ok"), ("c", None, "ok")])), Budget())
    assert verdict.reason.startswith('process 1 sent "b" (')
    assert verdict.reason.endswith('and got back "a" (1 more answer of 3 wrong)')
    assert (verdict.anomalies[0].name, verdict.anomalies[0].ops) == ("wrong-echo", (2, 3))


def test_of_many_wrong_answers_eight_are_shown() -> None:
    verdict = make().check(stamped(ops([(1, 2, "ok")] * 10)), Budget())
    assert (len(verdict.anomalies), verdict.stats["wrong"]) == (8, 10)
