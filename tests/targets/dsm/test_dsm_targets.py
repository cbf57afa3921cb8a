"""The shared memories as the harness sees them: every bug and claim is told whole, and the models are told apart in runs."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from harness.protocols import Target
from harness.registry import Registry, load
from nemesis import FAULTS
from targets import TARGETS
from targets.dsm.memory.bugs import Bugs
from targets.node.programs import PROGRAMS
from tests.simulation import run, why

REGISTRY = Registry("target", TARGETS)
ALL = [REGISTRY.get(name) for name in TARGETS if name.startswith("dsm/")]
BRIEF: dict[str, Any] = {
    "time_limit_s": 3.0,
    "rate": 300.0,
    "concurrency": 20,
    "nemesis": "none",
    "recovery_s": 0.5,
    "progress_s": 0.5,
}


@pytest.mark.parametrize("target", ALL, ids=lambda target: target.name)
def test_a_variant_is_told_whole(target: Target) -> None:
    assert target.program in PROGRAMS.values()
    assert callable(load(target.program))
    assert callable(load(target.client))
    assert len(target.bugs) >= 6
    assert all(bug.checker in ("coherence", "linearizable", "litmus") and bug.source for bug in target.bugs)
    assert all(set(bug.faults) <= set(FAULTS) for bug in target.bugs)
    assert all(claim.source and claim.workload in target.workloads for claim in target.claims)


def test_every_sentence_of_the_textbook_has_a_half_that_holds_and_one_that_breaks() -> None:
    claims = [claim for target in ALL for claim in target.claims]
    held = {claim.topic for claim in claims if not claim.violates}
    assert {claim.topic for claim in claims if claim.violates} == held


def test_the_program_knows_the_bugs_that_its_targets_name_and_no_others() -> None:
    named = {bug.name for target in ALL for bug in target.bugs}
    assert {field.name.replace("_", "-") for field in fields(Bugs)} == named


def outcomes(target: str, workload: str, **wishes: Any) -> dict[str, dict[str, Any]]:
    report = run(target, seed=1, workload=workload, **BRIEF, **wishes)
    assert report.results["verdict"] == "valid", why(report)
    (litmus,) = [checker for checker in report.results["checkers"] if checker["checker"] == "litmus"]
    found: dict[str, dict[str, Any]] = litmus["stats"]["outcomes"]
    return found


def freedom(found: dict[str, dict[str, Any]]) -> set[str]:
    """The tests that showed an outcome which sequential consistency forbids."""
    return {name for name, seen in found.items() if any("sc" not in row["allowed_by"] for row in seen.values())}


def test_store_buffers_show_that_they_are_there_and_by_nothing_else() -> None:
    assert freedom(outcomes("dsm/store-buffer", "litmus-tso")) == {"SB"}


def test_release_consistency_is_weaker_and_not_where_threads_synchronize() -> None:
    seen = freedom(outcomes("dsm/release", "litmus-rc"))
    assert "SB" in seen
    assert seen <= {"SB", "MP", "LB", "IRIW", "2+2W"}


@pytest.mark.parametrize("size", [1, 16])
@pytest.mark.parametrize("target", ["dsm/msi", "dsm/mesi"])
def test_directories_are_sequentially_consistent_whatever_a_page_is(target: str, size: int) -> None:
    assert not freedom(outcomes(target, "litmus", options={"page_size": size}))
