"""``splitbrain doctor``: which fault works on which cluster here, tried for real on a throw-away cluster of three idle nodes.

A cell says yes only if the fault was applied, was proved to bite and was proved to be healed, by the same code that injects faults into
a run. What a cluster lacks on this machine is its own word (``unavailable``), the one that ``--cluster auto`` goes by; it says what would
enable it. Standard input, terminal and store are left alone; all that is made ends with the command.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from checkers.wording import listed
from harness.cli import tables
from harness.cli.planning import pick_cluster
from harness.errors import EXIT_BROKEN, PlanError, SplitbrainError
from harness.injector import Injector
from harness.journal import FaultJournal
from harness.op import NEMESIS, Op
from harness.powers import OF_DISKS, lacks_of, powers_of
from harness.protocols import ClusterSpec

NODES = ("n1", "n2", "n3")
VICTIM = {"nodes": ["n2"]}
LENGTH_S = 1.0
# What is tried of each kind: the plainest form of every behaviour. Of a kind that is not here, one fault as the nemesis draws it.
TRIALS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "partition": {"two ways": {"shape": "halves"}, "one way": {"shape": "one-way"}},
    "packet": {
        "delay": {"delay_s": 0.05},
        "loss": {"loss": 0.5},
        "duplicate": {"duplicate": 0.5},
        "reorder": {"reorder": 0.5},
        "corrupt": {"corrupt": 0.5},
        "rate": {"bytes_per_s": 125_000},
    },
    "kill": {"crash": {"shape": "crash", **VICTIM}},
    "term": {"": {"shape": "crash", **VICTIM}},
    "pause": {"": VICTIM},
    "throttle": {"": {"share": 0.2, **VICTIM}},
    "memory": {"": {"headroom_bytes": 0, **VICTIM}},
    "power": {"": {"shape": "lost"}},
    "disk": {
        "eio": {"shape": "eio", "probability": 1, **VICTIM},
        "enospc": {"shape": "enospc", "probability": 1, **VICTIM},
        "full": {"shape": "full", **VICTIM},
        "slow": {"shape": "slow", "delay_s": 0.2, **VICTIM},
    },
    "corrupt": {
        "bit-flip": {"shape": "bit-flip", "count": 1, **VICTIM},
        "torn-write": {"shape": "torn-write", "probability": 1, **VICTIM},
        "misdirected-write": {"shape": "misdirected-write", "probability": 1, **VICTIM},
        "truncate": {"shape": "truncate", **VICTIM},
    },
    "clock": {"bump": {"shape": "bump", "offset_s": -30.0, **VICTIM}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One fault on one cluster. ``reason``: what the probes saw, or why it does not work and what would make it."""

    fault: str
    cluster: str
    works: bool
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@click.command()
@click.option("--cluster", "chosen", metavar="NAME", help="Only this one.  [default: all]")
@click.option("--hosts", type=click.Path(path_type=Path), metavar="FILE", help="The hosts of the ssh cluster.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else on standard output.")
@click.option("--debug", is_flag=True, help="Show where a bug of splitbrain itself happened.")
def doctor(chosen: str | None, hosts: Path | None, as_json: bool, debug: bool) -> int:  # noqa: ARG001 - see main
    """Try every fault on every cluster that can run here; say what works, what does not and why, and what would enable it.

    The exit code is 255 if none of them can run here at all.
    """
    registry = tables.clusters()
    if chosen is not None:
        registry.check(chosen)
    names = [chosen] if chosen is not None else registry.names()
    cells = [cell for name in names for cell in examine(name, hosts)]
    hindrances = {name: _hindrance(name, hosts) for name in names}
    auto = _auto()
    if as_json:
        document = {
            "version": 1,
            "auto": auto,
            "clusters": [{"name": name, "works": why is None, "reason": why or ""} for name, why in hindrances.items()],
            "cells": [cell.to_json() for cell in cells],
        }
        click.echo(json.dumps(document, indent=2))
    else:
        _show(cells, names, hindrances, auto)
    return EXIT_BROKEN if all(why is not None for why in hindrances.values()) else 0


def _hindrance(cluster: str, hosts: Path | None) -> str | None:
    """Why the cluster cannot run here, or None."""
    cluster_class = tables.clusters().get(cluster)
    why: str | None = cluster_class.unavailable()
    check = getattr(cluster_class, "check", None)
    if why is None and check is not None:
        try:
            check(_options(hosts), NODES)
        except PlanError as error:
            why = str(error)
    return why


def _options(hosts: Path | None) -> dict[str, Any]:
    return {} if hosts is None else {"hosts": str(hosts)}


def examine(cluster: str, hosts: Path | None = None) -> list[Cell]:
    """All faults on the cluster of that name; ``hosts`` names those of the ssh cluster."""
    trials = [(kind, label) for kind in tables.faults().names() for label in TRIALS.get(kind, {"": {}})]
    cluster_class = tables.clusters().get(cluster)
    options = _options(hosts) if hasattr(cluster_class, "check") else {}
    why = _hindrance(cluster, hosts)
    if why is not None:
        return [Cell(fault=_name(*trial), cluster=cluster, works=False, reason=why) for trial in trials]
    with (
        tempfile.TemporaryDirectory(prefix="splitbrain-doctor-") as scratch,
        asyncio.Runner(loop_factory=cluster_class.loop_factory) as runner,
    ):
        return runner.run(_try_all(cluster, cluster_class, trials, Path(scratch), options))


