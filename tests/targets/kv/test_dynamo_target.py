"""The targets of kv/dynamo as the harness sees them: tables, bugs, claims; and short runs that show the difference between them."""

from __future__ import annotations

from dataclasses import fields

import pytest

from checkers import CHECKERS
from harness.protocols import Bug, Claim, Target
from harness.registry import Registry, load
from harness.workloads import WORKLOADS
from nemesis import FAULTS
from targets import TARGETS
from targets.kv.dynamo.bugs import Bugs
from targets.kv.dynamo_target import DYNAMO, DYNAMO_HLC, DYNAMO_LWW
from targets.node.programs import PROGRAMS
from tests.simulation import run, why

ALL = (DYNAMO, DYNAMO_LWW, DYNAMO_HLC)
BUGS = [pytest.param(bug, id=f"{target.name}-{bug.name}") for target in ALL for bug in target.bugs]
CLAIMS = [pytest.param(claim, id=f"{target.name}-{claim.name}") for target in ALL for claim in target.claims]


@pytest.mark.parametrize("target", ALL, ids=lambda target: target.name)
def test_the_targets_stand_in_the_tables(target: Target) -> None:
    assert Registry("target", TARGETS).get(target.name) is target
    assert target.program == PROGRAMS["kv/dynamo"]
    assert callable(load(target.program))
    assert callable(load(target.client))
    assert set(target.workloads) <= set(WORKLOADS)
    names = [bug.name for bug in target.bugs]
    assert len(names) == len(set(names)) >= 6
    claims = [claim.name for claim in target.claims]
    assert len(claims) == len(set(claims))


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_names_its_checker_its_faults_and_its_source(bug: Bug) -> None:
    assert bug.name.replace("-", "_") in {field.name for field in fields(Bugs)}
    assert bug.checker in CHECKERS
    assert set(bug.faults) <= set(FAULTS)
    assert bug.source
    assert bug.summary


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_is_complete(claim: Claim) -> None:
    assert claim.workload in WORKLOADS
    assert set(claim.faults) <= set(FAULTS)
    assert set(claim.checkers) <= set(CHECKERS)
    assert claim.source
    assert claim.statement


def test_every_broken_sentence_has_a_side_that_holds() -> None:
    claims = [claim for target in ALL for claim in target.claims]
    holding = {claim.topic for claim in claims if not claim.violates}
    assert {claim.topic for claim in claims if claim.violates} <= holding


@pytest.mark.parametrize("target", ALL, ids=lambda target: target.name)
def test_a_short_run_under_all_faults_is_valid(target: Target) -> None:
    report = run(target.name, seed=1, nemesis="all", time_limit_s=12.0, rate=50.0, workload_options={"keys": 20})
    assert report.results["verdict"] == "valid", why(report)


def test_wrong_options_are_one_sentence() -> None:
    from harness.errors import TargetError

    with pytest.raises(TargetError, match="option r=4 must be 1 to n=3"):
        run("kv/dynamo", seed=1, nemesis="none", time_limit_s=2.0, options={"r": 4})
