"""``splitbrain check``: judge a run's directory again, or any history file."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from checkers import strength
from harness import results, store
from harness.cli import tables
from harness.cli.checkers import make_checker, parse_checkers, stats_of
from harness.cli.models import CONSISTENCY, checker_of_model
from harness.cli.showing import print_orders, show
from harness.cli.workers import judge_apart
from harness.errors import PlanError
from harness.formats import load_history
from harness.history import History
from harness.judge import judge, substance
from harness.registry import load
from harness.verdict import Budget, Checker, Validity, Verdict, worst
from reports import REPORTS
from reports.report import Report

# What a mutant may cost: so small a part of what the history may.
MUTANT_SHARE = 40


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--model",
    metavar="NAME",
    help="Judge against this model (see splitbrain list models), your own (FILE.py:NAME), or a weaker one: "
    + ", ".join(CONSISTENCY)
    + ".",
)
@click.option("--checker", "names", multiple=True, metavar="NAME[:K=V,...]", help="Ask this checker (may be repeated).")
@click.option(
    "--keyed", is_flag=True, help="Values are [key value] pairs, as Jepsen's independent generators write them."
)
@click.option(
    "--steps", "steps_max", type=click.IntRange(min=1), metavar="N", help="Search steps before the answer is unknown."
)
@click.option(
    "--memory",
    "memory_mb",
    type=click.IntRange(min=64),
    default=4096,
    show_default=True,
    metavar="MIB",
    help="What each check may use; more is unknown.",
)
@click.option(
    "--show-order", is_flag=True, help="If valid, print an order of the operations that explains all results."
)
@click.option(
    "--strict-strength",
    is_flag=True,
    help="A history in which no lie would have been noticed is unknown, as a run's is.",
)
@click.option(
    "--html", "html_path", type=click.Path(path_type=Path), metavar="FILE", help="Also write the report page to FILE."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else on standard output.")
@click.option("--debug", is_flag=True, help="Show where a bug of splitbrain itself happened.")
def check(
    path: Path,
    model: str | None,
    names: tuple[str, ...],
    keyed: bool,
    steps_max: int | None,
    memory_mb: int,
    show_order: bool,
    strict_strength: bool,
    html_path: Path | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001 - read by the last line of defence in main
) -> int:
    """Judge PATH: the directory of a run, or a history file (JSON lines, JSON, EDN; also .gz).

    A run's directory is judged by its own checkers unless --model or --checker ask for others; its results.json and report.html are
    written anew. The exit code is the verdict: 0 valid, 1 invalid, 2 unknown.
    """
    budget = Budget() if steps_max is None else Budget(steps_max=steps_max)
    if store.is_run(path) and not (model or names):
        from harness.cli.judging import judge_run, write_reports
        from harness.journal import recover_history

        run = store.Run(path)
        if not run.results.exists() and run.history.exists():
            recover_history(run.history)
        report = judge_run(run, budget=budget)
        write_reports(run, report)
        _write_page(report, html_path)
        return show(report, run.report, as_json=as_json)
    report = _judge_file(
        path,
        model,
        names,
        keyed=keyed,
        budget=budget,
        memory_mb=memory_mb,
        options={"order": True} if show_order else {},
        strict=strict_strength,
    )
    _write_page(report, html_path)
    code = show(report, html_path, as_json=as_json)
    if show_order and not as_json:
        print_orders(report)
    return code


def _write_page(report: Report, path: Path | None) -> None:
    """Raises ClusterError if the file cannot be written."""
    if path is not None:
        store.write(path, load(REPORTS["html"])(report))


def _judge_file(
    path: Path,
    model: str | None,
    names: tuple[str, ...],
    *,
    keyed: bool,
    budget: Budget,
    memory_mb: int,
    options: dict[str, Any],
    strict: bool,
) -> Report:
    if not (model or names):
        known = ", ".join(tables.models().names())
        raise PlanError(
            f"{path} is not the directory of a run: say what to judge it by, --model NAME ({known}) or --checker NAME"
        )
    asked = parse_checkers(names)
    checkers = [make_checker(name, given) for name, given in asked.items()]
    if model:
        checkers.append(checker_of_model(model, options))
    history = load_history(store.Run(path).history if store.is_run(path) else path, keyed=keyed)
    # Figures cost next to nothing: they need no process of their own.
    figures = [make_checker("stats", {})] if "stats" not in asked else []
    verdicts = [
        *judge_apart(history, checkers, budget, memory_mb=memory_mb),
        *judge(history, figures, budget),
        substance(history),
    ]
    if worst(verdicts) is Validity.VALID:
        verdicts.append(_strength(history, checkers, budget, memory_mb=memory_mb, strict=strict))
    argv = ["splitbrain", "check", str(path), *(["--model", model] if model else []), *(["--keyed"] if keyed else [])]
    argv += [word for name in names for word in ("--checker", name)] + (["--strict-strength"] if strict else [])
    document = results.document(
        history=history,
        verdicts=verdicts,
        plan={},
        run=str(path),
        repeat=shlex.join(argv),
        stats=stats_of(verdicts),
    )
    return Report(results=document, history=history)


@dataclass(slots=True, kw_only=True)
class _Strength:
    """The strength of a history as a checker, that can be judged apart."""

    checkers: Sequence[Checker]
    strict: bool
    name: str = strength.NAME

    def check(self, history: History, budget: Budget) -> Verdict:
        lies = self.strict or len(history) <= strength.LINES_MAX
        return strength.strength(history, self.checkers, budget, lies=lies, frugal=not self.strict)


def _strength(
    history: History, checkers: Sequence[Checker], budget: Budget, *, memory_mb: int, strict: bool
) -> Verdict:
    """How strong a valid history is. Whether it keeps a model does not depend on that, so it is a remark, unless ``strict``: then few lies
    are told, and none in a history that is long, where each costs as much as the check.
    """
    judge_of = _Strength(checkers=checkers, strict=strict)
    small = replace(budget, steps_max=max(1, budget.steps_max // MUTANT_SHARE))
    (verdict,) = judge_apart(history, [judge_of], small, memory_mb=memory_mb)
    if strict or verdict.validity is Validity.VALID:
        return verdict
    return replace(
        verdict, validity=Validity.VALID, reason=f"a remark, which is no part of the verdict: {verdict.reason}"
    )