async def _try_all(
    name: str, cluster_class: Any, trials: Sequence[tuple[str, str]], directory: Path, options: Mapping[str, Any]
) -> list[Cell]:
    program = "targets.node.echo:Echo"
    spec = ClusterSpec(
        target="echo",
        program=program,
        nodes=NODES,
        options=options,
        seed=0,
        directory=directory,
        disks="disk" in powers_of(cluster_class) - lacks_of(cluster_class).keys(),
    )
    try:
        cluster, lacks = await _started(cluster_class, spec)
    except SplitbrainError as error:
        return [Cell(fault=_name(*trial), cluster=name, works=False, reason=str(error)) for trial in trials]
    journal = FaultJournal(directory / "faults.jsonl", lambda: 0, durable=False)
    try:
        cells = []
        for number, (kind, label) in enumerate(trials):
            works, reason = await _try(cluster, lacks, (kind, label), number, journal)
            cells.append(Cell(fault=_name(kind, label), cluster=name, works=works, reason=reason))
        return cells
    finally:
        journal.close()
        await cluster.stop()


async def _started(cluster_class: Any, spec: ClusterSpec) -> tuple[Any, Mapping[str, str]]:
    """A cluster, and the powers that it lacks here: those over disks, too, if it starts only without such disks. Raises SplitbrainError."""
    cluster, lacks = cluster_class(spec), lacks_of(cluster_class)
    try:
        await cluster.start()
    except SplitbrainError as error:
        if not spec.disks:
            raise
        cluster = cluster_class(replace(spec, disks=False))
        await cluster.start()
        lacks = {**lacks, **dict.fromkeys(OF_DISKS, str(error))}
    return cluster, lacks


async def _try(
    cluster: Any, lacks: Mapping[str, str], trial: tuple[str, str], number: int, journal: FaultJournal
) -> tuple[bool, str]:
    """Whether it works, and what was seen."""
    from nemesis.fault import Scene

    kind, label = trial
    fault = tables.faults().get(kind)
    if fault.power not in powers_of(cluster):
        return False, f"the {cluster.name} cluster does not have the power {fault.power!r}"
    if fault.power in lacks:
        return False, lacks[fault.power]
    dice, scene = random.Random(f"doctor/{kind}/{label}"), Scene(nodes=NODES, length_s=LENGTH_S)
    wanted = TRIALS.get(kind, {}).get(label)
    args = fault.plan(scene, dice) if wanted is None else fault.complete(wanted, scene, dice)
    injector = Injector(cluster, {kind: fault}, journal)
    try:
        begun = await injector.invoke(_op("start", kind, number, args))
        if wanted is None:  # drawn to be proved within its length, not at once
            await asyncio.sleep(LENGTH_S)
        ended = await injector.invoke(_op("stop", kind, number, args))
    except SplitbrainError as error:
        return False, str(error)
    finally:
        await injector.heal_all()
    return (begun.value["bit"] or ended.value["bit"]) and ended.value["healed"], (
        f"{begun.value['evidence']}; {ended.value['evidence']}"
    )


def _op(edge: str, kind: str, number: int, args: Mapping[str, Any]) -> Op:
    return Op(process=NEMESIS, f=f"{edge}-{kind}", value={"id": number, "kind": kind, "args": dict(args)})


def _name(kind: str, label: str) -> str:
    return f"{kind}, {label}" if label else kind


def _auto() -> str | None:
    try:
        return pick_cluster(tables.AUTO)[0]
    except PlanError:
        return None


def _refusals(cells: Sequence[Cell]) -> dict[tuple[str, str], list[str]]:
    """What does not work, by cluster and reason: a power that is missing is told once, however many faults need it."""
    found: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        if not cell.works:
            found.setdefault((cell.cluster, cell.reason), []).append(cell.fault.replace(", ", " "))
    return found


def _show(cells: Sequence[Cell], names: Sequence[str], hindrances: Mapping[str, str | None], auto: str | None) -> None:
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("fault")
    for name in names:
        table.add_column(name)
    for fault in dict.fromkeys(cell.fault for cell in cells):
        row = {cell.cluster: cell for cell in cells if cell.fault == fault}
        table.add_row(fault, *("[green]yes[/]" if row[name].works else "[red]no[/]" for name in names))
    console.print(table)
    for name, why in hindrances.items():
        if why is not None:
            console.print(f"{name}: {why}", soft_wrap=True, markup=False)
    for (cluster, reason), faults in _refusals(cells).items():
        if hindrances[cluster] is None:
            console.print(f"{listed(faults)} on {cluster}: {reason}", soft_wrap=True, markup=False)
    console.print(
        f"--cluster auto takes {auto}" if auto else "--cluster auto finds no cluster here; --cluster sim always runs",
        style="dim",
    )
