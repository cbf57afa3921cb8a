"""What kv/dynamo and its variants keep besides their defaults and their claims."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.workloads.eventual import SETTLE_S
from tests.simulation import assert_kept, run, why
from tests.sweep.cases import BRIEF
from tests.sweep.seeds import FIRSTS, chunk

pytestmark = pytest.mark.sweep

SPLIT = {"kind": "partition", "start_s": 5, "end_s": 20, "args": {"shape": "halves"}}
ONE = {"r": 1, "w": 1}
# Settings under which a variant promises the same under all faults; seeds take turns.
PROMISES: dict[str, tuple[dict[str, Any], ...]] = {
    "kv/dynamo": ({"options": ONE}, {"workload": "eventual-deletes"}, {"workload": "eventual-set"}),
    "kv/dynamo-lww": ({"options": ONE},),
    "kv/dynamo-hlc": ({"workload": "kv", "options": {"sloppy": False, "write_back": True}},),
}


@pytest.mark.parametrize("first", FIRSTS)
@pytest.mark.parametrize("target", PROMISES)
def test_a_correct_variant_is_valid_under_all_faults(target: str, first: int) -> None:
    promises = PROMISES[target]
    for seed in chunk(first):
        assert_kept(run(target, seed=seed, nemesis="all", **BRIEF, **promises[seed % len(promises)]))


@pytest.mark.parametrize("first", FIRSTS)
def test_nodes_agree_within_five_seconds_of_the_heal(first: int, tmp_path: Path) -> None:
    """A partition ends with the heal, and nobody writes after it: nothing but the repairs brings replicas together."""
    schedule = tmp_path / "split.json"
    schedule.write_text(json.dumps({"version": 1, "faults": [SPLIT]}))
    brief = {"time_limit_s": 20.0, "recovery_s": 0.1, "progress_s": 0.1}
    for seed in chunk(first):
        report = run("kv/dynamo", seed=seed, schedule=schedule, options=ONE, **brief)
        assert report.results["verdict"] == "valid", why(report)
        (verdict,) = [checker for checker in report.results["checkers"] if checker["checker"] == "convergence"]
        assert 0 < verdict["stats"]["time_to_converge_s"]["1"] <= SETTLE_S, why(report)
