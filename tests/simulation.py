"""Whole simulated runs for tests: from a seed to a judged report, in this process."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from harness import store
from harness.cli.judging import judge_run
from harness.cli.planning import Request, make_plan, repeat_command
from harness.cli.run import conduct_plan
from reports.report import Report


def run(target: str = "kv/raft", *, seed: int, path: Path | None = None, cluster: str = "sim", **wishes: Any) -> Report:
    """Run ``target`` with this seed and judge it; ``wishes`` are fields of Request. Files go to ``path`` or are dropped."""
    settings = {name: wishes.pop(name) for name in list(wishes) if name not in Request.__dataclass_fields__}
    plan = make_plan(Request(target=target, cluster=cluster, seed=seed, settings=settings, **wishes))
    with tempfile.TemporaryDirectory() as scratch:
        directory = store.create(path or Path(scratch), plan)
        conduct_plan(plan, directory)
        return judge_run(directory, repeat=repeat_command(plan, claim=wishes.get("claim")))


def why(report: Report) -> str:
    """The verdict in words, for the failure text of a test."""
    results = report.results
    return f"{results['verdict']}: {results['reason']}\n  {results['repeat']}"
