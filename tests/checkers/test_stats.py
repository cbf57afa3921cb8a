"""Counts of a run, word for word and number for number."""

from __future__ import annotations

from typing import Any

import pytest

from checkers import latency, stats
from checkers.stats import error_class
from harness.verdict import Budget, Validity
from tests.builders import history

RUN = """\
p0 invoke write x 1 node=n1                          time=1s
p1 invoke read x _ node=n2                           time=1.5s
p0 ok write x 1 node=n1                              time=2s
nemesis info start-kill - {"id": 3, "kind": "kill"}  time=2.5s
nemesis info start-kill - {"id": 3, "targets": ["n1"], "bit": true} time=2.6s
p1 fail read x _ node=n2 error=unavailable           time=3s
nemesis info stop-kill - {"id": 3}                   time=3.5s
nemesis info stop-kill - {"id": 3, "healed": true}   time=3.6s
p1 invoke cas x [1,2] node=n2                        time=3.7s
p1 info cas x [1,2] node=n2 error=timeout            time=3.8s
p0 invoke write x 3 node=n1                          time=3.9s
p0 ok write x 3 node=n1                              time=4s
"""


def test_counts() -> None:
    verdict = stats.make().check(history(RUN), Budget())
    assert verdict.validity is Validity.VALID
    assert verdict.reason == "4 operations: 2 ok, 1 fail, 1 info"
    assert verdict.stats == {
        "operations": 4,
        "ok": 2,
        "fail": 1,
        "info": 1,
        "by_f": {
            "write": {"ok": 2, "fail": 0, "info": 0},
            "read": {"ok": 0, "fail": 1, "info": 0},
            "cas": {"ok": 0, "fail": 0, "info": 1},
        },
        "by_node": {"n1": {"ok": 2, "fail": 0, "info": 0}, "n2": {"ok": 0, "fail": 1, "info": 1}},
        "errors": {"timeout": 1, "unavailable": 1},
        # The write of 1 was over before the fault began; only the read was in flight.
        "faults": [{"id": 3, "kind": "kill", "targets": ["n1"], "in_flight": 1, "ok": 0, "fail": 1, "info": 0}],
        "duration_s": 4.0,
        "operations_per_s": 1.0,
    }


def test_an_operation_of_unknown_outcome_is_in_flight_from_its_invocation_on() -> None:
    crashed = "p5 invoke write x 9 time=0.1s\np5 info write x 9 time=0.2s\n"
    (fault,) = stats.make().check(history(crashed + RUN), Budget()).stats["faults"]
    assert (fault["in_flight"], fault["info"]) == (2, 1)


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        ("timeout", "timeout"),
        ("indeterminate: the connection broke after 3 tries", "indeterminate"),
        (["no-client", "refused by 10.0.0.1"], "no-client"),
        ({"type": "txn-conflict", "text": "t17 and t18"}, "txn-conflict"),
        ({"code": 11, "text": "no leader"}, "11"),
        ({"why": 1}, '{"why": 1}'),
        (13, "13"),
        ([], "[]"),
    ],
)
def test_errors_are_counted_by_class(error: Any, wanted: str) -> None:
    assert error_class(error) == wanted


def test_twenty_classes_of_errors_are_listed_and_rates_have_three_decimals() -> None:
    lines = "".join(f"p0 invoke read x _ time=7s\np0 fail read x _ error=e{number} time=7s\n" for number in range(25))
    told = stats.make().check(history(lines), Budget()).stats
    assert (len(told["errors"]), told["operations_per_s"]) == (20, 3.571)


def test_no_history_is_counted_too() -> None:
    verdict = stats.make().check(history(""), Budget())
    assert verdict.reason == "0 operations: 0 ok, 0 fail, 0 info"
    assert verdict.stats["operations_per_s"] is None


def test_latencies() -> None:
    verdict = latency.make().check(history(RUN), Budget())
    assert verdict.validity is Validity.VALID
    assert verdict.reason == "the slowest operation that succeeded, a write, took 1,000.000 ms"
    assert verdict.stats["latency_ms"] == {"write": {"0.5": 100.0, "0.9": 1000.0, "0.99": 1000.0, "1": 1000.0}}
    assert [(part["start_s"], part["end_s"]) for part in verdict.stats["over_time"]] == [(1.0, 2.0), (3.0, 4.0)]
    assert verdict.stats["over_time"][1]["latency_ms"]["write"]["1"] == 100.0


def test_latencies_over_a_long_run_are_at_most_sixty() -> None:
    text = "".join(f"p0 invoke write x {i} time={i}s\np0 ok write x {i} time={i}s\n" for i in range(1000))
    parts = latency.make().check(history(text), Budget()).stats["over_time"]
    assert 50 <= len(parts) <= 60


def test_latencies_of_nothing() -> None:
    assert "no operation succeeded" in latency.make().check(history(""), Budget()).reason
