"""Whether one order of the writes to a location explains what every process saw there: coherence, sequential consistency of each
location by itself (Gharachorloo et al. 1990). Pure.

Every write is of a fresh value; null is what the location holds before all writes. Each process sees a sequence of values, those that it
reads and those that it writes. Two values in a row, different, say that the first was written before the second. An order exists iff these
sayings make no circle, and nobody reads what it writes only later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from checkers.wording import text
from harness.history import FAIL, OK, Calls
from harness.interning import identity

READ, WRITE = "read", "write"
# Of a circle's members so many are tried as its start, for the shortest.
STARTS_MAX = 64


class Unjudgeable(Exception):  # noqa: N818 - a verdict, not a failure
    """A value was written twice, so nobody knows which write a read of it saw."""


@dataclass(slots=True, kw_only=True)
class Location:
    """One location. ``writes``: value → row of its write; ``strangers``: reads of what nobody wrote, or only failed to; ``early``: (read,
    write) of one process that read its own later write; ``circle``: (earlier sight, later sight) around a shortest circle found.
    """

    key: Any
    reads: int = 0
    writes: dict[Hashable, int] = field(default_factory=dict)
    strangers: list[int] = field(default_factory=list)
    early: list[tuple[int, int]] = field(default_factory=list)
    circle: list[tuple[int, int]] = field(default_factory=list)


def location_of(calls: Calls, key: Any) -> Location:
    """What is wrong with the location of these ``calls``. Raises Unjudgeable."""
    location = Location(key=key)
    names = [calls.history.fs[code] for code in calls.f.tolist()]
    failed: dict[Hashable, int] = {}
    for row in range(len(calls)):
        if names[row] == WRITE:
            value = calls.history.values[calls.argument[row]]
            known = failed if calls.outcome[row] == FAIL else location.writes
            if identity(value) in location.writes or value is None:
                raise Unjudgeable(
                    f"{text(value)} is written to {text(key)} twice, or is what stands there before all writes"
                )
            known[identity(value)] = row
    seen = _sequences(calls, names, location)
    edges: dict[Hashable, dict[Hashable, tuple[int, int]]] = {}
    start = identity(None)
    for sequence in seen.values():
        for (before, one), (after, other) in pairwise(sequence):
            if before not in (after, start):
                edges.setdefault(before, {}).setdefault(after, (one, other))
        for value, row in sequence:
            if value != start:
                edges.setdefault(start, {}).setdefault(value, (row, row))
    location.circle = _shortest_circle(edges)
    return location


def _sequences(calls: Calls, names: Sequence[str], location: Location) -> dict[int, list[tuple[Hashable, int]]]:
    """Per process the values that it saw, in the order of its operations, each with the row of the call."""
    seen: dict[int, list[tuple[Hashable, int]]] = {}
    for row in range(len(calls)):
        sequence = seen.setdefault(int(calls.process[row]), [])
        if names[row] == WRITE and calls.outcome[row] != FAIL:
            value = identity(calls.history.values[calls.argument[row]])
            sequence.append((value, row))
        elif names[row] == READ and calls.outcome[row] == OK:
            location.reads += 1
            whole = calls.history.values[calls.result[row]]
            value = identity(whole)
            write = location.writes.get(value)
            if whole is not None and write is None:
                location.strangers.append(row)
                continue
            if write is not None and calls.process[write] == calls.process[row] and write > row:
                location.early.append((row, write))
                continue
            sequence.append((value, row))
    return seen


def _shortest_circle(edges: dict[Hashable, dict[Hashable, tuple[int, int]]]) -> list[tuple[int, int]]:
    best: list[tuple[int, int]] = []
    for start in list(_in_circles(edges))[:STARTS_MAX]:
        found = _circle_from(start, edges, len(best) or None)
        if found and (not best or len(found) < len(best)):
            best = found
    return best


def _in_circles(edges: dict[Hashable, dict[Hashable, tuple[int, int]]]) -> dict[Hashable, None]:
    """The values that remain when those that nothing comes before, or after, are taken away again and again."""
    alive = dict.fromkeys([*edges, *(after for targets in edges.values() for after in targets)])
    back: dict[Hashable, list[Hashable]] = {value: [] for value in alive}
    for before, targets in edges.items():
        for after in targets:
            back[after].append(before)
    for forth, against in (
        (lambda value: edges.get(value, {}), back.get),
        (back.get, lambda value: edges.get(value, {})),
    ):
        missing = {value: sum(other in alive for other in against(value) or ()) for value in alive}
        ready = [value for value, many in missing.items() if not many]
        while ready:
            value = ready.pop()
            del alive[value]
            for other in forth(value) or ():
                if other in alive:
                    missing[other] -= 1
                    if not missing[other]:
                        ready.append(other)
    return alive


def _circle_from(
    start: Hashable, edges: dict[Hashable, dict[Hashable, tuple[int, int]]], below: int | None
) -> list[tuple[int, int]]:
    """The shortest circle through ``start``, by breadth; nothing if there is none of fewer than ``below`` edges."""
    came: dict[Hashable, Hashable] = {}
    rest = deque([(start, 0)])
    while rest:
        value, depth = rest.popleft()
        if below is not None and depth + 1 >= below:
            return []
        for after in edges.get(value, {}):
            if after == start:
                path = [edges[value][start]]
                while value != start:
                    path.append(edges[came[value]][value])
                    value = came[value]
                return path[::-1]
            if after not in came:
                came[after] = value
                rest.append((after, depth + 1))
    return []
