"""Pause: nodes stand still and then go on, as in a long garbage collection or a moved virtual machine. Jepsen's ``:pause``."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.effects import Pause as PauseEffect
from nemesis import arguments, targets
from nemesis.fault import Fault, Scene, Step


@dataclass(frozen=True, slots=True)
class Pause:
    """Arguments: the target alone (see ``nemesis.targets``)."""

    kind: str = "pause"
    power: str = "pause"
    nodes_min: int = 1
    variants: tuple[str, ...] = tuple(targets.SIZES)

    def plan(self, scene: Scene, rng: random.Random) -> dict[str, Any]:
        return self.complete({}, scene, rng)

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        return targets.complete(args, scene, rng)

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        return arguments.unknown(args, targets.FIELDS) + targets.problems(args, scene)

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        hit = targets.hit(args, nodes, role_of)
        return hit, (Step(effect=PauseEffect(nodes=hit)),)

    def describe(self, args: Mapping[str, Any]) -> str:
        return f"pause: {targets.describe(args)}"


PAUSE: Fault = Pause()
