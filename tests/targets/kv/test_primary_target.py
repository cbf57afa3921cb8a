"""The targets of leader-follower replication as the harness sees them."""

from __future__ import annotations

import pytest

from checkers import CHECKERS
from harness.protocols import Bug, Target
from harness.registry import Registry, load
from harness.workloads import WORKLOADS
from nemesis import FAULTS
from targets import TARGETS
from targets.kv.primary_target import PRIMARY_ASYNC, PRIMARY_SYNC
from targets.node.programs import PROGRAMS

BOTH = pytest.mark.parametrize("target", [PRIMARY_SYNC, PRIMARY_ASYNC], ids=lambda target: target.name)
BUGS = [
    pytest.param(target, bug, id=f"{target.name}-{bug.name}")
    for target in (PRIMARY_SYNC, PRIMARY_ASYNC)
    for bug in target.bugs
]


@BOTH
def test_the_target_stands_in_the_table(target: Target) -> None:
    assert Registry("target", TARGETS).get(target.name) is target
    assert target.program == PROGRAMS["kv/primary"]
    assert callable(load(target.program))
    assert callable(load(target.client))
    assert set(target.workloads) <= set(WORKLOADS)


@BOTH
def test_names_of_bugs_differ(target: Target) -> None:
    names = [bug.name for bug in target.bugs]
    assert len(names) == len(set(names)) >= 6


@pytest.mark.parametrize(("target", "bug"), BUGS)
def test_a_bug_names_what_finds_it(target: Target, bug: Bug) -> None:
    assert bug.checker in CHECKERS
    assert bug.settings["workload"] in target.workloads
    assert set(bug.faults) <= set(FAULTS)
    assert bug.source
    assert bug.summary


@BOTH
def test_what_breaks_has_a_promise_beside_it(target: Target) -> None:
    both = (*PRIMARY_SYNC.claims, *PRIMARY_ASYNC.claims)
    promised = {claim.topic for claim in both if not claim.violates}
    assert {claim.topic for claim in target.claims} <= promised
    assert {claim.topic for claim in both if claim.violates} == promised
