"""Drift: clocks of nodes run a little too fast or too slowly, and never jump: what a system must bear that assumes a bound on drift.

``drift`` is the share by which a clock runs too fast. It is drawn within ± 20 %, far more than that of any quartz and so little that a
stated bound can cover it; wilder clocks, and those that jump, are the kind "clock". So "all" leaves this kind out: it has to be named.
When the fault ends the clock is set right, which is a step: the node's clock is off by what it has gained till then.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.effects import ClockSkew, Skew
from nemesis import arguments, targets
from nemesis.clock import DRIFT_RANGE, OFFSET_MIN_S
from nemesis.fault import Fault, Scene, Step

# The least makes an offset that can be proved in the shortest fault; the most: two clocks gain at most 1.2 / 0.8 = 1.5 on each other.
DRAWN = (0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Drift:
    """Arguments: the target, and ``drift``."""

    kind: str = "drift"
    power: str = "skew"
    nodes_min: int = 1
    variants: tuple[str, ...] = tuple(targets.SIZES)

    def plan(self, scene: Scene, rng: random.Random) -> dict[str, Any]:
        return self.complete({}, scene, rng)

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        drawn = round(rng.choice((-1, 1)) * rng.uniform(*DRAWN), 3)
        return {"drift": args.get("drift", drawn), **targets.complete(args, scene, rng)}

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        found = arguments.unknown(args, ("drift", *targets.FIELDS)) + targets.problems(args, scene)
        found += arguments.number(args, "drift", *DRIFT_RANGE, "a share by which the clock runs too fast,")
        drift = args.get("drift")
        if not found and drift is not None and abs(drift) * scene.length_s < OFFSET_MIN_S:
            found.append(
                f"drift: {drift:g} makes {abs(drift) * scene.length_s:g} s in the {scene.length_s:g} s that the fault lasts, "
                f"too little to be proved: at least {OFFSET_MIN_S:g} s"
            )
        return found

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        hit = targets.hit(args, nodes, role_of)
        return hit, (Step(effect=Skew(nodes=hit, skew=ClockSkew(drift=float(args["drift"])))),)

    def describe(self, args: Mapping[str, Any]) -> str:
        return f"drift: {targets.describe(args)}: runs {1 + args['drift']:g} times as fast"


DRIFT: Fault = Drift()
