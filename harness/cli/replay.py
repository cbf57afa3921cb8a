"""``splitbrain replay``: a simulated run is a function of its plan; run it again and compare, byte for byte."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import click

from harness import __version__, store
from harness.cli.judging import judge_run, previous_repeat
from harness.cli.run import conduct_plan
from harness.cli.showing import show
from harness.errors import EXIT_BROKEN, PlanError


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else on standard output.")
@click.option("--debug", is_flag=True, help="Show where a bug of splitbrain itself happened.")
def replay(run: Path, as_json: bool, debug: bool) -> int:  # noqa: ARG001 - read by the last line of defence in main
    """Repeat the simulated run in directory RUN and compare the two histories byte for byte.

    The exit code is the verdict of the repeated run, or 255 if the histories differ.
    """
    if not store.is_run(run):
        raise PlanError(f"{run} is not the directory of a run (it holds no plan.json): try splitbrain list runs")
    original = store.Run(run)
    plan = original.plan()
    if plan.cluster != "sim":
        raise PlanError(f"{run} ran on cluster {plan.cluster}: only runs of the simulator (sim) repeat exactly")
    with tempfile.TemporaryDirectory(prefix="splitbrain-replay-") as scratch:
        again = store.create(Path(scratch), plan)
        conduct_plan(plan, again)
        same = again.history.read_bytes() == original.history.read_bytes()
        judged = judge_run(again, repeat=previous_repeat(original))
    repeated = replace(judged, results={**judged.results, "run": str(run), "identical": same})
    code = show(repeated, None, as_json=as_json)
    if not same:
        made_by = (
            ""
            if plan.splitbrain == __version__
            else f": it was made by version {plan.splitbrain}, this is {__version__}"
        )
        click.echo(f"splitbrain: the repeated history differs from {original.history}{made_by}", err=True)
        return EXIT_BROKEN
    click.echo(f"identical to {original.history}, byte for byte", err=True)
    return code
