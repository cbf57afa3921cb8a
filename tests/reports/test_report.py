"""Which anomaly the sentence for the whole run tells of, whoever wrote the document."""

from __future__ import annotations

from typing import Any

import pytest

from harness.history import History
from reports.report import Report, told_in


@pytest.mark.parametrize(
    ("whole", "part", "told"),
    [
        ("lost 2 of 9 acknowledged adds: 7 is gone", "7 is gone", True),
        ("7 is gone", "7 is gone", True),
        ("lost 2 of 9 acknowledged adds: 7 is gone", "8 is gone", False),
        (None, "8 is gone", False),
        (["8 is gone"], "8 is gone", False),
        ("8 is gone", 8, False),
    ],
)
def test_whether_an_anomaly_has_been_told(whole: Any, part: Any, told: bool) -> None:
    assert told_in({"reason": whole}, {"reason": part}) == told


def test_what_the_whole_tells_of_comes_first() -> None:
    small, told = {"reason": "8 is gone", "witness": [1]}, {"reason": "7 is gone", "witness": [1, 2, 3]}
    results = {"reason": "lost 2 of 9: 7 is gone", "anomalies": [small, told]}
    assert Report(results=results, history=History.of([])).anomalies == [told, small]
