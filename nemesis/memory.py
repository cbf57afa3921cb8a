"""Memory: nodes get hardly any more memory than they have, and are refused what they ask for beyond. Some die of it, and come back.

The limit is that of the address space, as a program under ``ulimit -v`` has it; nothing on the machine but the node is short of memory.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.effects import Squeeze
from nemesis import arguments, targets
from nemesis.fault import Fault, Scene, Step

# What is drawn: from next to nothing to what a small program does not need in a minute.
HEADROOMS_BYTES = (1 << 20, 4 << 20, 16 << 20)
HEADROOM_MAX_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Memory:
    """Arguments: the target, and ``headroom_bytes``: how much more it may have (drawn if it is not given)."""

    kind: str = "memory"
    power: str = "memory"
    nodes_min: int = 1
    variants: tuple[str, ...] = tuple(targets.SIZES)

    def plan(self, scene: Scene, rng: random.Random) -> dict[str, Any]:
        return self.complete({}, scene, rng)

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        headroom_bytes = args["headroom_bytes"] if "headroom_bytes" in args else rng.choice(HEADROOMS_BYTES)
        return {"headroom_bytes": headroom_bytes, **targets.complete(args, scene, rng)}

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        found = arguments.unknown(args, ("headroom_bytes", *targets.FIELDS)) + targets.problems(args, scene)
        return found + arguments.number(args, "headroom_bytes", 0, HEADROOM_MAX_BYTES, "a number of bytes")

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        hit = targets.hit(args, nodes, role_of)
        return hit, (Step(effect=Squeeze(nodes=hit, headroom_bytes=int(args["headroom_bytes"]))),)

    def describe(self, args: Mapping[str, Any]) -> str:
        return f"memory: {targets.describe(args)}, {args['headroom_bytes'] / 2**20:g} MiB more"


MEMORY: Fault = Memory()
