"""What every claim must be, before any run of it: of a workload that exists, with a plan that can be made."""

from __future__ import annotations

import pytest

from harness.cli.judging import checkers_of
from harness.cli.planning import Request, make_plan
from harness.protocols import Claim
from harness.registry import Registry
from targets import TARGETS

_REGISTRY: Registry = Registry("target", TARGETS)
CLAIMS = [
    pytest.param(name, claim, id=f"{name}-{claim.name}") for name in TARGETS for claim in _REGISTRY.get(name).claims
]


@pytest.mark.parametrize(("target", "claim"), CLAIMS)
def test_a_claim_gives_a_plan_and_checkers_that_judge_it(target: str, claim: Claim) -> None:
    plan = make_plan(Request(target=target, cluster="sim", seed=0, claim=claim.name))
    assert plan.workload == claim.workload
    assert set(plan.nemesis) == set(claim.faults)
    assert set(claim.checkers) <= {checker.name for checker in checkers_of(plan)}


@pytest.mark.parametrize(("target", "claim"), CLAIMS)
def test_a_claim_is_told_in_words(target: str, claim: Claim) -> None:
    assert claim.topic
    assert claim.statement
    assert claim.model
    assert claim.seeds > 0


@pytest.mark.parametrize("target", TARGETS)
def test_names_of_claims_differ(target: str) -> None:
    names = [claim.name for claim in _REGISTRY.get(target).claims]
    assert len(names) == len(set(names))
