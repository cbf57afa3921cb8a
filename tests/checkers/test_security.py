"""The checker ``security``: what got in, what went unnoticed, what was read of an impostor's; and what is no anomaly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checkers.security import make
from harness.history import History
from harness.op import Op
from harness.verdict import Budget, ReadsNodeLogs, Validity, Verdict


def attempt(
    number: int, outcome: str, *, node: str = "n1", by: str = "x1", answer: Any = 1001, kind: str = "no-token"
) -> dict[str, Any]:
    told = {"number": number, "kind": kind, "node": node, "by": by, "answer": answer, "outcome": outcome}
    return {"t": 1.0, "event": "attempt", **told, "mark": f"impostor/{number}"}


def campaign(*kinds: str) -> dict[str, Any]:
    return {"t": 0.5, "event": "campaign", "kinds": list(kinds), "nodes": ["n1", "n2"]}


def alarm(seq: int | None = None, by: str = "x1", client: str = "impostor") -> dict[str, Any]:
    request = {} if seq is None else {"client": client, "seq": seq}
    return {"t": 1.0, "event": "intrusion", "by": by, "why": "there is no token", **request}


def judged(logs: Mapping[str, list[dict[str, Any]]], *reads: Any) -> Verdict:
    ops = []
    for value in reads:
        read = Op(process=0, f="read", key=1, value=None)
        ops += [read, read.ok(value)]
    checker = make()
    assert isinstance(checker, ReadsNodeLogs)
    return checker.with_logs(logs).check(History.of(ops), Budget())


def names(verdict: Verdict) -> list[str]:
    return [anomaly.name for anomaly in verdict.anomalies]


def test_all_refused_and_noticed_is_valid() -> None:
    impostor = [
        attempt(1, "refused"),
        attempt(2, "refused", by="10.0.0.9:4000", answer="closed"),
        attempt(3, "unheard", answer=None),
    ]
    verdict = judged({"n1": [alarm(1), alarm(by="10.0.0.9:4000")], "impostor": impostor}, 5, None)
    assert verdict.validity is Validity.VALID
    assert (verdict.stats["attempts"], verdict.stats["met_a_node"], verdict.stats["false_alarms"]) == (3, 2, 0)


def test_what_was_let_in_is_an_anomaly_whatever_it_was_answered() -> None:
    for answer in ("ok", 11, 22):
        assert names(judged({"n1": [], "impostor": [attempt(1, "let-in", answer=answer)]})) == ["let-in"]


def test_what_is_in_no_log_or_in_another_nodes_went_unnoticed() -> None:
    for logs in ({"n1": []}, {"n2": [alarm(1)]}, {"n1": [alarm(2)]}, {"n1": [alarm(by="x2")]}):
        assert names(judged({**logs, "impostor": [attempt(1, "refused")]})) == ["unnoticed"]


def test_what_an_impostor_wrote_must_not_be_read_wherever_it_stands() -> None:
    logs = {"n1": [alarm(1)], "impostor": [attempt(1, "refused")]}
    for value in ("impostor/1", ["a", "impostor/9"], {"x": {"y": "impostor/1"}}):
        assert names(judged(logs, 5, value)) == ["unauthorized-write"]
    assert judged(logs, "impostors", "an impostor/1").validity is Validity.VALID


def test_others_that_were_refused_are_false_alarms_and_no_anomaly() -> None:
    verdict = judged({"n1": [alarm(1), alarm(4, by="c3", client="c3")], "impostor": [attempt(1, "refused")]})
    assert verdict.validity is Validity.VALID
    assert verdict.stats["false_alarms"] == 1
    assert verdict.reason.endswith("1 false alarm")


def test_where_nobody_met_a_node_nothing_is_known() -> None:
    for logs in ({}, {"impostor": []}, {"n1": [], "impostor": [attempt(1, "unheard", answer=None)]}):
        assert judged(logs).validity is Validity.UNKNOWN
    assert make().check(History.of([]), Budget()).validity is Validity.UNKNOWN


def test_of_a_kind_that_met_nobody_nothing_is_known() -> None:
    begun = campaign("no-token", "alg-none")
    for more in ([], [attempt(2, "unheard", answer=None, kind="alg-none")]):
        verdict = judged({"n1": [alarm(1)], "impostor": [begun, attempt(1, "refused"), *more]})
        assert verdict.validity is Validity.UNKNOWN
        assert verdict.reason == "no attempt of the kind alg-none has met a node"
    both = [begun, attempt(1, "refused"), begun, attempt(2, "refused", kind="alg-none", node="n2")]
    assert judged({"n1": [alarm(1)], "n2": [alarm(2)], "impostor": both}).validity is Validity.VALID


def test_what_was_let_in_is_an_anomaly_even_where_kinds_are_missed() -> None:
    impostor = [campaign("no-token", "alg-none"), attempt(1, "let-in", answer="believed")]
    assert names(judged({"n1": [], "impostor": impostor})) == ["let-in"]


def test_broken_lines_are_no_crash() -> None:
    logs = {
        "n1": [{"event": "intrusion", "client": "impostor", "seq": [1]}],
        "impostor": [{"event": "attempt"}, {"t": None}, {"event": "campaign"}, {"event": "campaign", "kinds": [[1]]}],
    }
    assert judged(logs).validity is Validity.INVALID
