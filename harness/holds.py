"""Who holds what: effects of several faults may overlap, and what a cluster is told is the union of what is still held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.effects import DiskFault, Intrude, Link, PacketShape, Unsynced


@dataclass(slots=True)
class Holds:
    """Who holds what: how many effects cut a link, keep a node down or still; in which order links were shaped, clocks
    skewed, nodes throttled and squeezed, disks broken.
    """

    cut: Counter[Link] = field(default_factory=Counter)
    down: Counter[str] = field(default_factory=Counter)
    still: Counter[str] = field(default_factory=Counter)
    intruders: Counter[Intrude] = field(default_factory=Counter)
    shapes: dict[Link, list[PacketShape]] = field(default_factory=dict)
    skews: dict[str, list[Any]] = field(default_factory=dict)
    shares: dict[str, list[float]] = field(default_factory=dict)  # of the processor's time
    headrooms: dict[str, list[int]] = field(default_factory=dict)  # of memory, in bytes
    disks: dict[str, list[DiskFault]] = field(default_factory=dict)
    unsynced: dict[str, list[Unsynced]] = field(default_factory=dict)  # when the power went, of each node without it
    canaries: dict[str, bool] = field(
        default_factory=dict
    )  # whether such a node had written one that it had not synced


def take(counter: Counter[Any], things: Iterable[Any]) -> list[Any]:
    """Hold each of ``things`` once more; return those that nobody held before."""
    fresh = [thing for thing in things if not counter[thing]]
    counter.update(things)
    return fresh


def release(counter: Counter[Any], things: Iterable[Any]) -> list[Any]:
    """Hold each of ``things`` once less; return those that nobody holds any more."""
    things = [thing for thing in things if counter[thing]]
    counter.subtract(things)
    return [thing for thing in things if not counter[thing]]
