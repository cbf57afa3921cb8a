"""The contract of a kind of fault. A kind is one frozen object, named in ``nemesis.FAULTS``; it holds no state and makes no calls.

Life of a fault's arguments, which are JSON data throughout:

    written by hand ──problems──▶ judged ──complete──▶ explicit ──(schedule file, plan.json)──▶ resolve ──▶ effects
    drawn by plan ────────────────────────────────────▶ explicit

Explicit means that nothing is left to chance, except that a role ("leader") is looked up when the fault is injected. If no node has the
role then, the node in ``args["else"]`` is hit, which was drawn with the plan: a planned fault always takes place.

Overlapping faults: the injector counts, per power and per link or node, how many faults hold it. A link mends, a node goes on or comes
back when its last holder ends. So no kind has to know of the others.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.effects import Effect

# No fault of the random nemesis is shorter: below this a probe may come too late to see it.
LENGTH_MIN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is known when a fault is planned: the nodes, the roles they report, how long the fault lasts.

    ``aim`` is the role that it must hit, if any. ``weights`` say how often each variant of the kind is drawn (see ``nemesis.swarm``).
    """

    nodes: tuple[str, ...]
    roles: tuple[str, ...] = ()
    length_s: float
    aim: str | None = None
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A part of a fault: ``effect`` holds from ``offset_s`` after the fault's start for ``length_s``, or (None) until its end."""

    offset_s: float = 0.0
    length_s: float | None = None
    effect: Effect


class Fault(Protocol):
    """One kind of fault."""

    @property
    def kind(self) -> str: ...

    @property
    def power(self) -> str:
        """What a cluster must be able to do: "cut", "shape", "kill", ... (see ``harness.powers``)."""
        ...

    @property
    def nodes_min(self) -> int:
        """With fewer nodes it cannot take effect."""
        ...

    @property
    def variants(self) -> tuple[str, ...]:
        """The words that ``Scene.weights`` may weigh."""
        ...

    def plan(self, scene: Scene, rng: random.Random) -> dict[str, Any]:
        """Random explicit arguments, strong enough to be proved within ``scene.length_s``; aimed at ``scene.aim`` if that is given."""
        ...

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        """``args``, in which ``problems`` found none, with all that they leave open drawn; explicit arguments stay as they are."""
        ...

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        """What is wrong with arguments that a person wrote, each "argument: what is wrong, and what would be right"; never raises."""
        ...

    def resolve(
        self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[Step, ...]]:
        """Which nodes explicit arguments hit, now that ``role_of`` (node → role) is known, and what is done to them."""
        ...

    def describe(self, args: Mapping[str, Any]) -> str:
        """Explicit arguments in a few words, for reports: "partition: n1 n2 | n3 n4 n5"."""
        ...


class Pursuer(Fault, Protocol):
    """A kind that decides while it holds, by what the nodes say of themselves. Its ``resolve`` gives no steps."""

    def look_s(self, args: Mapping[str, Any]) -> float:
        """How often the nodes are looked at, in seconds."""
        ...

    def react(self, args: Mapping[str, Any], seen: Mapping[str, Mapping[str, Any]]) -> Effect | None:
        """What is to hold from now on, after ``seen`` (node → its status, of those that answered); None for nothing."""
        ...
