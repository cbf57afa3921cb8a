"""Impostor: somebody who has no right to tries to get in, with bad tokens, bad certificates, no TLS, or plain garbage.

What is tried stands in ``harness.effects`` (``ATTEMPTS``); a cluster makes those attempts that there are on it: tokens wherever requests
carry them, certificates where nodes speak TLS. Where a target has no security, the one attempt is a request as anybody's.

"all" leaves this kind out: a system that asks nobody who he is has broken no promise by letting impostors in.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.effects import ATTEMPTS, Intrude
from harness.schedule import shown
from nemesis import arguments, targets
from nemesis.fault import Fault, Scene, Step

# What is drawn: attempts per second in all, from somebody who is patient to somebody who is not.
RATES_PER_S = (20.0, 30.0, 50.0)
RATE_MAX_PER_S = 10_000.0


@dataclass(frozen=True, slots=True)
class Impostor:
    """Arguments: the target (all nodes if none is given); ``attempts``: a list of ATTEMPTS (all if it is not given); ``per_s``."""

    kind: str = "impostor"
    power: str = "intrude"
    nodes_min: int = 1
    variants: tuple[str, ...] = ()

    def plan(self, scene: Scene, rng: random.Random) -> dict[str, Any]:
        return self.complete({}, scene, rng)

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        aimed = any(name in args for name in targets.FIELDS)
        nodes = targets.complete(args, scene, rng) if aimed else {"nodes": list(scene.nodes)}
        per_s = args["per_s"] if "per_s" in args else rng.choice(RATES_PER_S)
        return {"attempts": list(args.get("attempts", ATTEMPTS)), "per_s": per_s, **nodes}

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        found = arguments.unknown(args, ("attempts", "per_s", *targets.FIELDS)) + targets.problems(args, scene)
        found += arguments.number(args, "per_s", 0.1, RATE_MAX_PER_S, "attempts per second")
        tried = args.get("attempts", list(ATTEMPTS))
        if not isinstance(tried, list) or not tried:
            return [*found, f"attempts: {shown(tried)} is not a list of attempts such as {shown(list(ATTEMPTS[:2]))}"]
        return found + [problem for one in tried for problem in arguments.word({"attempts": one}, "attempts", ATTEMPTS)]

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        hit = targets.hit(args, nodes, role_of)
        return hit, (Step(effect=Intrude(nodes=hit, attempts=tuple(args["attempts"]), per_s=float(args["per_s"]))),)

    def describe(self, args: Mapping[str, Any]) -> str:
        tried = "all attempts" if list(args["attempts"]) == list(ATTEMPTS) else " ".join(args["attempts"])
        return f"impostor: {targets.describe(args)}, {args['per_s']:g} per second, {tried}"


IMPOSTOR: Fault = Impostor()
