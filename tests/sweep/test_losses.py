"""Asynchronous replication: what a new primary forgets, and the sentence that says how much that is."""

from __future__ import annotations

import re

import pytest

from tests.simulation import run, why

pytestmark = pytest.mark.sweep

# Of ten runs at least so many must lose acknowledged writes: if fewer did, the nemesis would hardly reach the primary.
LOSSES_MIN = 7
# What the sentence of a losing run begins with.
LOST = re.compile(r"lost (?P<lost>[\d,]+) of (?P<acknowledged>[\d,]+) acknowledged adds \([\d.]+ %\)")


@pytest.mark.parametrize("fault", ["partition", "kill"])
def test_asynchronous_replication_loses_acknowledged_writes_and_says_how_many(fault: str) -> None:
    losses = 0
    for seed in range(10):
        report = run("kv/primary-async", seed=seed, nemesis=fault, time_limit_s=60.0, rate=40.0)
        results = report.results
        assert all(fault["bit"] and fault["healed"] for fault in results["faults"]), why(report)
        assert {anomaly["name"] for anomaly in results["anomalies"]} <= {"lost"}, why(report)
        stats = next(found["stats"] for found in results["checkers"] if found["checker"] == "set")
        told = LOST.match(results["reason"])
        assert (told is not None) == (stats["lost_acknowledged"] > 0) == (results["verdict"] == "invalid"), why(report)
        if told:
            losses += 1
            assert int(told["lost"].replace(",", "")) == stats["lost_acknowledged"]
            assert int(told["acknowledged"].replace(",", "")) == stats["acknowledged"]
    assert losses >= LOSSES_MIN
