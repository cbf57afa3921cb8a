"""Power: all nodes lose their power at one instant, and with it what they had written and not synced; then they start again.

What is left of that is drawn: nothing ("lost"), the first writes with the last of them torn ("torn"), some of them in no order
("reordered"); by hand also all ("kept") or zeros in its place ("zeroed"). A system that answers before it has synced loses here what no
crash of single nodes can take from it, since no node remembers it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.effects import CRASH_FATES, LOST, REORDERED, TORN, LosePower
from nemesis import arguments
from nemesis.fault import Fault, Scene, Step
from nemesis.swarm import pick

DRAWN = (LOST, TORN, REORDERED)


@dataclass(frozen=True, slots=True)
class Power:
    """Argument: ``shape``, what becomes of what was not synced. It always hits all nodes."""

    kind: str = "power"
    power: str = "power"
    nodes_min: int = 1
    variants: tuple[str, ...] = DRAWN

    def plan(self, scene: Scene, rng: random.Random) -> dict[str, Any]:
        return self.complete({}, scene, rng)

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        return {"shape": args.get("shape") or pick(DRAWN, scene.weights, rng)}

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        return arguments.unknown(args, ("shape",)) + arguments.word(args, "shape", CRASH_FATES)

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        return tuple(nodes), (Step(effect=LosePower(nodes=tuple(nodes), fate=args["shape"])),)

    def describe(self, args: Mapping[str, Any]) -> str:
        return f"power: all nodes, what was not synced is {args['shape']}"


POWER: Fault = Power()
