"""Adversary: who leads, or stands for it, is heard only after the others have given up waiting; and the fault goes where the lead goes.

It is the argument of Fischer, Lynch and Paterson as a nemesis: whoever may choose delays by what he sees can keep a system from ever
deciding anything, but not make it decide wrongly. Every ``look_s`` it asks all nodes what they are, and how long they wait for a leader
before they stand for it themselves ("timeout_s" of their status). What the leader sends, or of several candidates the first of the latest
term, then takes ``margin`` times the longest of these times. It has one victim at a time, and is late by up to ``look_s``: that is all the
luck that a system with randomised timeouts has, and it is enough.

"all" leaves this kind out: a system whose progress it stops has broken no promise. The nodes of other targets than those that report
"timeout_s" are not delayed, so that the fault does not bite.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.effects import Effect, PacketShape, Shape
from nemesis import arguments
from nemesis.fault import Pursuer, Scene, Step

# What is drawn: how late the adversary is, and by how much messages miss the timeout.
LOOKS_S = (0.1, 0.2, 0.5)
MARGINS = (1.05, 1.5)
# The roles that are gone after, the first before the second.
VICTIMS = (("leader", "primary"), ("candidate", "pre-candidate"))


@dataclass(frozen=True, slots=True)
class Adversary:
    """Arguments: ``look_s`` and ``margin``."""

    kind: str = "adversary"
    power: str = "shape"
    nodes_min: int = 2
    variants: tuple[str, ...] = ()

    def plan(self, scene: Scene, rng: random.Random) -> dict[str, Any]:
        return self.complete({}, scene, rng)

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        return {"look_s": rng.choice(LOOKS_S), "margin": round(rng.uniform(*MARGINS), 2), **args}

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        return [
            *arguments.unknown(args, ("look_s", "margin")),
            *arguments.number(args, "look_s", 0.005, 10.0, "seconds"),
            *arguments.number(args, "margin", 1.0, 10.0, "how many times the longest timeout"),
        ]

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        return tuple(nodes), ()

    def look_s(self, args: Mapping[str, Any]) -> float:
        """How often the nodes are looked at."""
        return float(args["look_s"])

    def react(self, args: Mapping[str, Any], seen: Mapping[str, Mapping[str, Any]]) -> Effect | None:
        """What is to hold now that the nodes report ``seen`` (node → its status); None if there is nobody to go after."""
        waits = [float(status["timeout_s"]) for status in seen.values() if status.get("timeout_s")]
        victim = _victim(seen)
        if victim is None or not waits:
            return None
        links = frozenset((victim, node) for node in seen if node != victim)
        return Shape(links=links, shape=PacketShape(delay_s=round(max(waits) * float(args["margin"]), 3)))

    def describe(self, args: Mapping[str, Any]) -> str:
        return f"adversary: who leads or stands for it is heard {args['margin']:g} × the longest timeout late"


def _victim(seen: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The leader of the latest term, else the first candidate of the latest term."""
    for roles in VICTIMS:
        terms = {node: status.get("term", 0) for node, status in seen.items() if status.get("role") in roles}
        if terms:
            return max(terms, key=lambda node: terms[node])
    return None


ADVERSARY: Pursuer = Adversary()
