"""A node that crashes by itself is a finding, whatever the clients saw."""

from __future__ import annotations

import pytest

from harness.nodelogs import count_events, judge_logs
from harness.verdict import Validity

CALM = {
    "n1": [{"t": 0.1, "event": "start"}, {"t": 2.0, "event": "leader", "term": 1}],
    "n2": [{"t": None, "line": "x"}],
}


def test_a_crash_is_invalid_and_says_who_when_and_why() -> None:
    logs = {**CALM, "n3": [{"t": 12.5, "event": "crash", "error": "KeyError: 'x'", "traceback": "..."}]}
    verdict = judge_logs(logs)
    assert verdict.validity is Validity.INVALID
    assert [a.reason for a in verdict.anomalies] == ["n3 crashed by itself 12.500 s into the run: KeyError: 'x'"]


def test_a_crash_without_a_time_is_told_by_the_end_of_its_traceback() -> None:
    verdict = judge_logs({"n1": [{"t": None, "event": "crash", "traceback": "Traceback\n  ...\nValueError: no\n"}]})
    assert verdict.reason == "n1 crashed by itself: ValueError: no"


def test_nodes_that_only_start_and_lead_are_fine() -> None:
    assert judge_logs(CALM).validity is Validity.VALID
    assert judge_logs({}).validity is Validity.VALID


@pytest.mark.parametrize(
    ("error", "validity"),
    [
        ("OSError: [Errno 28] No space left on device: 'log'", Validity.VALID),
        ("OSError: [Errno 5] Input/output error", Validity.VALID),
        ("OSError: [Errno 98] Address already in use", Validity.INVALID),
        ("KeyError: 'x'", Validity.INVALID),
    ],
)
def test_a_node_may_end_of_a_disk_that_refuses_and_of_nothing_else(error: str, validity: Validity) -> None:
    logs = {**CALM, "n3": [{"t": 12.5, "event": "crash", "error": error}]}
    assert judge_logs(logs, refused={"n3"}).validity is validity
    assert judge_logs(logs, refused={"n1"}).validity is Validity.INVALID


def test_who_ended_of_its_disk_is_told() -> None:
    line = {"t": 12.5, "event": "crash", "error": "OSError: [Errno 28] No space left on device"}
    verdict = judge_logs({"n3": [line, line]}, refused={"n3"})
    assert verdict.reason == "no node crashed by itself, but for 2 times when its disk refused (n3)"
    assert verdict.stats == {"refused": 2}


def test_events_are_counted_over_all_nodes() -> None:
    assert count_events(CALM, "leader") == 1
