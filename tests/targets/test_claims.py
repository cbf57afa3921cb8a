"""What every claim must be, before any run of it: of a workload that exists, with a plan that can be made."""

from __future__ import annotations

import pytest

from harness.cli.judging import checkers_of
from harness.cli.planning import Request, make_plan
from harness.protocols import Claim, Target
from harness.registry import Registry
from targets import TARGETS
from tests.harness.clusters.docker.running import needs_docker
from tests.harness.clusters.local.running import needs_namespaces

_REGISTRY: Registry = Registry("target", TARGETS)


# Where plans are made: the first of these that a target can run on.
NEEDS = {"sim": (), "local": needs_namespaces, "docker": needs_docker}


def cluster_for(target: Target) -> str:
    return next(name for name in NEEDS if not target.hosts or name in target.hosts)


ALL: list[Target] = [_REGISTRY.get(name) for name in TARGETS]
CLAIMS = [
    pytest.param(target, claim, id=f"{target.name}-{claim.name}", marks=NEEDS[cluster_for(target)])
    for target in ALL
    for claim in target.claims
]


@pytest.mark.parametrize(("target", "claim"), CLAIMS)
def test_a_claim_gives_a_plan_and_checkers_that_judge_it(target: Target, claim: Claim) -> None:
    plan = make_plan(Request(target=target.name, cluster=cluster_for(target), seed=0, claim=claim.name))
    assert plan.workload == claim.workload
    assert set(plan.nemesis) == set(claim.faults)
    assert set(claim.checkers) <= {checker.name for checker in checkers_of(plan)}


@pytest.mark.parametrize(("target", "claim"), CLAIMS)
def test_a_claim_is_told_in_words(target: Target, claim: Claim) -> None:
    assert claim.topic
    assert claim.statement
    assert claim.model
    assert claim.seeds > 0


@pytest.mark.parametrize("target", ALL, ids=lambda target: target.name)
def test_names_of_claims_differ(target: Target) -> None:
    names = [claim.name for claim in target.claims]
    assert len(names) == len(set(names))
