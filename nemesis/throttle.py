"""Throttle: nodes get little of a processor, as beside a greedy neighbour or under a container's limit: slow, but not dead.

Such a node answers, late. Failure detectors by time-out take it now for alive, now for dead (Huang et al., Gray Failure, HotOS 2017).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.effects import Throttle as ThrottleEffect
from nemesis import arguments, targets
from nemesis.fault import Fault, Scene, Step

# Shares of the time that are drawn. At a tenth, a node stands still for 90 ms at a time and then has 10 ms.
SHARES = (0.1, 0.2, 0.4)
# Below, a node would hardly answer at all; above, it could not be told from one on a busy machine.
SHARE_MIN, SHARE_MAX = 0.05, 0.6


@dataclass(frozen=True, slots=True)
class Throttle:
    """Arguments: the target, and ``share`` of a processor that is left to it (drawn if it is not given)."""

    kind: str = "throttle"
    power: str = "throttle"
    nodes_min: int = 1
    variants: tuple[str, ...] = tuple(targets.SIZES)

    def plan(self, scene: Scene, rng: random.Random) -> dict[str, Any]:
        return self.complete({}, scene, rng)

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        share = args["share"] if "share" in args else rng.choice(SHARES)
        return {"share": share, **targets.complete(args, scene, rng)}

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        found = arguments.unknown(args, ("share", *targets.FIELDS)) + targets.problems(args, scene)
        return found + arguments.number(args, "share", SHARE_MIN, SHARE_MAX, "a share of the processor")

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        hit = targets.hit(args, nodes, role_of)
        return hit, (Step(effect=ThrottleEffect(nodes=hit, share=args["share"])),)

    def describe(self, args: Mapping[str, Any]) -> str:
        return f"throttle: {targets.describe(args)}, {args['share'] * 100:g} % of a processor"


THROTTLE: Fault = Throttle()
