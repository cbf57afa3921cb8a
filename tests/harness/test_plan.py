"""A plan is validated with all errors at once, and survives its file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.errors import PlanError
from harness.plan import Plan

PLAN = Plan(target="kv/raft", workload="register", cluster="sim", nodes=("n1", "n2"), options={"snapshot_entries": 50})


def test_a_plan_survives_its_file() -> None:
    assert Plan.from_json(json.loads(PLAN.dumps()), "plan.json") == PLAN


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"nodes": ()}, "--nodes"),
        ({"nodes": ("n1", "n1")}, "node names must differ"),
        ({"concurrency": 0}, "--concurrency must be 1 to 10000, not 0"),
        ({"rate": 0}, "--rate"),
        ({"time_limit_s": -1}, "--time-limit"),
        ({"op_timeout_s": 0}, "--op-timeout"),
        ({"recovery_s": 0, "progress_s": 1}, "--recovery"),
        ({"progress_s": 11}, "--progress"),
        ({"interval_s": 0}, "--interval"),
        ({"options": {"Bad Name": 1}}, "option names"),
    ],
)
def test_each_number_has_bounds(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanError, match=sentence):
        replace(PLAN, **changes)


def test_all_errors_are_told_at_once() -> None:
    with pytest.raises(PlanError, match="--concurrency.*--rate"):
        replace(PLAN, concurrency=0, rate=-1.0)
