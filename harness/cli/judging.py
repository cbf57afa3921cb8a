"""From a run's directory to its results: load, judge, write results.json and report.html. Needs no process of the target."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from checkers.strength import strength
from checkers.windows import windows_of
from harness import results, store
from harness.cli import tables
from harness.cli.checkers import make_checker, stats_of
from harness.cli.planning import repeat_command
from harness.errors import PlanError
from harness.formats import load_history
from harness.history import History
from harness.judge import judge
from harness.log_patterns import DENYING, judge_patterns
from harness.nodelogs import REFUSING, count_events, judge_logs
from harness.plan import Plan
from harness.protocols import Target
from harness.registry import load
from harness.verdict import Budget, Checker, ReadsNodeLogs, Validity, worst
from harness.workloads.workload import Workload
from reports import REPORTS
from reports.report import Report
from reports.results_json import dumps, loads

# The roles, as node logs tell them, to which a node is elected.
ELECTED = ("leader", "primary")
# Kinds of faults whose runs are judged by a checker of their own, whatever the workload.
OF_FAULTS = {"impostor": "security"}


def checkers_of(plan: Plan) -> list[Checker]:
    """The checkers that the plan's workload, its faults and the plan itself name, with the options that the plan sets."""
    workload: Workload = tables.workloads().get(plan.workload)
    given: Mapping[str, Mapping[str, Any]] = {
        "availability": {"progress_s": plan.progress_s},
        "sanity": {"faults": len(plan.schedule.faults)},
        "sessions": {"concurrency": plan.concurrency},
    }
    wanted = {**dict(workload.checkers), **{OF_FAULTS[kind]: {} for kind in plan.nemesis if kind in OF_FAULTS}}
    for name, options in plan.checkers.items():
        wanted[name] = {**wanted.get(name, {}), **options}
    return [make_checker(name, {**given.get(name, {}), **options}) for name, options in wanted.items()]


def judge_run(run: store.Run, *, budget: Budget | None = None, repeat: str = "") -> Report:
    """Judge a run that has ended (or whose controller died). Writes nothing."""
    plan = run.plan()
    history = load_history(run.history, torn="truncate")
    logs = run.node_logs()
    checkers = [c.with_logs(logs) if isinstance(c, ReadsNodeLogs) else c for c in checkers_of(plan)]
    patterns = judge_patterns(logs, expected=_expected_logs(plan.target), denied=_hit(history, DENYING))
    crashes = judge_logs(logs, refused=_hit(history, {REFUSING}))
    verdicts = [*judge(history, checkers, budget or Budget()), crashes, patterns]
    if worst(verdicts) is Validity.VALID:
        verdicts.append(strength(history, checkers, budget or Budget()))
    document = results.document(
        history=history,
        verdicts=verdicts,
        plan=plan.to_json(),
        run=str(run.path),
        repeat=repeat or previous_repeat(run),
        stats={**stats_of(verdicts), "elections": sum(count_events(logs, role) for role in ELECTED)},
    )
    # As it will be read from its file, so that the report of an old run is drawn just as it was.
    return Report(
        results=loads(dumps(document), str(run.results)), history=history, node_logs=logs, messages=run.messages()
    )


def _expected_logs(target: str) -> tuple[str, ...]:
    """What the target says that its logs may hold; nothing for one that is not here any more."""
    try:
        found: Target = tables.targets().get(target)
    except PlanError:
        return ()
    return found.expected_logs


def _hit(history: History, kinds: Collection[str]) -> set[str]:
    """The nodes that were hit by faults of these kinds."""
    return {node for fault in windows_of(history).faults if fault.kind in kinds for node in fault.targets}


def write_reports(run: store.Run, report: Report) -> None:
    """results.json and report.html of the run, each whole or not at all. Raises ClusterError."""
    store.write(run.results, load(REPORTS["json"])(report))
    store.write(run.report, load(REPORTS["html"])(report))


def previous_repeat(run: store.Run) -> str:
    """The command that repeats this run, as its results or else its plan tell it."""
    try:
        return str(json.loads(run.results.read_text())["repeat"])
    except (OSError, ValueError, KeyError, TypeError):
        return repeat_command(run.plan())
