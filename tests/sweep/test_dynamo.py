"""Many seeds of kv/dynamo: the correct variants keep what they promise under every fault, every seeded bug is found.

The seeds are fixed, so these tests are as repeatable as any: a failure names the command that shows it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.protocols import Bug, Target
from harness.workloads.eventual import SETTLE_S
from targets.kv.dynamo_target import DYNAMO, DYNAMO_HLC, DYNAMO_LWW
from tests.simulation import run, why
from tests.sweep.seeds import FIRSTS, chunk

pytestmark = pytest.mark.sweep

ALL = (DYNAMO, DYNAMO_LWW, DYNAMO_HLC)
BUG_SEEDS_MAX = 50
SPLIT = {"kind": "partition", "start_s": 5, "end_s": 20, "args": {"shape": "halves"}}
TWIN_SEEDS = 5
# What each variant promises under all faults, beside its default: (workload, settings).
PROMISES: dict[str, tuple[dict[str, Any], ...]] = {
    "kv/dynamo": (
        {},
        {"options": {"r": 1, "w": 1}},
        {"workload": "eventual-deletes"},
        {"workload": "eventual-set", "rate": 30.0},
    ),
    "kv/dynamo-lww": ({}, {"options": {"r": 1, "w": 1}}),
    "kv/dynamo-hlc": ({}, {"workload": "kv", "options": {"sloppy": False, "write_back": True}}),
}


@pytest.mark.parametrize("first", FIRSTS)
@pytest.mark.parametrize("target", ALL, ids=lambda target: target.name)
def test_a_correct_variant_is_valid_under_all_faults(target: Target, first: int) -> None:
    promises = PROMISES[target.name]
    for seed in chunk(first):
        report = run(target.name, seed=seed, nemesis="all", time_limit_s=30.0, **promises[seed % len(promises)])
        assert report.results["verdict"] == "valid", why(report)
        assert {fault["kind"] for fault in report.results["faults"]} == set(report.results["plan"]["nemesis"])


@pytest.mark.parametrize("first", FIRSTS)
def test_nodes_agree_within_five_seconds_of_the_heal(first: int, tmp_path: Path) -> None:
    """A partition ends with the heal, and nobody writes after it: nothing but the repairs brings replicas together."""
    schedule = tmp_path / "split.json"
    schedule.write_text(json.dumps({"version": 1, "faults": [SPLIT]}))
    for seed in chunk(first):
        report = run(
            "kv/dynamo",
            seed=seed,
            schedule=schedule,
            time_limit_s=20.0,
            recovery_s=0.1,
            progress_s=0.1,
            options={"r": 1, "w": 1},
        )
        assert report.results["verdict"] == "valid", why(report)
        (verdict,) = [checker for checker in report.results["checkers"] if checker["checker"] == "convergence"]
        assert 0 < verdict["stats"]["time_to_converge_s"]["1"] <= SETTLE_S, why(report)


@pytest.mark.parametrize(
    ("target", "bug"), [pytest.param(t, bug, id=f"{t.name}-{bug.name}") for t in ALL for bug in t.bugs]
)
def test_every_seeded_bug_is_found_and_the_correct_node_is_not_blamed(target: Target, bug: Bug) -> None:
    for seed in range(BUG_SEEDS_MAX):
        report = run(target.name, seed=seed, bug=bug.name)
        results = report.results
        if results["verdict"] == "invalid":
            assert bug.checker in {anomaly["checker"] for anomaly in results["anomalies"]}, why(report)
            break
    else:
        pytest.fail(f"{bug.name} was not found in {BUG_SEEDS_MAX} seeds")
    for correct in range(min(seed + 1, TWIN_SEEDS)):
        twin = run(target.name, seed=correct, nemesis=",".join(bug.faults), **bug.settings)
        assert twin.results["verdict"] == "valid", why(twin)
