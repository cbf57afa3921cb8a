"""``splitbrain list``: everything that has a name."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from harness import store
from harness.cli import tables
from harness.powers import powers_of
from harness.registry import Registry
from reports.wording import printable

Row = dict[str, Any]


@click.command("list")
@click.argument(
    "what",
    type=click.Choice(["targets", "bugs", "claims", "nemeses", "workloads", "checkers", "models", "clusters", "runs"]),
)
@click.option(
    "--store", "store_path", type=click.Path(path_type=Path), default=Path("store"), show_default=True, metavar="DIR"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else on standard output.")
@click.option("--debug", is_flag=True, help="Show where a bug of splitbrain itself happened.")
def list_(what: str, store_path: Path, as_json: bool, debug: bool) -> int:  # noqa: ARG001 - see main
    """List targets, bugs, claims, nemeses, workloads, checkers, models, clusters or runs."""
    rows = _runs(store_path) if what == "runs" else LISTINGS[what]()
    if as_json:
        click.echo(json.dumps(rows, indent=2, default=str))
    elif not rows:
        click.echo(f"no {what}", err=True)
    else:
        _print_rows(rows)
    return 0


def _targets() -> list[Row]:
    registry = tables.targets()
    found = [registry.get(name) for name in registry.names()]
    return [
        {
            "name": t.name,
            "summary": t.summary,
            "workloads": list(t.workloads),
            "roles": list(t.roles),
            "bugs": len(t.bugs),
        }
        for t in found
    ]


def _bugs() -> list[Row]:
    registry = tables.targets()
    return [
        {
            "name": bug.name,
            "target": name,
            "checker": bug.checker,
            "faults": list(bug.faults),
            "summary": bug.summary,
            "source": bug.source,
        }
        for name in registry.names()
        for bug in registry.get(name).bugs
    ]


def _claims() -> list[Row]:
    registry = tables.targets()
    return [
        {
            "name": claim.name,
            "target": name,
            "topic": claim.topic,
            "summary": claim.statement,
            "model": claim.model,
            "workload": claim.workload,
            "faults": list(claim.faults),
            "expected": list(claim.violates) or ["holds"],
            "source": claim.source,
        }
        for name in registry.names()
        for claim in registry.get(name).claims
    ]


def _nemeses() -> list[Row]:
    registry = tables.faults()
    clusters = tables.clusters()
    powers = {name: powers_of(clusters.get(name)) for name in clusters.names()}
    found = [(name, registry.get(name)) for name in registry.names()]
    return [
        {"name": name, "power": fault.power, "clusters": [c for c, has in powers.items() if fault.power in has]}
        for name, fault in found
    ]


def _workloads() -> list[Row]:
    registry = tables.workloads()
    found = [registry.get(name) for name in registry.names()]
    return [{"name": w.name, "summary": w.summary, "checkers": [name for name, _ in w.checkers]} for w in found]


def _clusters() -> list[Row]:
    registry = tables.clusters()
    return [
        {"name": name, "summary": _first_line(registry.get(name)), "powers": sorted(powers_of(registry.get(name)))}
        for name in registry.names()
    ]


def _named(registry: Callable[[], Registry]) -> Callable[[], list[Row]]:
    def listing() -> list[Row]:
        return [{"name": name, "summary": _first_line(registry().get(name))} for name in registry().names()]

    return listing


def _runs(path: Path) -> list[Row]:
    return [_run_row(run) for run in store.runs(path)]


def _run_row(run: store.Run) -> Row:
    row: Row = {"name": str(run.path), "verdict": "not judged"}
    try:
        document = json.loads(run.results.read_text())
    except (OSError, ValueError):
        return row
    return row | {name: document.get(name) for name in ("verdict", "target", "cluster", "seed", "reason")}


def _first_line(thing: object) -> str:
    return (getattr(thing, "summary", "") or thing.__doc__ or "").strip().split("\n")[0]


LISTINGS: Mapping[str, Callable[[], list[Row]]] = {
    "targets": _targets,
    "bugs": _bugs,
    "claims": _claims,
    "nemeses": _nemeses,
    "workloads": _workloads,
    "checkers": _named(tables.checkers),
    "models": _named(tables.models),
    "clusters": _clusters,
}


def _print_rows(rows: list[Row]) -> None:
    """A name, then what there is to say of it, indented: names stay whole however narrow the terminal is."""
    width = max(shutil.get_terminal_size().columns, 60)
    for row in rows:
        click.echo(printable(row["name"]))
        said = [
            f"{column}: {_cell(row[column])}"
            for column in row
            if column not in ("name", "summary") and row[column] != ""
        ]
        for text in filter(None, (str(row.get("summary") or ""), "; ".join(said))):
            click.echo(textwrap.fill(printable(text), width, initial_indent="    ", subsequent_indent="    "))


def _cell(value: object) -> str:
    return (", ".join(str(item) for item in value) or "none") if isinstance(value, list) else str(value)
