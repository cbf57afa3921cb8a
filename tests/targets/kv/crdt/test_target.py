"""The replicated data types and counters as the harness sees them: the tables, the programs, and what every bug must say."""

from __future__ import annotations

import dataclasses

import pytest

from checkers import CHECKERS
from harness.protocols import Bug, Target
from harness.registry import Registry, load
from harness.workloads import WORKLOADS
from nemesis import FAULTS
from targets import TARGETS
from targets.kv.counter.bugs import Bugs as CounterBugs
from targets.kv.counter_target import AT_LEAST_ONCE, AT_MOST_ONCE, EXACTLY_ONCE
from targets.kv.crdt.bugs import Bugs as CrdtBugs
from targets.kv.crdt_target import BROADCAST, G_COUNTER, G_SET, OR_SET, PN_COUNTER, UNIQUE_IDS
from targets.node.programs import PROGRAMS
from tests.simulation import run, why

TYPES = (BROADCAST, G_SET, OR_SET, G_COUNTER, PN_COUNTER, UNIQUE_IDS)
COUNTERS = (EXACTLY_ONCE, AT_LEAST_ONCE, AT_MOST_ONCE)
ALL = (*TYPES, *COUNTERS)
BUGS = [(target, bug) for target in ALL for bug in target.bugs]


@pytest.mark.parametrize("target", ALL, ids=lambda target: target.name)
def test_a_target_stands_in_the_tables_and_can_be_loaded(target: Target) -> None:
    assert Registry("target", TARGETS).get(target.name) is target
    assert target.program in PROGRAMS.values()
    assert callable(load(target.program))
    assert callable(load(target.client))
    assert set(target.workloads) <= set(WORKLOADS)
    assert all(claim.workload in target.workloads and claim.statement for claim in target.claims)
    assert target.claims


@pytest.mark.parametrize(("target", "bug"), BUGS, ids=lambda part: part.name)
def test_a_bug_names_its_checker_and_its_faults(target: Target, bug: Bug) -> None:
    assert bug.checker in CHECKERS
    assert set(bug.faults) <= set(FAULTS)
    assert bug.summary
    known = CounterBugs if target in COUNTERS else CrdtBugs
    assert known.named(bug.name) != known()


@pytest.mark.parametrize("target", [*TYPES, EXACTLY_ONCE], ids=lambda target: target.name)
def test_every_variant_has_bugs_of_its_own(target: Target) -> None:
    names = [bug.name for bug in target.bugs]
    assert len(names) == len(set(names)) >= 6


def test_every_flag_is_a_bug_of_some_target() -> None:
    for flags, targets in ((CrdtBugs, TYPES), (CounterBugs, COUNTERS)):
        flagged = {field.name.replace("_", "-") for field in dataclasses.fields(flags)}
        assert flagged == {bug.name for target in targets for bug in target.bugs}


@pytest.mark.parametrize(
    "target", [G_SET, OR_SET, PN_COUNTER, UNIQUE_IDS, EXACTLY_ONCE], ids=lambda target: target.name
)
def test_a_short_run_under_faults_is_valid(target: Target) -> None:
    report = run(
        target.name, seed=1, nemesis="partition,kill", time_limit_s=8.0, recovery_s=5.0, interval_s=2.0, rate=30.0
    )
    assert report.results["verdict"] == "valid", why(report)
