"""Faults that elect: a nemesis that never costs a leader its place tests nothing, so of ten runs at least nine must see a new one."""

from __future__ import annotations

import pytest

from harness.results import HEAL_GRACE_S
from reports.report import Report
from tests.simulation import assert_kept, run
from tests.sweep.seeds import FIRSTS, chunk

pytestmark = pytest.mark.sweep

ELECTIONS_MIN = 9


def elected_by_a_fault(report: Report) -> bool:
    """Whether a new leader or primary came up while a fault held, or just after it."""
    faults = report.results["faults"]
    terms = [line for log in report.node_logs.values() for line in log if line.get("event") in ("leader", "primary")]
    first = min((line["term"] for line in terms), default=0)
    return any(
        line["term"] > first and any(f["start_s"] <= line["t"] <= f["end_s"] + HEAL_GRACE_S for f in faults)
        for line in terms
    )


@pytest.mark.parametrize(
    ("target", "workload"),
    [("kv/raft", "register"), ("kv/primary-sync", "linearizable-set"), ("kv/primary-sync", "register")],
)
@pytest.mark.parametrize("first", FIRSTS)
def test_faults_cost_leaders_their_place_and_nothing_is_lost(target: str, workload: str, first: int) -> None:
    elections, seeds = 0, chunk(first)
    for seed in seeds:
        report = run(target, seed=seed, nemesis="all", workload=workload, time_limit_s=60.0, rate=30.0)
        assert_kept(report)
        assert set(report.results["plan"]["nemesis"]) >= {"partition", "packet", "kill", "pause", "clock"}
        assert report.results["stats"]["elections"] > 0
        elections += elected_by_a_fault(report)
    assert elections >= ELECTIONS_MIN * len(seeds) // 10
