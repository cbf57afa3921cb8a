"""``splitbrain heal``: remove what dead runs have left, and make their records whole."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness import store
from harness.errors import EXIT_BROKEN, PlanError
from harness.heal import Healing, make_whole, runs_to_make_whole, sweep


@click.command()
@click.argument("run", required=False, type=click.Path(path_type=Path))
@click.option("--all", "unseen", is_flag=True, help="Also what controllers left that cannot be seen from here.")
@click.option(
    "--store", "store_path", type=click.Path(path_type=Path), default=Path("store"), show_default=True, metavar="DIR"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else on standard output.")
@click.option("--debug", is_flag=True, help="Show where a bug of splitbrain itself happened.")
def heal(run: Path | None, unseen: bool, store_path: Path, as_json: bool, debug: bool) -> int:  # noqa: ARG001 - see main
    """Remove what runs have left whose controller is dead: containers, networks, processes, mounts, namespaces, tables.

    With RUN, a run's directory, only what that run left; else all that any dead run left on this machine, whatever its store. Runs in the
    store (or RUN) that were cut short get their records made whole. What belongs to a controller that lives is never touched; what
    belongs to one in another container, on another machine or before the last boot only with --all. Exit code 255 if something could not
    be removed.
    """
    from harness.clusters.containers import leftovers
    from harness.heal_machine import FINDERS

    if run is not None and not store.is_run(run):
        raise PlanError(f"{run} is not the directory of a run (it holds no plan.json): try splitbrain list runs")
    progress = (lambda _sentence: None) if as_json else click.echo
    healing = sweep({**leftovers.FINDERS, **FINDERS}, unseen=unseen, run=run, progress=progress)
    if not healing.failed:
        chosen = [store.Run(run)] if run is not None else runs_to_make_whole(list(store.runs(store_path)))
        healing.runs += [done for one in chosen if (done := make_whole(one, unseen=unseen)) is not None]
    if as_json:
        click.echo(json.dumps(healing.to_json(), indent=2))
    else:
        _tell(healing)
    return EXIT_BROKEN if healing.failed else 0


def _tell(healing: Healing) -> None:
    for thing, why in healing.kept:
        click.echo(f"kept {thing.kind} {thing.name}: {why}")
    for what, why in healing.failed:
        click.echo(f"failed: {what}: {why}", err=True)
    for done in healing.runs:
        click.echo(
            f"made whole {done['run']}: {done['operations']} operations were open, {len(done['faults'])} faults were not healed"
        )
    if not (healing.removed or healing.failed or healing.runs):
        click.echo("nothing to heal")
