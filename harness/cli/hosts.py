"""``splitbrain hosts``: the hosts of the ssh cluster, before a run. Their keys are pinned here, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from harness.errors import EXIT_USAGE


@click.group()
def hosts() -> None:
    """The hosts of the ssh cluster."""


@hosts.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask: the fingerprints have been compared.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else on standard output.")
@click.option("--debug", is_flag=True, help="Show where a bug of splitbrain itself happened.")
def pin(file: Path, yes: bool, as_json: bool, debug: bool) -> int:  # noqa: ARG001 - see main
    """Ask the hosts of FILE for their keys, show the fingerprints, and pin them beside FILE, in FILE.pins.

    Compare them with what the hosts themselves say: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
    """
    from harness.clusters.hosts import inventory, pins

    path = inventory.pins_of(file)
    keys = pins.load(path)
    offers = pins.offers(inventory.read(file), keys)
    for offer in offers:
        click.echo(f"{offer.host.name} {offer.fingerprint} {_state(offer)}", err=True)
    fresh = [offer for offer in offers if offer.known != offer.fingerprint]
    if fresh and not yes and not click.confirm(f"Pin {len(fresh)} of them?", err=True):
        return EXIT_USAGE
    if fresh:
        pins.pin(path, keys, fresh)
    if as_json:
        rows = [{"host": offer.host.name, "key": offer.fingerprint, "was": offer.known} for offer in offers]
        click.echo(json.dumps({"version": 1, "file": str(path), "pinned": rows}))
    return 0


def _state(offer: Any) -> str:
    if offer.known is None:
        return "(new)"
    return "(pinned)" if offer.known == offer.fingerprint else f"(CHANGED: pinned is {offer.known})"
