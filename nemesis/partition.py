"""Partition: some nodes do not hear some others. The shapes stand in ``nemesis.partition_shapes``, the grudges in ``nemesis.grudges``."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import suggest
from harness.schedule import shown
from nemesis import arguments
from nemesis.fault import Fault, Scene, Step
from nemesis.partition_shapes import DRAWN, ONE_WAY_WORDS, SHAPES
from nemesis.swarm import pick

# Of partitions aimed at a role, this share cuts it off in one direction only: a leader that cannot hear stays leader in many systems.
_ONE_WAY_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Partition:
    """Arguments: ``shape``, and what the shape takes."""

    kind: str = "partition"
    power: str = "cut"
    nodes_min: int = 2
    variants: tuple[str, ...] = tuple(dict.fromkeys((*DRAWN, *ONE_WAY_WORDS)))

    def plan(self, scene: Scene, rng: random.Random) -> dict[str, Any]:
        if scene.aim is None:
            return self.complete({}, scene, rng)
        shape = "one-way" if rng.random() < _ONE_WAY_SHARE else "isolate-leader"
        return self.complete({"shape": shape, "target": scene.aim}, scene, rng)

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        given = _without_shape(args)
        if "shape" in args:
            shape = args["shape"]
        elif given:
            shape = _fitting(given, scene)[0]
        else:
            shape = pick([name for name in DRAWN if SHAPES[name].nodes_min <= len(scene.nodes)], scene.weights, rng)
        return {"shape": shape, **SHAPES[shape].complete(given, scene, rng)}

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        given = _without_shape(args)
        if "shape" not in args:
            return [] if not given or _fitting(given, scene) else _misfits(given)
        found = arguments.word(args, "shape", SHAPES)
        if found:
            return found
        shape = SHAPES[args["shape"]]
        if len(scene.nodes) < shape.nodes_min:
            return [
                f"shape: {shown(args['shape'])} needs at least {shape.nodes_min} nodes, here are {len(scene.nodes)}"
            ]
        known = {name: value for name, value in given.items() if name in shape.fields}
        return _field_problems(given, args["shape"]) + shape.problems(known, scene)

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        return SHAPES[args["shape"]].resolve(args, nodes, role_of)

    def describe(self, args: Mapping[str, Any]) -> str:
        return f"partition: {SHAPES[args['shape']].describe(args)}"


def _without_shape(args: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in args.items() if name != "shape"}


def _field_problems(given: Mapping[str, Any], shape: str) -> list[str]:
    """Arguments that this shape does not take, with a shape that does."""
    found = []
    for name in given:
        if name not in SHAPES[shape].fields:
            others = [shown(other) for other in SHAPES if name in SHAPES[other].fields]
            right = f"only {' and '.join(others)} take it" if others else suggest(str(name), SHAPES[shape].fields)
            found.append(f"{name}: not an argument of the shape {shown(shape)}: {right}")
    return found


def _fitting(given: Mapping[str, Any], scene: Scene) -> list[str]:
    """The shapes that a person may mean who wrote these arguments without a shape; one-way only where a way is written."""
    return [
        name
        for name, shape in SHAPES.items()
        if len(scene.nodes) >= shape.nodes_min
        and set(given) <= set(shape.fields)
        and ("cannot" in given) == ("cannot" in shape.fields)
        and not shape.problems(given, scene)
    ]


def _misfits(given: Mapping[str, Any]) -> list[str]:
    return [f"shape is missing, and no shape takes {shown(dict(given))} as it stands: name one of {', '.join(SHAPES)}"]


PARTITION: Fault = Partition()
