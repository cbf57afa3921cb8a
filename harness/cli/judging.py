"""From a run's directory to its results: load, judge, write results.json and report.html. Needs no process of the target."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness import results, store
from harness.cli import tables
from harness.formats import load_history
from harness.history import History
from harness.judge import judge
from harness.plan import Plan
from harness.verdict import Budget, Checker
from harness.workloads.workload import Workload


def checkers_of(plan: Plan) -> list[Checker]:
    """The checkers that the plan's workload names, with the options that the plan sets."""
    workload: Workload = tables.workloads().get(plan.workload)
    given = {"availability": {"progress_s": plan.progress_s}}
    return [make_checker(name, {**options, **given.get(name, {})}) for name, options in workload.checkers]


def make_checker(name: str, options: Mapping[str, Any]) -> Checker:
    checker: Checker = tables.checkers().get(name)(**options)
    return checker


def judge_run(run: store.Run, *, budget: Budget | None = None, repeat: str = "") -> dict[str, Any]:
    """Judge a run that has ended (or whose controller died); writes results.json and report.html, returns the document."""
    plan = run.plan()
    history = load_history(run.history, torn="truncate")
    verdicts = judge(history, checkers_of(plan), budget or Budget())
    logs = run.node_logs()
    document = results.document(
        history=history,
        verdicts=verdicts,
        plan=plan.to_json(),
        run=str(run.path),
        repeat=repeat or previous_repeat(run),
        stats=_stats(verdicts_stats(verdicts), logs),
    )
    write_reports(run, document, history, logs)
    return document


def write_reports(
    run: store.Run, document: Mapping[str, Any], history: History, logs: Mapping[str, Sequence[Mapping[str, Any]]]
) -> None:
    from reports.html import render as render_html
    from reports.report import Report
    from reports.results_json import dumps

    store.write(run.results, dumps(document))
    store.write(run.report, render_html(Report(results=document, history=history, node_logs=logs)))


def previous_repeat(run: store.Run) -> str:
    """The command that repeats this run, as its results or else its plan tell it."""
    from harness.cli.planning import repeat_command

    try:
        document = json.loads(run.results.read_text())
        return str(document["repeat"])
    except (OSError, ValueError, KeyError, TypeError):
        return repeat_command(run.plan())


def verdicts_stats(verdicts: Sequence[Any]) -> dict[str, Any]:
    """The figures of the checker called "stats": they are the run's own."""
    return next((dict(v.stats) for v in verdicts if v.checker == "stats"), {})


def _stats(stats: dict[str, Any], logs: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    elections = sum(line.get("event") == "leader" for lines in logs.values() for line in lines)
    return {**stats, "elections": elections}
