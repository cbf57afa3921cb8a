"""The locks as the harness sees them: every bug and claim is told whole, and what is said of tokens is seen in runs."""

from __future__ import annotations

from dataclasses import fields

import pytest

from harness.protocols import Target
from harness.registry import Registry, load
from nemesis import FAULTS
from targets import TARGETS
from targets.lock.service.bugs import Bugs
from targets.node.programs import PROGRAMS
from tests.simulation import run, why

REGISTRY = Registry("target", TARGETS)
SEED = 2
ALL = [REGISTRY.get(name) for name in TARGETS if name.startswith("lock/")]


@pytest.mark.parametrize("target", ALL, ids=lambda target: target.name)
def test_a_variant_is_told_whole(target: Target) -> None:
    assert target.program in PROGRAMS.values()
    assert callable(load(target.program))
    assert callable(load(target.client))
    assert len(target.bugs) >= 6
    assert all(bug.checker == "locks" and bug.source and set(bug.faults) <= set(FAULTS) for bug in target.bugs)
    assert all(claim.source and claim.workload in target.workloads for claim in target.claims)


def test_every_sentence_of_the_textbook_has_a_half_that_holds_and_one_that_breaks() -> None:
    claims = [claim for target in ALL for claim in target.claims]
    held = {claim.topic for claim in claims if not claim.violates}
    assert {claim.topic for claim in claims if claim.violates} == held


def test_the_program_knows_the_bugs_that_its_targets_name_and_no_others() -> None:
    named = {bug.name for target in ALL for bug in target.bugs}
    assert {field.name.replace("_", "-") for field in fields(Bugs)} == named


def test_late_holders_are_let_at_a_resource_that_trusts_them_and_refused_by_one_that_is_fenced() -> None:
    """One seed, the same faults: what differs is whether the resource looks at tokens."""
    trusting = run("lock/lease", seed=SEED, claim="a-trusting-resource-lets-late-holders-in")
    fenced = run("lock/fenced", seed=SEED, claim="a-fenced-resource-refuses-late-holders")
    assert "stale-token" in {anomaly["name"] for anomaly in trusting.results["anomalies"]}
    assert fenced.results["verdict"] == "valid", why(fenced)
