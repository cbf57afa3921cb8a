"""The data types: what an entry is, how two are joined, what an operation adds, and what a read shows. Pure; entries are JSON.

A collection is a map from *part* to entry: a part is what grows by itself (an element, a node's own number). An operation gives the new
entries of the parts that it changes; the join puts them, and whatever peers send, into the map. Entries are never changed in place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from targets.kv.crdt.bugs import Bugs
from targets.node import codes
from targets.node.env import Body, Refusal

Entries = Mapping[str, Any]  # part → entry
EXACT = 2**53  # where a seeded bug makes numbers explode, they wrap before they leave what JSON keeps exact
SHARED = "*"  # the part in which all nodes count, where a seeded bug says so


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What an operation may know: the node's name, a tag that nobody has used, the node's clock, and the seeded bugs."""

    node: str
    tag: str
    wall_s: float
    bugs: Bugs


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """One data type. ``updates``: request type → (entries, body, scene) → the entries to join. ``shown``: what a read returns, under the
    name ``answer``. ``join(there, came, bugs)``.
    """

    join: Callable[[Any, Any, Bugs], Any]
    updates: Mapping[str, Callable[[Entries, Body, Scene], Entries]]
    shown: Callable[[Entries, Bugs], Any]
    answer: str = "value"


def part_of(value: Any) -> str:
    """A JSON value as the name of a part: distinct for distinct values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _values(parts: Iterable[str]) -> list[Any]:
    """What the parts name. (One text is parsed much quicker than thousands.)"""
    values: list[Any] = json.loads(f"[{','.join(parts)}]")
    return values


def _field(body: Body, name: str) -> Any:
    if name not in body:
        raise Refusal(codes.MALFORMED, f"a request of type {body['type']!r} needs {name!r}")
    return body[name]


def _whole(body: Body, least: int | None) -> int:
    delta = _field(body, "delta")
    if type(delta) is not int or (least is not None and delta < least):
        what = "a whole number" if least is None else f"a whole number of at least {least}"
        raise Refusal(codes.MALFORMED, f"delta must be {what}, not {delta!r}")
    return delta


# Grow-only sets: an entry says how often the element is there, which is once.


def _put(field: str) -> Callable[[Entries, Body, Scene], Entries]:
    return lambda _entries, body, _scene: {part_of(_field(body, field)): 1}


def _join_elements(there: int, came: int, bugs: Bugs) -> int:
    return 2 if bugs.list_not_set else max(there, came)


def _elements(entries: Entries, _bugs: Bugs) -> list[Any]:
    return _values(part for part, times in entries.items() for _ in range(times))


# Counters: an entry is [added, subtracted] by the node that the part names (a g-counter subtracts nothing).


def _count(least: int | None) -> Callable[[Entries, Body, Scene], Entries]:
    def add(entries: Entries, body: Body, scene: Scene) -> Entries:
        delta = _whole(body, least)
        part = SHARED if scene.bugs.shared_slot else scene.node
        plus, minus = entries.get(part, (0, 0))
        if scene.bugs.one_map or delta >= 0:
            return {part: [plus + delta, minus]}
        return {part: [plus, minus - delta]}

    return add


def _join_counts(there: list[int], came: list[int], bugs: Bugs) -> list[int]:
    if bugs.merged_by_sum:
        return [(one + other) % EXACT for one, other in zip(there, came, strict=True)]
    if bugs.merged_last_writer:
        return came
    return [max(one, other) for one, other in zip(there, came, strict=True)]


def _sum(entries: Entries, _bugs: Bugs) -> int:
    return sum(plus - minus for plus, minus in entries.values())


# Observed-remove sets: an entry is [tags of adds, those of them that a remove has seen], both sorted.


def _tagged(_entries: Entries, body: Body, scene: Scene) -> Entries:
    part = part_of(_field(body, "element"))
    if scene.bugs.by_wall_clock:
        return {part: [[f"{scene.wall_s:020.6f}"], []]}
    return {part: [[scene.tag], []]}


def _removed(entries: Entries, body: Body, scene: Scene) -> Entries:
    part = part_of(_field(body, "element"))
    if part not in entries:
        return {}
    if scene.bugs.by_wall_clock:
        return {part: [[], [f"{scene.wall_s:020.6f}"]]}
    return {part: [[], entries[part][0]]}


def _join_tags(there: list[list[str]], came: list[list[str]], _bugs: Bugs) -> list[list[str]]:
    return [sorted({*one, *other}) for one, other in zip(there, came, strict=True)]


def _present(entries: Entries, bugs: Bugs) -> list[Any]:
    return _values(part for part, (added, gone) in entries.items() if _is_there(added, gone, bugs))


def _is_there(added: list[str], gone: list[str], bugs: Bugs) -> bool:
    if bugs.by_wall_clock:
        return bool(added) and (not gone or added[-1] > gone[-1])
    if bugs.remove_wins:
        return bool(added) and not gone
    return len(added) > len(gone) or not set(added) <= set(gone)


LATTICES: Mapping[str, Lattice] = {
    "broadcast": Lattice(
        join=_join_elements, updates={"broadcast": _put("message")}, shown=_elements, answer="messages"
    ),
    "g-set": Lattice(join=_join_elements, updates={"add": _put("element")}, shown=_elements),
    "g-counter": Lattice(join=_join_counts, updates={"add": _count(0)}, shown=_sum),
    "pn-counter": Lattice(join=_join_counts, updates={"add": _count(None)}, shown=_sum),
    "or-set": Lattice(join=_join_tags, updates={"add": _tagged, "remove": _removed}, shown=_present),
}
