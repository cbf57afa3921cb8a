"""Consistency models: what refutes them. After Adya's thesis (1999) and Elle's lattice of models.

A model forbids cycles up to a *level* (G0; G1c; those of snapshot isolation; all), counting the order of *time* that it promises to
respect besides the dependencies (none, that of each process, real time), and anomalies that are no cycles.

The transactions here have no predicates, so repeatable read forbids the same cycles as serializability.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from checkers.transactions.graph import Kind

PHANTOM, DUPLICATES, DIRTY_UPDATE = "phantom", "duplicate-elements", "dirty-update"
G1A, G1B, INCOMPATIBLE = "G1a", "G1b", "incompatible-order"
INTERNAL, LOST_UPDATE = "internal", "lost-update"


class Level(IntEnum):
    """Which cycles of dependencies are forbidden; each level forbids more than the one before."""

    WRITES = 0  # of ww alone: G0
    READS = 1  # of ww and wr: G1c
    SNAPSHOT = 2  # also with rw, but never two of them in a row: G-single, G-nonadjacent
    ALL = 3  # any: G2-item


class Time(IntEnum):
    """Which order of time counts, besides the dependencies."""

    NONE = 0
    PROCESS = 1
    REAL = 2


TIME_KINDS: Mapping[Time, tuple[Kind, ...]] = {
    Time.NONE: (),
    Time.PROCESS: (Kind.PROCESS,),
    Time.REAL: (Kind.PROCESS, Kind.REALTIME),
}
SUFFIXES: Mapping[Time, str] = {Time.NONE: "", Time.PROCESS: "-process", Time.REAL: "-realtime"}

# Anomalies that are no cycles, by the lowest level that forbids them. "internal" is a matter of its own: see ``Model.internal``.
ALONE: Mapping[str, Level] = {
    PHANTOM: Level.WRITES,
    DUPLICATES: Level.WRITES,
    DIRTY_UPDATE: Level.READS,
    G1A: Level.READS,
    G1B: Level.READS,
    INCOMPATIBLE: Level.READS,
    LOST_UPDATE: Level.SNAPSHOT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a model forbids; ``internal``: also that a transaction does not see its own past."""

    name: str
    level: Level
    time: Time = Time.NONE
    internal: bool = True

    def forbids(self, anomaly: str) -> bool:
        """Whether an anomaly that is no cycle refutes the model."""
        return self.internal if anomaly == INTERNAL else self.level >= ALONE[anomaly]


MODELS: Mapping[str, Model] = {
    model.name: model
    for model in (
        Model(name="read-uncommitted", level=Level.WRITES, internal=False),
        Model(name="read-committed", level=Level.READS, internal=False),
        Model(name="repeatable-read", level=Level.ALL, internal=False),
        Model(name="snapshot-isolation", level=Level.SNAPSHOT),
        Model(name="strong-session-snapshot-isolation", level=Level.SNAPSHOT, time=Time.PROCESS),
        Model(name="strong-snapshot-isolation", level=Level.SNAPSHOT, time=Time.REAL),
        Model(name="serializable", level=Level.ALL),
        Model(name="strong-session-serializable", level=Level.ALL, time=Time.PROCESS),
        Model(name="strict-serializable", level=Level.ALL, time=Time.REAL),
    )
}
DEFAULT = "strict-serializable"
