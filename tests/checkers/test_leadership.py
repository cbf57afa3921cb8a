"""One leader per term, by the nodes' own words."""

from __future__ import annotations

from typing import Any

import pytest

from checkers.leadership import make
from harness.history import History
from harness.verdict import Budget, ReadsNodeLogs, Validity, Verdict

Logs = dict[str, list[dict[str, Any]]]


def leader(term: object, time_s: object = 1.0, role: str = "leader") -> dict[str, Any]:
    return {"t": time_s, "event": role, "term": term}


def judged(logs: Logs, **options: str) -> Verdict:
    checker = make(**options)
    assert isinstance(checker, ReadsNodeLogs)
    return checker.with_logs(logs).check(History.of([]), Budget())


def test_two_leaders_of_one_term_are_named_with_their_times() -> None:
    verdict = judged({"n2": [leader(3, 2.5)], "n1": [leader(2, 1.0), leader(3, 2.25)], "n3": [leader(4, None)]})
    assert verdict.validity is Validity.INVALID
    assert [(a.name, a.reason) for a in verdict.anomalies] == [
        ("two-leaders", "in term 3, n1 (since 2.250 s) and n2 (since 2.500 s) were leader")
    ]
    assert verdict.stats == {"terms": 3, "terms_with_two_leaders": 1}


def test_every_term_with_two_leaders_is_counted() -> None:
    logs = {node: [leader(term) for term in range(20)] for node in ("n1", "n2")}
    verdict = judged(logs)
    assert len(verdict.anomalies) == 8
    assert verdict.reason.endswith("(and in 19 more terms of 20)")


@pytest.mark.parametrize(
    "logs",
    [
        {"n1": [leader(1), leader(3)], "n2": [leader(2)]},
        {"n1": [leader(1), {"event": "start"}, leader(1)]},  # after a restart, perhaps: it is the same node
        {"n1": [leader(1)], "n2": [{"event": "follower", "term": 1}, {"t": None, "line": "event leader term 1"}]},
        {"n1": [leader(1)], "n2": [leader("1"), leader(True), leader(None)]},  # terms that are no numbers say nothing
    ],
)
def test_one_leader_per_term_is_fine(logs: Logs) -> None:
    assert judged(logs).validity is Validity.VALID


def test_the_role_has_the_target_s_name() -> None:
    logs = {"n1": [leader(1, role="primary")], "n2": [leader(1, role="primary")]}
    assert judged(logs, role="primary").validity is Validity.INVALID
    assert judged(logs).validity is Validity.UNKNOWN  # nobody was leader


def test_without_logs_nothing_is_known() -> None:
    verdict = make().check(History.of([]), Budget())
    assert verdict.validity is Validity.UNKNOWN
    assert "logs" in verdict.reason
