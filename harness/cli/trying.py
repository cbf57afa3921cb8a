"""One run of one claim, in whatever process: planned, conducted, judged, told as an Outcome. Infrastructure that fails is tried again."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from harness import store
from harness.claims import Case
from harness.cli import tables
from harness.cli.judging import judge_run, write_reports
from harness.cli.planning import Request, make_plan, repeat_command
from harness.cli.run import conduct_plan
from harness.errors import EXIT_BROKEN, SplitbrainError
from harness.plan import Plan
from harness.protocols import Target
from harness.verification import Outcome
from reports.report import Report

TRIES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A run to be made. ``keep`` keeps the directories also of valid simulated runs, which their seed repeats."""

    case: Case
    cluster: str
    seed: int
    store: Path
    settings: Mapping[str, Any]
    known: bool = False
    keep: bool = False
    bug: str | None = None


class Judged(NamedTuple):
    """A run that was made: in short, and as reports show it."""

    outcome: Outcome
    report: Report


def plan_of(attempt: Attempt) -> Plan:
    """The plan of this run. Raises PlanError."""
    request = Request(
        target=attempt.case.target,
        cluster=attempt.cluster,
        seed=attempt.seed,
        claim=attempt.case.claim,
        bug=attempt.bug,
        settings=attempt.settings,
    )
    return make_plan(request)


def attempt_run(attempt: Attempt) -> tuple[Outcome, list[dict[str, Any]]]:
    """What the run said, and a line for the ledger per failure of the infrastructure; a verdict is never asked for twice.

    Raises PlanError.
    """
    ledger: list[dict[str, Any]] = []
    for number in range(1, TRIES_MAX + 1):
        try:
            return judge_attempt(attempt).outcome, ledger
        except SplitbrainError as error:
            if error.exit_code != EXIT_BROKEN:
                raise
            ledger.append(_entry(attempt, number, str(error)))
    reason = f"the infrastructure failed {TRIES_MAX} times, last: {ledger[-1]['error']}"
    outcome = Outcome(cluster=attempt.cluster, seed=attempt.seed, verdict="unknown", reason=reason, known=attempt.known)
    return outcome, ledger


def judge_attempt(attempt: Attempt) -> Judged:
    """The run, made once. Raises PlanError for what cannot be run, TargetError or ClusterError where the infrastructure failed."""
    plan = plan_of(attempt)
    directory = store.create(attempt.store, plan)
    conduct_plan(plan, directory)
    report = judge_run(directory, repeat=_repeat(attempt, plan, directory))
    outcome = _outcome(attempt, report, directory)
    simulated = getattr(tables.clusters().get(plan.cluster), "simulated", False)
    if outcome.verdict == "valid" and simulated and not attempt.keep:
        shutil.rmtree(directory.path)
    else:
        write_reports(directory, report)
    return Judged(outcome, report)


def _outcome(attempt: Attempt, report: Report, directory: store.Run) -> Outcome:
    results = report.results
    found = results["anomalies"]
    complete = [report.time_ns[report.history.rows_of(anomaly["ops"])].max() for anomaly in found if anomaly["ops"]]
    return Outcome(
        cluster=attempt.cluster,
        seed=attempt.seed,
        verdict=results["verdict"],
        reason=results["reason"],
        findings=tuple(sorted({f"{anomaly['checker']}/{anomaly['name']}" for anomaly in found})),
        faults=tuple(sorted({fault["kind"] for fault in results["faults"] if fault["bit"]})),
        ops=len(report.history.calls()),
        detect_s=round(float(min(complete)) / 1e9, 6) if complete else None,
        run=str(directory.path),
        repeat=results["repeat"],
        known=attempt.known,
    )


def _repeat(attempt: Attempt, plan: Plan, directory: store.Run) -> str:
    """A claim of the target is repeated by its name; one from a file may have a schedule that only the run's directory holds."""
    target: Target = tables.targets().get(plan.target)
    if attempt.case.claim in target.claims:
        return repeat_command(plan, None, attempt.case.claim.name)
    if "schedule" in attempt.case.claim.settings:
        return f"splitbrain replay {directory.path}"
    return repeat_command(plan)


def _entry(attempt: Attempt, number: int, error: str) -> dict[str, Any]:
    return {
        "version": 1,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "claim": attempt.case.name,
        "cluster": attempt.cluster,
        "seed": attempt.seed,
        "try": number,
        "error": error,
    }
