"""Clock: wall clocks of nodes are wrong. Monotonic clocks are never touched.

bump       off by ``offset_s`` at once. Drawn as Jepsen does, ± 1.5^x ms (jepsen.nemesis.time), but with x from 12 instead of 6: from
           130 ms to 288 s, since an offset of 11 ms cannot be told from the time that it takes to ask for it.
drift      runs ``1 + drift`` times as fast.
strobe     flips between the truth and ``offset_s``, every ``strobe_period_s``. Drawn as Jepsen does (offset 2^x ms, period 2^y ms),
           again from 128 ms; and the period from 8 ms, since a clock that flips faster than it is read looks random.
step-back  goes back by ``-offset_s`` at once, by 1 to 60 s: what NTP does to a clock that ran ahead.
leap       goes back by one second, which it then shows again: what the kernel does at a leap second. Only by its name, never drawn: to
           whoever bears steps back it is one of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.effects import ClockSkew, Skew
from harness.schedule import shown
from nemesis import arguments, targets
from nemesis.fault import Fault, Scene, Step
from nemesis.swarm import pick

# A clock that is off by less is not certainly seen to be off.
OFFSET_MIN_S = 0.1
OFFSET_MAX_S = 1e8
# Slower than 5 % of the truth would stand still or run backwards, which no clock does by drifting.
DRIFT_RANGE = (-0.95, 10.0)
_DRIFT_DRAWN = (0.15, 0.9)  # so that also the shortest fault makes more than OFFSET_MIN_S
_PERIOD_RANGE_S = (0.001, 60.0)


def _bump(rng: random.Random) -> dict[str, float]:
    return {"offset_s": rng.choice((-1, 1)) * 1.5 ** rng.uniform(12, 31) / 1000}


def _drift(rng: random.Random) -> dict[str, float]:
    return {"drift": rng.choice((-1, 1)) * rng.uniform(*_DRIFT_DRAWN)}


def _strobe(rng: random.Random) -> dict[str, float]:
    offset_s = rng.choice((-1, 1)) * 2 ** rng.uniform(7, 18) / 1000
    return {"offset_s": offset_s, "strobe_period_s": 2 ** rng.uniform(3, 10) / 1000}


def _step_back(rng: random.Random) -> dict[str, float]:
    return {"offset_s": -rng.uniform(1, 60)}


def _leap(_rng: random.Random) -> dict[str, float]:
    return {"offset_s": -1.0}


# Shape → the fields that it takes (it must have them all) and how they are drawn. Where a person names no shape, the first that takes
# all the fields given is meant.
_SHAPES: Mapping[str, tuple[tuple[str, ...], Callable[[random.Random], dict[str, float]]]] = {
    "bump": (("offset_s",), _bump),
    "drift": (("drift",), _drift),
    "strobe": (("offset_s", "strobe_period_s"), _strobe),
    "step-back": (("offset_s",), _step_back),
    "leap": (("offset_s",), _leap),
}
_DRAWN = tuple(shape for shape in _SHAPES if shape != "leap")
_FIGURES = ("offset_s", "drift", "strobe_period_s")


@dataclass(frozen=True, slots=True)
class Clock:
    """Arguments: the target, ``shape`` and its figures (see the module)."""

    kind: str = "clock"
    power: str = "skew"
    nodes_min: int = 1
    variants: tuple[str, ...] = (*_DRAWN, *targets.SIZES)

    def plan(self, scene: Scene, rng: random.Random) -> dict[str, Any]:
        return self.complete({}, scene, rng)

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        shape = args.get("shape") or _meant(args) or pick(_DRAWN, scene.weights, rng)
        fields, draw = _SHAPES[shape]
        drawn = {name: round(value, 3) for name, value in draw(rng).items()}
        figures = {name: args.get(name, drawn[name]) for name in fields}
        return {"shape": shape, **figures, **targets.complete(args, scene, rng)}

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        found = arguments.unknown(args, ("shape", *_FIGURES, *targets.FIELDS))
        found += arguments.word(args, "shape", _SHAPES) + targets.problems(args, scene)
        found += arguments.number(args, "offset_s", -OFFSET_MAX_S, OFFSET_MAX_S, "seconds")
        found += arguments.number(args, "drift", *DRIFT_RANGE, "a share by which the clock runs too fast,")
        found += arguments.number(args, "strobe_period_s", *_PERIOD_RANGE_S, "seconds")
        return found or _shape_problems(args, scene.length_s)

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        hit = targets.hit(args, nodes, role_of)
        figures = {name: float(args[name]) for name in _FIGURES if name in args}
        return hit, (Step(effect=Skew(nodes=hit, skew=ClockSkew(**figures))),)

    def describe(self, args: Mapping[str, Any]) -> str:
        offset = f"{args.get('offset_s', 0):+g} s"
        words = {
            "drift": f"runs {1 + args.get('drift', 0):g} times as fast",
            "strobe": f"flips by {offset} every {args.get('strobe_period_s', 0):g} s",
        }.get(args["shape"], offset)
        return f"clock: {targets.describe(args)}: {words}"


def _given(args: Mapping[str, Any]) -> list[str]:
    return [name for name in _FIGURES if name in args]


def _meant(args: Mapping[str, Any]) -> str | None:
    """The shape that a person means who wrote figures but no shape; None if there are no figures."""
    given = _given(args)
    return next((shape for shape, (fields, _) in _SHAPES.items() if given and set(given) <= set(fields)), None)


def _shape_problems(args: Mapping[str, Any], length_s: float) -> list[str]:
    """Whether figures that are right one by one make a fault that can be seen."""
    given = _given(args)
    shape = args.get("shape") or _meant(args)
    if shape is None:
        return [f"{given[0]}: no shape takes {' and '.join(given)} together"] if given else []
    found = [f"{name}: not for the shape {shown(shape)}" for name in given if name not in _SHAPES[shape][0]]
    offset_s, drift = args.get("offset_s"), args.get("drift")
    if offset_s is not None and abs(offset_s) < OFFSET_MIN_S:
        found.append(
            f"offset_s: {shown(offset_s)} s is too little to be proved: at least {OFFSET_MIN_S:g} s either way"
        )
    if offset_s is not None and offset_s > 0 and shape in ("step-back", "leap"):
        found.append(f"offset_s: {shown(offset_s)} is not a step back: write a negative number of seconds")
    if drift is not None and abs(drift) * length_s < OFFSET_MIN_S:
        found.append(
            f"drift: {shown(drift)} makes {abs(drift) * length_s:g} s in the {length_s:g} s that the fault lasts, "
            f"too little to be proved: at least {OFFSET_MIN_S:g} s"
        )
    return found


CLOCK: Fault = Clock()
