"""The queues as the harness sees them: every bug, claim and variant is told whole."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from checkers import CHECKERS
from harness.protocols import Bug, Claim, Target
from harness.registry import Registry, load
from harness.workloads import WORKLOADS
from nemesis import FAULTS
from targets import TARGETS
from targets.node.programs import PROGRAMS
from targets.queue.broker.bugs import Bugs as BrokerBugs
from targets.queue.log.bugs import Bugs as LogBugs
from tests import simulation

REGISTRY = Registry("target", TARGETS)
ALL = [REGISTRY.get(name) for name in TARGETS if name.startswith("queue/")]
BUGS = [pytest.param(target, bug, id=f"{target.name}-{bug.name}") for target in ALL for bug in target.bugs]
CLAIMS = [pytest.param(target, claim, id=f"{target.name}-{claim.name}") for target in ALL for claim in target.claims]


@pytest.mark.parametrize("target", ALL, ids=lambda target: target.name)
def test_a_variant_is_an_option_of_a_program_that_nodes_know(target: Target) -> None:
    assert target.program in PROGRAMS.values()
    assert callable(load(target.program))
    assert callable(load(target.client))
    assert set(target.workloads) <= set(WORKLOADS)
    assert target.claims


@pytest.mark.parametrize(("target", "bug"), BUGS)
def test_a_bug_names_what_finds_it(target: Target, bug: Bug) -> None:
    assert bug.checker in CHECKERS
    assert bug.settings.get("workload", target.workloads[0]) in target.workloads
    assert set(bug.faults) <= set(FAULTS)
    assert bug.source
    assert bug.summary


@pytest.mark.parametrize(("target", "claim"), CLAIMS)
def test_a_claim_names_its_source_and_a_workload_of_its_target(target: Target, claim: Claim) -> None:
    assert claim.workload in target.workloads
    assert claim.source
    assert claim.statement.endswith(".")


@pytest.mark.parametrize("family", ["queue/log", "queue/broker"])
def test_every_sentence_of_the_textbook_has_a_half_that_holds_and_one_that_breaks(family: str) -> None:
    claims = [claim for target in ALL if target.name.startswith(family) for claim in target.claims]
    held = {claim.topic for claim in claims if not claim.violates}
    assert {claim.topic for claim in claims if claim.violates} == held


@pytest.mark.parametrize(("family", "flags"), [("queue/log", LogBugs), ("queue/broker", BrokerBugs)])
def test_a_program_knows_the_bugs_that_its_targets_name_and_no_others(family: str, flags: Any) -> None:
    named = [bug.name for target in ALL if target.name.startswith(family) for bug in target.bugs]
    assert len(named) == len(set(named)) >= 8
    assert sorted(field.name.replace("_", "-") for field in fields(flags)) == sorted(named)


def test_an_unknown_bug_is_refused() -> None:
    with pytest.raises(ValueError, match="queue/log has no seeded bug 'nonsense'"):
        LogBugs.named("nonsense")


def test_messages_of_several_priorities_survive_all_faults() -> None:
    report = simulation.run(
        "queue/broker", seed=3, nemesis="all", options={"priorities": 3}, time_limit_s=15.0, rate=20.0, interval_s=3.0
    )
    assert report.results["verdict"] == "valid", simulation.why(report)
