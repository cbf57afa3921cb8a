"""Packet: links delay, lose, duplicate, reorder or corrupt what they carry, or carry only so much of it; alone or mixed.

Jepsen's defaults (jepsen.net all-packet-behaviors): delay 50 ms ± 10 ms of the normal distribution, loss, duplicates, reordering and
corruption 20 % each, a rate of 1 Mbit/s; reordering needs a delay. Its correlation is not offered. What is corrupt is dropped by whoever
sums up what it receives, as TCP does: to a node it is loss.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.effects import PacketShape, Shape
from nemesis import arguments, targets
from nemesis.fault import Fault, Scene, Step
from nemesis.swarm import pick

DELAY_S, JITTER_S, SHARE = 0.05, 0.01, 0.2
# Jepsen's 1 Mbit/s, and slower ones that a busy link of a small cluster does feel.
RATES_BYTES_PER_S = (125_000, 32_000, 16_000)
# What is drawn, in multiples of Jepsen's defaults, which come most often.
_DELAY_TIMES = (1, 1, 2, 4, 10)
_SHARES = (SHARE, SHARE, 0.3, 0.5)
_MIXED_SHARE = 0.5
# Shares: of 300 probes all arrive at a loss of 5 % with a probability below 1e-6, and above 90 % delays cannot be measured any more.
# Delays: below 10 ms they cannot be told from a busy machine.
_RANGES: Mapping[str, tuple[float, float, str]] = {
    "delay_s": (0.01, 60.0, "seconds"),
    "jitter_s": (0.0, 60.0, "seconds"),
    "loss": (0.05, 0.9, "a probability"),
    "duplicate": (0.05, 0.9, "a probability"),
    "reorder": (0.05, 0.9, "a probability"),
    "corrupt": (0.05, 0.9, "a probability"),
    # Slower, a single packet would take longer than a fault; faster, a limit cannot be told from a busy machine.
    "bytes_per_s": (4_000, 1_000_000, "bytes per second"),
}
DISTRIBUTIONS = ("uniform", "normal", "pareto")
_FIELDS = (*_RANGES, "distribution")
_BEHAVIOURS = ("delay", "loss", "duplicate", "reorder", "corrupt", "rate")
_WORDS: Mapping[str, str] = {
    "loss": "lost",
    "duplicate": "duplicated",
    "reorder": "reordered",
    "corrupt": "corrupted",
}


@dataclass(frozen=True, slots=True)
class Packet:
    """Arguments: the target, whose links to and from all others are meant; and the fields of a ``PacketShape``.

    If none of the figures is given, all are drawn; if one is, the others are off.
    """

    kind: str = "packet"
    power: str = "shape"
    nodes_min: int = 2
    variants: tuple[str, ...] = (*_BEHAVIOURS, *targets.SIZES)

    def plan(self, scene: Scene, rng: random.Random) -> dict[str, Any]:
        return self.complete({}, scene, rng)

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        figures = {name: args[name] for name in _FIELDS if name in args} or _drawn(scene, rng)
        if "reorder" in figures and "delay_s" not in figures:
            figures |= {"delay_s": DELAY_S, "jitter_s": JITTER_S}  # what is not delayed cannot be overtaken
        return {**figures, **targets.complete(args, scene, rng)}

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        found = arguments.unknown(args, (*_FIELDS, *targets.FIELDS)) + targets.problems(args, scene)
        for name, (low, high, what) in _RANGES.items():
            found += arguments.number(args, name, low, high, what)
        found += arguments.word(args, "distribution", DISTRIBUTIONS)
        if not found and "distribution" in args and not args.get("jitter_s"):
            found.append("distribution: needs jitter_s, whose distribution it is")
        if not found and args.get("jitter_s", 0) > args.get("delay_s", 0):
            found.append(f"jitter_s: {args['jitter_s']:g} must be at most delay_s, which is {args.get('delay_s', 0):g}")
        elif not found and "jitter_s" in args and "delay_s" not in args:
            found.append("jitter_s: needs delay_s, which it makes longer or shorter")
        return found

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        hit = targets.hit(args, nodes, role_of)
        links = frozenset((a, b) for a in nodes for b in nodes if a != b and (a in hit or b in hit))
        shape = PacketShape(**{name: args[name] for name in _FIELDS if name in args})
        return hit, (Step(effect=Shape(links=links, shape=shape)),)

    def describe(self, args: Mapping[str, Any]) -> str:
        words = [f"{args[name] * 100:g} % {word}" for name, word in _WORDS.items() if name in args]
        if "delay_s" in args:
            words.insert(0, f"{args['delay_s'] * 1000:g} ± {args.get('jitter_s', 0) * 1000:g} ms late")
        if "bytes_per_s" in args:
            words.append(f"at most {args['bytes_per_s'] / 1000:g} kB/s")
        return f"packet: {', '.join(words)} on links of {targets.describe(args)}"


def _drawn(scene: Scene, rng: random.Random) -> dict[str, Any]:
    """The figures of one behaviour, or of a mix."""
    chosen = [pick(_BEHAVIOURS, scene.weights, rng)]
    if rng.random() < _MIXED_SHARE:
        chosen += [name for name in _BEHAVIOURS if name not in chosen and rng.random() < _MIXED_SHARE]
    figures: dict[str, Any] = {}
    if "delay" in chosen:
        times = rng.choice(_DELAY_TIMES)
        figures |= {"delay_s": round(DELAY_S * times, 3), "jitter_s": round(JITTER_S * times, 3)}
        figures |= {"distribution": rng.choice(DISTRIBUTIONS)}
    if "rate" in chosen:
        figures |= {"bytes_per_s": rng.choice(RATES_BYTES_PER_S)}
    return figures | {name: rng.choice(_SHARES) for name in _WORDS if name in chosen}


PACKET: Fault = Packet()
