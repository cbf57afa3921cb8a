"""``splitbrain report``: draw the report of an old run again, from its directory alone, or the index of a store."""

from __future__ import annotations

from pathlib import Path

import click

from harness import store
from harness.cli.index import index_page
from harness.cli.judging import judge_run, write_reports
from harness.errors import PlanError
from harness.formats import load_history
from reports.report import Report
from reports.results_json import load_results


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--debug", is_flag=True, help="Show where a bug of splitbrain itself happened.")
def report(run: Path, debug: bool) -> int:  # noqa: ARG001 - read by the last line of defence in main
    """Draw report.html of the run in directory RUN again, and print its path. A run without results is judged first.

    If RUN is a store, index.html in it is drawn: all runs and verifications, to be searched in any browser.
    """
    if not store.is_run(run) and next(store.runs(run), None) is not None:
        store.write(run / "index.html", index_page(run))
        click.echo(run / "index.html")
        return 0
    if not store.is_run(run):
        raise PlanError(f"{run} is not the directory of a run (it holds no plan.json): try splitbrain list runs")
    directory = store.Run(run)
    if directory.results.exists():
        history = load_history(directory.history, torn="truncate")
        drawn = Report(
            results=load_results(directory.results),
            history=history,
            node_logs=directory.node_logs(),
            messages=directory.messages(),
        )
    else:
        drawn = judge_run(directory)
    write_reports(directory, drawn)
    click.echo(directory.report)
    return 0
