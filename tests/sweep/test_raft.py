"""Many seeds of kv/raft: the correct node keeps its promises under every fault, every seeded bug is found.

The seeds are fixed, so these tests are as repeatable as any: a failure names the command that shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from harness.protocols import Bug
from harness.results import HEAL_GRACE_S
from reports.report import Report
from targets.kv.target import RAFT
from tests.simulation import run, why
from tests.sweep.seeds import FIRSTS, chunk

pytestmark = pytest.mark.sweep

# Of ten runs at least nine must have lost their leader to a fault: a nemesis that never does that tests nothing.
ELECTIONS_MIN = 9
BUG_SEEDS_MAX = 50


def elected_by_a_fault(report: Report) -> bool:
    """Whether a new leader came up while a fault held, or just after it."""
    faults = report.results["faults"]
    terms = [line for log in report.node_logs.values() for line in log if line.get("event") == "leader"]
    first = min((line["term"] for line in terms), default=0)
    return any(
        line["term"] > first and any(f["start_s"] <= line["t"] <= f["end_s"] + HEAL_GRACE_S for f in faults)
        for line in terms
    )


def unproved(faults: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [fault for fault in faults if not (fault["bit"] and fault["healed"])]


@pytest.mark.parametrize("first", FIRSTS)
def test_the_correct_node_is_valid_under_all_faults(first: int) -> None:
    elections = 0
    for seed in chunk(first):
        report = run(seed=seed, nemesis="all", time_limit_s=60.0)
        assert report.results["verdict"] == "valid", why(report)
        assert not unproved(report.results["faults"]), why(report)
        assert {fault["kind"] for fault in report.results["faults"]} == set(report.results["plan"]["nemesis"])
        elections += elected_by_a_fault(report)
    assert elections >= ELECTIONS_MIN


@pytest.mark.parametrize("bug", RAFT.bugs, ids=lambda bug: bug.name)
def test_every_seeded_bug_is_found_and_the_correct_node_is_not_blamed(bug: Bug) -> None:
    for seed in range(BUG_SEEDS_MAX):
        report = run(seed=seed, bug=bug.name)
        results = report.results
        if results["verdict"] == "invalid":
            blamed = {anomaly["checker"] for anomaly in results["anomalies"]}
            assert bug.checker in blamed, why(report)
            assert all(anomaly["reason"] for anomaly in results["anomalies"])
            break
    else:
        pytest.fail(f"{bug.name} was not found in {BUG_SEEDS_MAX} seeds")
    settings = {name: value for name, value in bug.settings.items() if name in ("nodes", "rate", "interval_s")}
    for correct in range(min(seed + 1, 5)):
        twin = run(seed=correct, nemesis=",".join(bug.faults) or "none", **settings)
        assert twin.results["verdict"] == "valid", why(twin)
