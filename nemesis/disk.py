"""Disk and corrupt: disks that refuse, are full or are late; and disks that damage data without a word.

disk      eio, enospc    reads, writes or fsyncs fail, each with ``probability``
          full           nothing can be written any more
          slow           an fsync takes ``delay_s`` longer
corrupt   bit-flip       ``count`` bits of one file change where they lie
          torn-write, misdirected-write    a write that is acknowledged stops short, or lands elsewhere in its file
          truncate       a file loses its end. Only by hand: no checksum in a file can tell one that was cut from one that was never longer

Whom corruption may hit is fixed, the atlas: the last nodes of the cluster, less than half of them, the same in every fault of every run.
So however often it strikes, every datum has a good copy on each node of a majority, and a system that replicates by majorities can always
survive. Whoever names nodes in a schedule of his own decides for himself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.effects import DISK_ACTIONS, DISK_DAMAGE, DISK_ERRORS, DISK_LIES, BreakDisk, DiskFault
from harness.schedule import shown
from nemesis import arguments, targets
from nemesis.fault import Fault, Scene, Step
from nemesis.swarm import pick

FIGURES = ("probability", "count", "delay_s")
FIELDS = ("shape", "path", "operations", *FIGURES)
BITS_MAX = 8
DELAY_MAX_S = 60.0
COUNT_MAX = 1_000_000


def _sometimes(rng: random.Random) -> dict[str, Any]:
    return {"probability": round(rng.uniform(0.2, 1), 2)}


def _late(rng: random.Random) -> dict[str, Any]:
    return {"delay_s": round(rng.uniform(0.05, 0.5), 3)}


def _bits(rng: random.Random) -> dict[str, Any]:
    return {"count": rng.randint(1, BITS_MAX)}


# Shape → how its figures are drawn.
_DRAW: Mapping[str, Callable[[random.Random], dict[str, Any]]] = {
    "eio": _sometimes,
    "enospc": _sometimes,
    "full": lambda _rng: {},
    "slow": _late,
    "bit-flip": _bits,
    "torn-write": _sometimes,
    "misdirected-write": _sometimes,
    "truncate": lambda _rng: {},
}


def atlas(nodes: Sequence[str]) -> tuple[str, ...]:
    """The nodes whose data may be damaged: all but a majority."""
    return tuple(nodes[len(nodes) // 2 + 1 :])


@dataclass(frozen=True, slots=True)
class Disk:
    """Arguments: the target; ``shape``; ``path``, a glob of files; ``operations``, some of those that the shape concerns; ``probability``,
    ``count`` and ``delay_s`` (see ``harness.effects.DiskFault``).
    """

    kind: str = "disk"
    power: str = "disk"
    nodes_min: int = 1
    drawn: tuple[str, ...] = tuple(DISK_ERRORS)
    allowed: tuple[str, ...] = tuple(DISK_ERRORS)
    within_atlas: bool = False
    variants: tuple[str, ...] = (*DISK_ERRORS, *targets.SIZES)

    def plan(self, scene: Scene, rng: random.Random) -> dict[str, Any]:
        return self.complete({}, scene, rng)

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        shape = args.get("shape") or pick(self.drawn, scene.weights, rng)
        figures = _DRAW[shape](rng) | {name: args[name] for name in FIGURES if name in args}
        whole = {"shape": shape, "path": args.get("path", "*"), **figures}
        if "operations" in args:
            whole["operations"] = list(args["operations"])
        return {**whole, **self._whom(args, scene, rng)}

    def _whom(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        if not self.within_atlas or "nodes" in args or "target" in args:
            return targets.complete(args, scene, rng)
        can = atlas(scene.nodes)
        return targets.complete({"target": "some"}, replace(scene, nodes=can, aim=None), rng)

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        found = arguments.unknown(args, (*FIELDS, *targets.FIELDS)) + arguments.word(args, "shape", self.allowed)
        found += targets.problems(args, scene)
        found += arguments.number(args, "probability", 0.001, 1, "a probability")
        found += arguments.number(args, "count", 0, COUNT_MAX, "a number of operations")
        found += arguments.number(args, "delay_s", 0.001, DELAY_MAX_S, "seconds")
        if "path" in args and not isinstance(args["path"], str):
            found.append(f'path: {shown(args["path"])} is not a pattern of paths such as "log*"')
        return found or _shape_problems(args)

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        hit = targets.hit(args, nodes, role_of)
        figures = {name: args[name] for name in FIGURES if name in args}
        operations = tuple(args.get("operations", ()))
        fault = DiskFault(action=args["shape"], path=args["path"], operations=operations, **figures)
        return hit, (Step(effect=BreakDisk(nodes=hit, fault=fault)),)

    def describe(self, args: Mapping[str, Any]) -> str:
        words = [args["shape"], *args.get("operations", ())]
        words += [f"{args['delay_s']:g} s"] if "delay_s" in args else []
        words += [f"{args['probability']:.0%}"] if "probability" in args else []
        where = "" if args["path"] == "*" else f" in {args['path']}"
        return f"{self.kind}: {targets.describe(args)}: {' '.join(words)}{where}"


def _shape_problems(args: Mapping[str, Any]) -> list[str]:
    """Whether arguments that are right one by one go together."""
    shape = args.get("shape")
    extra = [name for name in (*FIGURES, "operations") if name in args]
    if shape is None:
        return [f"{extra[0]}: write the shape that it is for, too"] if extra else []
    found = [] if shape == "slow" or "delay_s" not in args else ['delay_s: only for the shape "slow"']
    if "count" in args and not isinstance(args["count"], int):
        found.append(f"count: {shown(args['count'])} is not a whole number")
    wanted, known = args.get("operations"), DISK_ACTIONS[shape]
    if wanted is not None and not (isinstance(wanted, list) and wanted and all(word in known for word in wanted)):
        able = f"some of {', '.join(known)}" if known else "none, it concerns what lies on the disk"
        found.append(f"operations: {shown(wanted)} are not operations of {shown(shape)}: it takes {able}")
    return found


DISK: Fault = Disk()
CORRUPT: Fault = Disk(
    kind="corrupt",
    nodes_min=3,
    drawn=("bit-flip", *DISK_LIES),
    allowed=(*DISK_DAMAGE, *DISK_LIES),
    within_atlas=True,
    variants=("bit-flip", *DISK_LIES),
)
