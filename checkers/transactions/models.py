"""Consistency models: which one forbids what, and which one implies which.

The lattice is Elle's (elle.consistency-model), which gathers Adya's thesis (1999), Bailis and others (2014), Cerone, Bernardi, Gotsman
(2015), Daudjee and Salem (2006). Some of its models forbid phenomena for which nobody has a detector (G-cursor, G-monotonic, G-MSR,
G-update, G-SI); for those, what implies them is looked for. Models that nothing here could refute (view serializability, and those of
single objects) have no name here. ``causal`` is ours: transactional causal consistency with the order of each process, as AWDIT and Plume
decide it (``causal-cerone`` knows no processes, and is refuted by what refutes read atomic).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from checkers.transactions.cycles import CLASSES, PREDICATE_CLASSES, name_of
from checkers.transactions.graph import Level, Time

PHANTOM, DUPLICATES, INCOMPATIBLE = "garbage-read", "duplicate-elements", "incompatible-order"
CYCLIC_VERSIONS, DIRTY_UPDATE, LOST_UPDATE = "cyclic-versions", "dirty-update", "lost-update"
G1A, G1B, INTERNAL, FUTURE_READ = "G1a", "G1b", "internal", "future-read"
MISSED, MISMATCHED = "predicate-read-miss", "predicate-read-mismatch"
NON_MONOTONIC, FRACTURED, NON_CAUSAL = "non-monotonic-view", "fractured-read", "non-causal"
DEFAULT, CAUSAL = "strict-serializable", "causal"

ALIASES: Mapping[str, str] = {
    "PL-1": "read-uncommitted",
    "PL-2": "read-committed",
    "PL-2L": "monotonic-view",
    "PL-CS": "cursor-stability",
    "PL-MSR": "monotonic-snapshot-read",
    "PL-2+": "consistent-view",
    "PL-FCV": "forward-consistent-view",
    "PL-2.99": "repeatable-read",
    "PL-3U": "update-serializable",
    "PL-SI": "snapshot-isolation",
    "PL-3": "serializable",
    "conflict-serializable": "serializable",
    "PL-SS": "strict-serializable",
    "strong-serializable": "strict-serializable",
    "strong-session-PL-1": "strong-session-read-uncommitted",
    "strong-session-PL-2": "strong-session-read-committed",
    "strong-PL-1": "strong-read-uncommitted",
    "strong-PL-2": "strong-read-committed",
}

# model → the weaker ones that it implies directly
IMPLIES: Mapping[str, tuple[str, ...]] = {
    "read-uncommitted": (),
    "read-committed": ("read-uncommitted",),
    "monotonic-view": ("read-committed",),
    "monotonic-snapshot-read": ("read-committed",),
    "monotonic-atomic-view": ("read-committed",),
    "cursor-stability": ("read-committed",),
    "consistent-view": ("cursor-stability", "monotonic-view"),
    "forward-consistent-view": ("consistent-view",),
    "repeatable-read": ("cursor-stability", "monotonic-atomic-view"),
    "read-atomic": ("monotonic-atomic-view",),
    "update-atomic": ("read-atomic",),
    "causal-cerone": ("read-atomic",),
    "parallel-snapshot-isolation": ("causal-cerone", "update-atomic"),
    "prefix": ("causal-cerone",),
    "snapshot-isolation": (
        "forward-consistent-view",
        "monotonic-atomic-view",
        "monotonic-snapshot-read",
        "parallel-snapshot-isolation",
        "prefix",
    ),
    "update-serializable": ("forward-consistent-view",),
    "serializable": ("repeatable-read", "update-serializable", "snapshot-isolation"),
    "strong-session-read-uncommitted": ("read-uncommitted",),
    "strong-session-read-committed": ("read-committed", "strong-session-read-uncommitted"),
    "strong-read-uncommitted": ("strong-session-read-uncommitted",),
    "strong-read-committed": ("strong-session-read-committed", "strong-read-uncommitted"),
    "causal": ("causal-cerone", "strong-session-read-committed"),
    "strong-session-snapshot-isolation": ("snapshot-isolation", "causal"),
    "strong-snapshot-isolation": ("strong-session-snapshot-isolation", "strong-read-committed"),
    "strong-session-serializable": ("serializable", "strong-session-snapshot-isolation"),
    "strict-serializable": ("strong-session-serializable", "strong-snapshot-isolation"),
}
MODELS = tuple(IMPLIES)

# model → the cycles that it forbids, up to a level, with an order of time
CYCLES: Mapping[str, tuple[Level, Time]] = {
    "read-uncommitted": (Level.WRITES, Time.NONE),
    "read-committed": (Level.READS, Time.NONE),
    "consistent-view": (Level.SINGLE, Time.NONE),
    "snapshot-isolation": (Level.NONADJACENT, Time.NONE),
    "repeatable-read": (Level.ALL, Time.NONE),
    "serializable": (Level.ALL, Time.NONE),
    "strong-session-read-uncommitted": (Level.WRITES, Time.PROCESS),
    "strong-session-read-committed": (Level.READS, Time.PROCESS),
    "strong-session-snapshot-isolation": (Level.NONADJACENT, Time.PROCESS),
    "strong-session-serializable": (Level.ALL, Time.PROCESS),
    "strong-read-uncommitted": (Level.WRITES, Time.REAL),
    "strong-read-committed": (Level.READS, Time.REAL),
    "strong-snapshot-isolation": (Level.NONADJACENT, Time.REAL),
    "strict-serializable": (Level.ALL, Time.REAL),
}
# Models that forbid such cycles only where they need no edge of a predicate.
ITEMS_ALONE = frozenset({"repeatable-read"})
# anomaly that is no cycle → the weakest models that forbid it
ALONE: Mapping[str, tuple[str, ...]] = {
    PHANTOM: ("read-uncommitted",),
    DUPLICATES: ("read-uncommitted",),
    CYCLIC_VERSIONS: ("read-uncommitted",),
    G1A: ("read-committed",),
    G1B: ("read-committed",),
    INCOMPATIBLE: ("read-committed",),
    DIRTY_UPDATE: ("read-committed",),
    FUTURE_READ: ("read-committed",),
    INTERNAL: ("read-atomic",),
    LOST_UPDATE: ("cursor-stability", "update-atomic"),
    NON_MONOTONIC: ("monotonic-atomic-view", "consistent-view"),
    FRACTURED: ("read-atomic", "consistent-view"),
    NON_CAUSAL: ("causal",),
    MISSED: ("serializable",),
    MISMATCHED: ("snapshot-isolation",),
}
ANOMALIES = (*CLASSES, *PREDICATE_CLASSES, *ALONE)


def canonical(name: str) -> str:
    """The name under which a model stands in the tables, whatever it was called; unknown names stay as they are."""
    return ALIASES.get(name, name)


@cache
def implied(model: str) -> frozenset[str]:
    """A model and all that it implies."""
    return frozenset({model}.union(*(implied(weaker) for weaker in IMPLIES[model])))


def forbids(model: str, anomaly: str) -> bool:
    """Whether a model forbids an anomaly, cycle or not."""
    weaker = implied(model)
    if anomaly in ALONE:
        return any(least in weaker for least in ALONE[anomaly])
    predicates = anomaly in PREDICATE_CLASSES
    level, time = (PREDICATE_CLASSES if predicates else CLASSES)[anomaly]
    mine = [CYCLES[one] for one in weaker if one in CYCLES and not (predicates and one in ITEMS_ALONE)]
    return any(level <= most and time <= order for most, order in mine)


def refuted(anomalies: Iterable[str]) -> tuple[str, ...]:
    """All models that one of these anomalies refutes, weaker ones first."""
    found = set(anomalies)
    return tuple(model for model in MODELS if any(forbids(model, anomaly) for anomaly in found))


def weakest(models: Iterable[str]) -> tuple[str, ...]:
    """Those of ``models`` that imply no other one of them."""
    given = list(models)
    return tuple(model for model in given if not (implied(model) - {model}).intersection(given))


def time_of(model: str) -> Time:
    """The order of time that a model keeps."""
    return max((CYCLES[one][1] for one in implied(model) if one in CYCLES), default=Time.NONE)


def classes_for(model: str, *, predicates: bool = False) -> list[tuple[Level, Time]]:
    """The classes of cycles up to the order of time that a model keeps: those that it forbids first; in either part what is below first."""
    known = (PREDICATE_CLASSES if predicates else CLASSES).values()
    every = [(level, time) for time in Time for level in Level if time <= time_of(model) and (level, time) in known]
    mine = [pair for pair in every if forbids(model, name_of(*pair, predicates=predicates))]
    return [*mine, *(pair for pair in every if pair not in mine)]
