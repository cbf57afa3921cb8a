"""Kill and term: nodes crash without a chance to clean up, or are asked to end as by an operator, and come back at the end; or again and
again.

Jepsen's ``:kill``; of term it has no package, but its databases' ``stop!`` is that.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.effects import Kill as KillEffect
from harness.effects import Terminate
from harness.schedule import shown
from nemesis import arguments, targets
from nemesis.fault import LENGTH_MIN_S, Fault, Scene, Step
from nemesis.swarm import pick

CRASH, LOOP = "crash", "crash-loop"
_LOOP_FIELDS = ("times", "down_s", "up_s")
# A node of a crash loop is up for at least this long: time to start, and to answer somebody.
UP_MIN_S = 0.5
LOOP_MIN_S = 2 * LENGTH_MIN_S + UP_MIN_S
_TIMES_MAX = 100
# Down and up times of a loop are drawn up to this.
_TURN_MAX_S = 2.0
_SLACK_S = 0.01  # times are rounded to milliseconds


@dataclass(frozen=True, slots=True)
class Kill:
    """Arguments: the target; ``shape``: "crash" (down until the end, the default) or "crash-loop".

    A crash loop also takes ``times``, ``down_s`` and ``up_s``: all of them, or none to have them drawn.
    """

    kind: str = "kill"
    power: str = "kill"
    effect: type[KillEffect] | type[Terminate] = KillEffect
    nodes_min: int = 1
    variants: tuple[str, ...] = (CRASH, LOOP, *targets.SIZES)

    def plan(self, scene: Scene, rng: random.Random) -> dict[str, Any]:
        shapes = (CRASH, LOOP) if scene.length_s >= LOOP_MIN_S else (CRASH,)
        return self.complete({"shape": pick(shapes, scene.weights, rng)}, scene, rng)

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        shape = args.get("shape") or (LOOP if any(name in args for name in _LOOP_FIELDS) else CRASH)
        found = {"shape": shape, **targets.complete(args, scene, rng)}
        if shape == LOOP:
            found |= {name: args[name] for name in _LOOP_FIELDS} if "times" in args else _loop(scene.length_s, rng)
        return found

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        found = arguments.unknown(args, ("shape", *_LOOP_FIELDS, *targets.FIELDS))
        found += arguments.word(args, "shape", (CRASH, LOOP)) + targets.problems(args, scene)
        given = [name for name in _LOOP_FIELDS if name in args]
        if args.get("shape") == CRASH and given:
            found.append(f'{given[0]}: only for the shape "{LOOP}"')
        elif given and len(given) < len(_LOOP_FIELDS):
            found.append(f"{given[0]}: write all of {', '.join(_LOOP_FIELDS)}, or none to have them drawn")
        elif given:
            found += _loop_problems(args, scene.length_s)
        elif args.get("shape") == LOOP and scene.length_s < LOOP_MIN_S:
            found.append(f"shape: a {LOOP} takes at least {LOOP_MIN_S:g} s, but the fault lasts {scene.length_s:g} s")
        return found

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        hit = targets.hit(args, nodes, role_of)
        effect = self.effect(nodes=hit)
        if args["shape"] == CRASH:
            return hit, (Step(effect=effect),)
        turn_s = args["down_s"] + args["up_s"]
        return hit, tuple(
            Step(offset_s=turn * turn_s, length_s=args["down_s"], effect=effect) for turn in range(args["times"])
        )

    def describe(self, args: Mapping[str, Any]) -> str:
        times = f", {args['times']} times" if args["shape"] == LOOP else ""
        return f"{self.kind}: {targets.describe(args)}{times}"


def _loop(length_s: float, rng: random.Random) -> dict[str, Any]:
    """A loop of at least two crashes that fits into ``length_s`` (which is at least LOOP_MIN_S)."""
    up_s = rng.uniform(UP_MIN_S, min(_TURN_MAX_S, length_s - 2 * LENGTH_MIN_S))
    down_s = rng.uniform(LENGTH_MIN_S, min(_TURN_MAX_S, (length_s - up_s) / 2))
    times = max(2, math.floor((length_s + up_s) / (down_s + up_s)))
    return {"times": min(times, _TIMES_MAX), "down_s": round(down_s, 3), "up_s": round(up_s, 3)}


def _loop_problems(args: Mapping[str, Any], length_s: float) -> list[str]:
    found = arguments.number(args, "times", 2, _TIMES_MAX, "a number of crashes")
    if not found and not isinstance(args["times"], int):
        found.append(f"times: {shown(args['times'])} is not a whole number")
    found += arguments.number(args, "down_s", LENGTH_MIN_S, 3600, "seconds")
    found += arguments.number(args, "up_s", UP_MIN_S, 3600, "seconds")
    if not found:
        takes_s = args["times"] * args["down_s"] + (args["times"] - 1) * args["up_s"]
        if takes_s > length_s + _SLACK_S * args["times"]:
            found.append(f"times: {args['times']} crashes take {takes_s:g} s, but the fault lasts {length_s:g} s")
    return found


KILL: Fault = Kill()
TERM: Fault = Kill(kind="term", power="terminate", effect=Terminate)
