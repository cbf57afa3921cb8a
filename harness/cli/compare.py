"""``splitbrain compare``: what is new in a run, or in a verification, against earlier ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from harness import store
from harness.cli.showing import EXIT_CODES, console_for
from harness.comparison import Side, comparison, run_side, verification_side
from harness.errors import HistoryError, PlanError
from reports.comparison import print_comparison, render
from reports.results_json import load_results

EARLIER_MAX = 20
PAGE = "comparison.html"
# What two runs must have in common to be compared unasked.
_SAME = ("target", "workload", "bug", "cluster")


@click.command()
@click.argument("now", type=click.Path(path_type=Path), metavar="RUN")
@click.argument("earlier", nargs=-1, type=click.Path(path_type=Path), metavar="[EARLIER...]")
@click.option(
    "--html", "page", type=click.Path(path_type=Path), metavar="FILE", help=f"The page.  [default: RUN/{PAGE}]"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else on standard output.")
@click.option("--debug", is_flag=True, help="Show where a bug of splitbrain itself happened.")
def compare(
    now: Path,
    earlier: tuple[Path, ...],
    page: Path | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001 - read by the last line of defence in main
) -> int:
    """Compare RUN with EARLIER runs: findings that are new, ongoing, rare or resolved, and figures side by side.

    RUN is the directory of a run or of a verification, and so are EARLIER, oldest first. Without any, those before it in the same store
    are taken: runs of the same target, workload, bug and cluster, verifications of the same file. The exit code is 1 if a finding is new.
    """
    now = now.resolve()
    sides = [_side(now)]
    sides += [_side(path) for path in earlier or _before(now)]
    if len(sides) == 1:
        raise PlanError(f"there is nothing before {now} to compare it with: name the runs")
    if len({side.kind for side in sides}) > 1:
        raise PlanError("runs are compared with runs and verifications with verifications, not one with the other")
    document = comparison(sides[0], sides[1:])
    page = page or now / PAGE
    store.write(page, render(document))
    if as_json:
        click.echo(json.dumps(document, indent=2))
    else:
        print_comparison(console_for(as_json=False), document, str(page))
    return EXIT_CODES[document["verdict"]]


def _side(path: Path) -> Side:
    """Raises PlanError for what is neither a judged run nor a verification."""
    if (path / store.VERIFICATION).is_file():
        return verification_side(path.name, _document(path / store.VERIFICATION))
    results = store.Run(path).results
    if not results.is_file():
        why = "it was not judged: splitbrain check it first" if store.is_run(path) else "there is no run"
        raise PlanError(f"{path}: cannot be compared, {why}")
    try:
        return run_side(path.resolve().name, load_results(results))
    except HistoryError as error:
        raise PlanError(str(error)) from error


def _before(now: Path) -> list[Path]:
    """What lies before ``now`` in its store and is of its kind, oldest first."""
    name = store.VERIFICATION if (now / store.VERIFICATION).is_file() else store.RESULTS
    siblings = sorted(path for path in now.parent.glob("*") if path.name < now.name and not path.is_symlink())
    judged = [path for path in siblings if (path / name).is_file()]
    mine = _kind(now / name)
    return [path for path in judged if _kind(path / name) == mine][-EARLIER_MAX:]


def _kind(path: Path) -> tuple[Any, ...]:
    """What was run, or verified."""
    document = _document(path)
    plan = document.get("plan")
    settings = plan if isinstance(plan, Mapping) else {}
    return (document.get("file"), *(settings.get(name) for name in _SAME))


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PlanError(f"{path}: not a JSON document ({error})") from error
    if not isinstance(document, dict):
        raise PlanError(f"{path}: not a JSON object")
    return document
