"""How a verdict leaves a command: on standard output, and as its exit code. Imports nothing that a run needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.errors import EXIT_INVALID, EXIT_UNKNOWN, EXIT_VALID
from reports.report import Report
from reports.results_json import dumps

if TYPE_CHECKING:
    from rich.console import Console

EXIT_CODES = {"valid": EXIT_VALID, "invalid": EXIT_INVALID, "unknown": EXIT_UNKNOWN}


def show(report: Report, report_path: Path | None, *, as_json: bool) -> int:
    """The verdict on standard output, a summary for people or the document; returns the exit code."""
    if as_json:
        click.echo(dumps(report.results), nl=False)
    else:
        from reports.terminal import print_summary

        print_summary(console_for(as_json=False), report, str(report_path) if report_path else None)
    return EXIT_CODES[report.results["verdict"]]


def print_orders(report: Report) -> None:
    """The orders that explain a valid history, a line per operation: key, index of the invocation, what was done."""
    for verdict in report.results.get("checkers", []):
        for row in verdict.get("stats", {}).get("orders", []):
            click.echo(f"order of key {row['key']}:" if row["key"] is not None else "order:")
            for index, what in row["order"] or [["", "none was found within the limits of this search"]]:
                click.echo(f"    {index:>8}  {what}")


def console_for(*, as_json: bool) -> Console:
    """Where people read: standard output, or standard error where that is kept for a document."""
    from rich.console import Console

    return Console(stderr=as_json, highlight=False)
