"""Whole simulated runs for tests: from a seed to a judged report, in this process."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from harness import store
from harness.cli.judging import judge_run
from harness.cli.planning import Request, make_plan, repeat_command
from harness.cli.run import conduct_plan
from harness.plan import Plan
from reports.report import Report

TRIES = 8  # of a bug on a real cluster


def plan_of(target: str = "kv/raft", *, seed: int, cluster: str = "sim", **wishes: Any) -> Plan:
    """The plan of ``target`` with this seed; ``wishes`` are fields of Request, or of its settings."""
    settings = {name: wishes.pop(name) for name in list(wishes) if name not in Request.__dataclass_fields__}
    return make_plan(Request(target=target, cluster=cluster, seed=seed, settings=settings, **wishes))


def conduct(plan: Plan, *, path: Path | None = None, claim: str | None = None) -> Report:
    """Carry out ``plan`` and judge it. Files go to ``path`` or are dropped."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = store.create(path or Path(scratch), plan)
        conduct_plan(plan, directory)
        return judge_run(directory, repeat=repeat_command(plan, claim=claim))


def run(target: str = "kv/raft", *, seed: int, path: Path | None = None, **wishes: Any) -> Report:
    """Run ``target`` with this seed and judge it: ``plan_of`` and ``conduct`` in one."""
    return conduct(plan_of(target, seed=seed, **wishes), path=path, claim=wishes.get("claim"))


def caught(target: str = "kv/raft", *, path: Path, **wishes: Any) -> Report:
    """The first run, seed after seed, that is invalid. For bugs on real clusters: timing is real there, so one may need another try."""
    for seed in range(TRIES):
        report = run(target, seed=seed, path=path / str(seed), **wishes)
        if report.results["verdict"] == "invalid":
            return report
    raise AssertionError(f"nothing was found in {TRIES} runs: {why(report)}")


def why(report: Report) -> str:
    """The verdict in words, for the failure text of a test."""
    results = report.results
    return f"{results['verdict']}: {results['reason']}\n  {results['repeat']}"


def assert_kept(report: Report) -> None:
    """A run that kept what was promised, and that nothing was spared: every planned kind of fault came, bit and was healed."""
    faults = report.results["faults"]
    assert report.results["verdict"] == "valid", why(report)
    assert all(fault["bit"] and fault["healed"] for fault in faults), why(report)
    assert {fault["kind"] for fault in faults} == set(report.results["plan"]["nemesis"]), why(report)
