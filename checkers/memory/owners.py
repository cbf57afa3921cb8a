"""Who may write and who may read a location, and when, by what the nodes log of their caches. Facts, and the pairs that clash. Pure.

A line of a node's log whose ``event`` is "state" says that the node holds ``location`` in ``state`` from then on: "M" (modified), "E"
(exclusive), "O" (owned: it answers for others who read), "S" (shared) or "I" (invalid), as in the protocols MSI to MOESI. A node that is
killed, or starts, holds nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checkers.windows import Windows
from checkers.wording import SECOND_NS, text
from harness.interning import identity

STATE, START = "state", "start"
EXCLUSIVE, OWNERS, READABLE = frozenset("ME"), frozenset("MEO"), frozenset("MEOS")
STATES = READABLE | {"I"}
DEADLY = frozenset({"kill", "term"})
Logs = Mapping[str, Sequence[Mapping[str, Any]]]


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """A log says of a location what makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """``node`` holds ``location`` in ``state`` from ``since_s`` to ``until_s``."""

    node: str
    location: Any
    state: str
    since_s: float
    until_s: float


def spells_of(logs: Logs, windows: Windows, end_s: float) -> list[Spell]:
    """All spells in which a node may at least read, to ``end_s`` where nothing ends them. Raises Unjudgeable."""
    spells = []
    for node, lines in sorted(logs.items()):
        held: dict[Hashable, Spell] = {}
        deaths = sorted(f.start_ns / SECOND_NS for f in windows.faults if f.kind in DEADLY and node in f.targets)

        def ended(spell: Spell, at_s: float, deaths: Sequence[float] = deaths) -> Spell:
            died_s = next((death for death in deaths if death >= spell.since_s), at_s)
            until_s = max(spell.since_s, min(at_s, died_s))
            return Spell(
                node=spell.node, location=spell.location, state=spell.state, since_s=spell.since_s, until_s=until_s
            )

        for line in lines:
            time_s = line.get("t")
            if line.get("event") == START and isinstance(time_s, int | float):
                spells += [ended(spell, float(time_s)) for spell in held.values()]
                held.clear()
            elif line.get("event") == STATE:
                state, location = line.get("state"), line.get("location")
                if state not in STATES or not isinstance(time_s, int | float):
                    raise Unjudgeable(f"{node} logged the state {text(state)} of {text(location)} at {text(time_s)}")
                if known := held.pop(identity(location), None):
                    spells.append(ended(known, float(time_s)))
                if state in READABLE:
                    spell = Spell(node=node, location=location, state=state, since_s=float(time_s), until_s=end_s)
                    held[identity(location)] = spell
        spells += [ended(spell, end_s) for spell in held.values()]
    return spells


def clashes(spells: Sequence[Spell], slack_s: float) -> Iterator[tuple[Spell, Spell]]:
    """Pairs of one location and two nodes: one may write while the other may read, or both own it, for more than ``slack_s``."""
    by_location: dict[Hashable, list[Spell]] = {}
    for spell in sorted(spells, key=lambda spell: spell.since_s):
        live = by_location.setdefault(identity(spell.location), [])
        live[:] = [other for other in live if other.until_s - spell.since_s > slack_s]
        for other in live:
            together_s = min(spell.until_s, other.until_s) - spell.since_s
            if other.node != spell.node and _clash(spell.state, other.state) and together_s > slack_s:
                yield other, spell
        live.append(spell)


def _clash(one: str, other: str) -> bool:
    return one in EXCLUSIVE or other in EXCLUSIVE or (one in OWNERS and other in OWNERS)
