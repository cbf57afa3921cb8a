"""The transactional store as the harness sees it: every bug and claim is told whole, and what is said of phases is seen in runs."""

from __future__ import annotations

from dataclasses import fields

import pytest

from harness.protocols import Target
from harness.registry import Registry, load
from nemesis import FAULTS
from targets import TARGETS
from targets.node.programs import PROGRAMS
from targets.txn.bugs import ATOMIC, CYCLES
from targets.txn.claims import CRASHED, OUTAGE_S
from targets.txn.store.bugs import Bugs
from tests.simulation import run, why

REGISTRY = Registry("target", TARGETS)
SEED = 1
ALL = [REGISTRY.get(name) for name in TARGETS if name.startswith("txn/")]


@pytest.mark.parametrize("target", ALL, ids=lambda target: target.name)
def test_a_variant_is_told_whole(target: Target) -> None:
    assert target.program in PROGRAMS.values()
    assert callable(load(target.program))
    assert callable(load(target.client))
    assert len(target.bugs) >= 6
    assert all(bug.checker in (ATOMIC, CYCLES) and bug.source and set(bug.faults) <= set(FAULTS) for bug in target.bugs)
    assert all(claim.source and claim.workload in target.workloads for claim in target.claims)


def test_every_sentence_of_the_textbook_has_a_half_that_holds_and_one_that_breaks() -> None:
    claims = [claim for target in ALL for claim in target.claims]
    held = {claim.topic for claim in claims if not claim.violates}
    # That two phases block is the other half of what is said of three.
    assert {claim.topic for claim in claims if claim.violates} == held


def test_the_program_knows_the_bugs_that_its_targets_name_and_no_others() -> None:
    named = {bug.name for target in ALL for bug in target.bugs}
    assert {field.name.replace("_", "-") for field in fields(Bugs)} == named


def test_two_phases_block_for_as_long_as_the_coordinator_is_down_and_three_do_not() -> None:
    """One seed, the same crash between the phases: what differs is the number of phases."""
    blocked_s = {}
    for name in ("txn/2pc", "txn/3pc"):
        report = run(
            name, seed=SEED, claim={"txn/2pc": "atomic-though-the-coordinator-dies"}.get(name, "does-not-block")
        )
        assert report.results["verdict"] == "valid", why(report)
        (verdict,) = [one for one in report.results["checkers"] if one["checker"] == ATOMIC]
        blocked_s[name] = verdict["stats"]["blocked_s"]["max"]
    assert CRASHED["schedule"][0]["end_s"] - CRASHED["schedule"][0]["start_s"] == OUTAGE_S
    assert OUTAGE_S - 0.5 < blocked_s["txn/2pc"] < OUTAGE_S + 2
    assert blocked_s["txn/3pc"] < 3
