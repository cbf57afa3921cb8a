"""Atomic commit: words by goldens, what nodes say of themselves, and random votes and decisions against the definition."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.commits.check import make
from harness.history import History
from harness.op import Op
from harness.verdict import Budget, ReadsNodeLogs, Validity, Verdict
from tests.builders import history
from tests.checkers.weak_goldens import cases, kind, told

CASES = cases("atomic_commit")
Logs = dict[str, list[dict[str, Any]]]


@pytest.mark.parametrize(("comment", "options", "drawing", "wanted"), CASES, ids=lambda text: text[:40])
def test_golden(comment: str, options: str, drawing: str, wanted: str) -> None:
    assert told("atomic_commit", options, drawing) == wanted
    assert wanted.split(maxsplit=1)[0] == kind(comment)


def vote(time_s: float, txn: str = "t1", cast: str = "yes") -> dict[str, Any]:
    return {"t": time_s, "event": "vote", "txn": txn, "vote": cast}


def decide(time_s: float, outcome: str = "commit", txn: str = "t1") -> dict[str, Any]:
    return {"t": time_s, "event": "decide", "txn": txn, "outcome": outcome}


TEN_SECONDS = "p0 invoke commit t1 _ time=0s\np0 info commit t1 _ time=10s"


def judged(logs: Logs, text: str = TEN_SECONDS, **options: float) -> Verdict:
    checker = make(**options)
    assert isinstance(checker, ReadsNodeLogs)
    return checker.with_logs(logs).check(history(text), Budget())


def test_what_nodes_log_is_judged() -> None:
    verdict = judged({"n1": [vote(1), decide(2)], "n2": [vote(1), decide(2.5, "abort")]})
    assert [(a.name, a.reason, a.ops) for a in verdict.anomalies] == [
        ("disagreement", "n1 committed transaction t1 at 2.000 s, but n2 aborted it at 2.500 s", ())
    ]
    assert verdict.stats["blocked_s"] == {"total": 2.5, "max": 1.5}


def test_who_never_learns_the_outcome_is_blocked_to_the_end() -> None:
    logs = {"n1": [vote(1), decide(2)], "n2": [vote(1.5)]}
    verdict = judged(logs)
    assert verdict.validity is Validity.VALID
    assert verdict.stats["blocked_s"] == {"total": 9.5, "max": 8.5}
    assert verdict.reason.endswith("a participant waited for the outcome for at most 8.500 s")
    (anomaly,) = judged(logs, blocked_max_s=2).anomalies
    assert anomaly.reason == "n2 had voted yes for transaction t1 and did not know the outcome from 1.500 s to 10.000 s"


@pytest.mark.parametrize(
    ("logs", "names"),
    [
        ({"n1": [vote(1), decide(2), vote(3), decide(4)], "n2": [decide(2)]}, []),  # told again after a restart
        ({"n1": [vote(1, cast="no"), vote(2)], "n2": [vote(1), decide(3)]}, ["commit-despite-no"]),
        (
            {
                "n1": [vote(1, cast="no"), decide(2, "abort")],
                "n2": [vote(1), decide(3, "abort")],
                "n3": [decide(1, txn="t2")],
            },
            [],
        ),
        ({"n1": [decide(2), decide(3, "abort")], "n2": [decide(2)]}, ["changed-decision"]),
    ],
)
def test_votes_and_decisions(logs: Logs, names: list[str]) -> None:
    verdict = judged(logs)
    assert [anomaly.name for anomaly in verdict.anomalies] == names
    assert verdict.validity is (Validity.INVALID if names else Validity.VALID)


@pytest.mark.parametrize(
    "line", [{"event": "vote", "txn": 1, "vote": "perhaps"}, {"event": "decide", "txn": 1, "outcome": None}]
)
def test_a_line_that_makes_no_sense_is_unknown(line: dict[str, Any]) -> None:
    verdict = judged({"n1": [line]})
    assert verdict.validity is Validity.UNKNOWN
    assert "must be one of" in verdict.reason


LINES = st.lists(
    st.tuples(
        st.sampled_from(["n1", "n2", "n3"]),
        st.sampled_from(["t1", "t2"]),
        st.sampled_from(["yes", "no", "commit", "abort"]),
    ),
    max_size=8,
)


@given(
    LINES,
    st.lists(
        st.tuples(st.sampled_from(["t1", "t2"]), st.sampled_from(["commit", "abort", "fail", "info"])), max_size=3
    ),
)
def test_verdicts_are_those_of_the_definition(
    lines: list[tuple[str, str, str]], answers: list[tuple[str, str]]
) -> None:
    logs: Logs = {"n1": [], "n2": [], "n3": []}
    for time_s, (node, txn, what) in enumerate(lines):
        logs[node].append(vote(time_s, txn, what) if what in ("yes", "no") else decide(time_s, what, txn))
    ops: list[Op] = []
    for process, (txn, answer) in enumerate(answers):
        call = Op(process=process, f="commit", key=txn)
        done = {"fail": call.fail("no"), "info": call.info("?")}.get(answer, call.ok(answer))
        ops += [call, done]
    verdict = make().with_logs(logs).check(History.of(ops), Budget())  # type: ignore[attr-defined]  # it reads logs
    did = {txn: {(node, what) for node, name, what in lines if name == txn} for txn in ("t1", "t2")}
    wanted = set()
    for txn, known in did.items():
        commits, aborts = ({node for node, what in known if what == outcome} for outcome in ("commit", "abort"))
        if commits & aborts:
            wanted.add("changed-decision")
        elif commits and aborts:
            wanted.add("disagreement")
        if commits and any(what == "no" for _, what in known):
            wanted.add("commit-despite-no")
        told = {answer for name, answer in answers if name == txn}
        if ("commit" in told and aborts) or (told & {"abort", "fail"} and commits):
            wanted.add("wrong-answer")
    assert {anomaly.name for anomaly in verdict.anomalies} == wanted
    if not wanted:
        sure = any(what == "commit" for _, _, what in lines)
        several = len({node for node, _, what in lines if what != "no"}) > 1
        assert (verdict.validity is Validity.VALID) == (sure and several)
