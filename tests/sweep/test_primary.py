"""Many seeds of kv/primary: what each variant promises it keeps under every fault, what async may lose it loses, every bug is found.

The seeds are fixed, so these tests are as repeatable as any: a failure names the command that shows it.
"""

from __future__ import annotations

import re

import pytest

from harness.protocols import Bug
from harness.results import HEAL_GRACE_S
from reports.report import Report
from targets.kv.primary_target import PRIMARY_ASYNC, PRIMARY_SYNC
from tests.simulation import run, why
from tests.sweep.seeds import FIRSTS, chunk

pytestmark = pytest.mark.sweep

# Of ten runs at least nine must have lost their primary to a fault: a nemesis that never does that tests nothing.
FAILOVERS_MIN = 9
# Of ten runs at least so many must lose acknowledged writes: if fewer did, the nemesis would hardly reach the primary.
LOSSES_MIN = 7
BUG_SEEDS_MAX = 50
TWINS_MAX = 5

# What the sentence of a losing run begins with.
LOST = re.compile(r"lost (?P<lost>[\d,]+) of (?P<acknowledged>[\d,]+) acknowledged adds \([\d.]+ %\)")
BUGS = [(target, bug) for target in (PRIMARY_SYNC, PRIMARY_ASYNC) for bug in target.bugs]


def replaced_by_a_fault(report: Report) -> bool:
    """Whether a new primary came up while a fault held, or just after it."""
    faults = report.results["faults"]
    terms = [line for log in report.node_logs.values() for line in log if line.get("event") == "primary"]
    first = min((line["term"] for line in terms), default=0)
    return any(
        line["term"] > first and any(f["start_s"] <= line["t"] <= f["end_s"] + HEAL_GRACE_S for f in faults)
        for line in terms
    )


def assert_faults_held(report: Report) -> None:
    """Every planned kind of fault came, and every fault bit and was healed."""
    faults = report.results["faults"]
    assert all(fault["bit"] and fault["healed"] for fault in faults), why(report)
    assert {fault["kind"] for fault in faults} == set(report.results["plan"]["nemesis"]), why(report)


@pytest.mark.parametrize("workload", [PRIMARY_SYNC.workloads[0], "register"])
@pytest.mark.parametrize("first", FIRSTS)
def test_synchronous_is_valid_under_all_faults(workload: str, first: int) -> None:
    failovers = 0
    for seed in chunk(first):
        report = run("kv/primary-sync", seed=seed, nemesis="all", workload=workload, time_limit_s=60.0)
        assert report.results["verdict"] == "valid", why(report)
        assert_faults_held(report)
        assert set(report.results["plan"]["nemesis"]) >= {"partition", "packet", "kill", "pause", "clock"}
        assert report.results["stats"]["elections"] > 0
        failovers += replaced_by_a_fault(report)
    assert failovers >= FAILOVERS_MIN


@pytest.mark.parametrize("fault", ["partition", "kill"])
def test_asynchronous_loses_acknowledged_writes_and_says_how_many(fault: str) -> None:
    losses = 0
    for seed in chunk(0):
        report = run("kv/primary-async", seed=seed, nemesis=fault, time_limit_s=60.0)
        results = report.results
        assert_faults_held(report)
        assert {anomaly["name"] for anomaly in results["anomalies"]} <= {"lost"}, why(report)
        stats = next(found["stats"] for found in results["checkers"] if found["checker"] == "set")
        told = LOST.match(results["reason"])
        assert (told is not None) == (stats["lost_acknowledged"] > 0) == (results["verdict"] == "invalid"), why(report)
        if told:
            losses += 1
            assert int(told["lost"].replace(",", "")) == stats["lost_acknowledged"]
            assert int(told["acknowledged"].replace(",", "")) == stats["acknowledged"]
    assert losses >= LOSSES_MIN


@pytest.mark.parametrize(("target", "bug"), [pytest.param(t.name, b, id=f"{t.name}-{b.name}") for t, b in BUGS])
def test_every_seeded_bug_is_found_and_the_correct_node_is_not_blamed(target: str, bug: Bug) -> None:
    for seed in range(BUG_SEEDS_MAX):
        report = run(target, seed=seed, bug=bug.name)
        if bug.checker in {anomaly["checker"] for anomaly in report.results["anomalies"]}:
            assert report.results["verdict"] == "invalid"
            assert all(anomaly["reason"] for anomaly in report.results["anomalies"])
            break
    else:
        pytest.fail(f"{bug.name} was not found by {bug.checker} in {BUG_SEEDS_MAX} seeds")
    for correct in range(min(seed + 1, TWINS_MAX)):
        twin = run(target, seed=correct, nemesis=",".join(bug.faults), **bug.settings)
        assert twin.results["verdict"] == "valid", why(twin)
