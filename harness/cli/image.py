"""``splitbrain image``: the image that nodes run in on the docker cluster, made before it is needed."""

from __future__ import annotations

import json
from typing import Any

import click

from harness.errors import PlanError

PROGRAM = "targets.node.echo:Echo"  # any program of ours: all of them travel in one image


@click.group()
def image() -> None:
    """The image that nodes run in on the docker cluster."""


@image.command()
@click.option("--base", metavar="NAME", help="Any image with Python.  [default: python:3.12-slim, or one made here]")
@click.option("--local", is_flag=True, help="Make the base of this machine's own Python; ask no registry.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else on standard output.")
@click.option("--debug", is_flag=True, help="Show where a bug of splitbrain itself happened.")
def build(base: str | None, local: bool, as_json: bool, debug: bool) -> int:  # noqa: ARG001 - see main
    """Make the nodes' image: a base with Python, and the node runtime with all targets on top of it.

    A run on the docker cluster does the same when the image is missing. What has been made once is found again: then this is quick.
    Images of earlier versions are removed by: docker image prune --all --filter label=splitbrain
    """
    from harness.clusters.containers import images
    from harness.clusters.containers.engine import connect

    if base and local:
        raise PlanError("--base and --local exclude each other: the one names a base, the other makes one")
    client = connect()
    try:
        if local:
            base = images.make_local_base(client, _say)
        tag = images.node_image(client, base, PROGRAM, _say)
        found: dict[str, Any] = client.inspect_image(tag)
    finally:
        client.close()
    if as_json:
        click.echo(json.dumps({"version": 1, "image": tag, "id": found["Id"], "bytes": found["Size"]}))
    else:
        click.echo(f"{tag}, {found['Size'] / 1e6:.0f} MB")
    return 0


def _say(sentence: str) -> None:
    click.echo(f"{sentence} ...", err=True)
