"""The shapes of partitions: how each draws, judges, explains and cuts. The table ``SHAPES`` is what ``nemesis.partition`` knows.

Within a shape, arguments are those of the fault without ``shape``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.effects import Cut
from harness.schedule import shown
from nemesis import arguments, grudges, targets
from nemesis.fault import Scene, Step

Resolved = tuple[tuple[str, ...], tuple[Step, ...]]  # targets, steps
_OFFSET_MAX_S = 7 * 86400.0


class Shape(Protocol):
    """One shape. ``nodes_min``: with fewer nodes it cuts nothing. ``fields``: the arguments that it takes."""

    @property
    def nodes_min(self) -> int: ...

    @property
    def fields(self) -> tuple[str, ...]: ...

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]: ...

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]: ...

    def resolve(self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]) -> Resolved: ...

    def describe(self, args: Mapping[str, Any]) -> str: ...


def _cut(hit: Iterable[str], grudge: grudges.Grudge) -> Resolved:
    return tuple(hit), (Step(effect=Cut(links=grudges.links(grudge))),)


@dataclass(frozen=True, slots=True)
class Split:
    """Two ``sides`` that do not hear each other; ``nodes`` is short for one side. ``size``: of the smaller side, or None for any."""

    size: Callable[[int], int] | None
    nodes_min: int = 2
    fields: tuple[str, ...] = ("sides", "nodes")

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        if "sides" in args:
            return {"sides": [list(side) for side in args["sides"]]}
        count = len(scene.nodes)
        size = self.size(count) if self.size else rng.randint(1, count - 1)
        return {"sides": _side_and_rest(args.get("nodes") or rng.sample(scene.nodes, size), scene.nodes)}

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        found = _sides_problems(args, scene.nodes) + arguments.node_list(args, "nodes", scene.nodes)
        if "sides" in args and "nodes" in args:
            found.append("nodes: not together with sides: write one of them")
        if found or not args:
            return found
        field = "sides" if "sides" in args else "nodes"
        sides = args["sides"] if "sides" in args else _side_and_rest(args["nodes"], scene.nodes)
        missing = [node for node in scene.nodes if all(node not in side for side in sides)]
        small = min(len(side) for side in sides)
        size = self.size(len(scene.nodes)) if self.size else small
        if missing:
            return [f"sides: {' '.join(missing)} on neither side"]
        if not small:
            return [f"nodes: {shown(args['nodes'])} are all nodes: leave at least one for the other side"]
        if small != size:
            right = (
                f'the smaller side must be {size} of {len(scene.nodes)} nodes, not {small}: the shape "split" takes any'
            )
            return [f"{field}: {right}"]
        return []

    def resolve(self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]) -> Resolved:
        sides: list[list[str]] = args["sides"]
        smaller = min(sides, key=len)
        return _cut(smaller, grudges.complete_grudge(sides))

    def describe(self, args: Mapping[str, Any]) -> str:
        return " | ".join(" ".join(side) for side in args["sides"])


@dataclass(frozen=True, slots=True)
class Bridge:
    """Two ``sides`` that do not hear each other, and one node, ``bridge``, that hears both and is heard by both."""

    nodes_min: int = 3
    fields: tuple[str, ...] = ("sides", "bridge")

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        if "sides" in args:
            return {"sides": [list(side) for side in args["sides"]], "bridge": args["bridge"]}
        middle = args.get("bridge") or rng.choice(scene.nodes)
        others = [node for node in scene.nodes if node != middle]
        halves = grudges.bisect(rng.sample(others, len(others)))
        return {"sides": [targets.in_order(half, scene.nodes) for half in halves], "bridge": middle}

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        found = arguments.node(args, "bridge", scene.nodes) + _sides_problems(args, scene.nodes)
        if found or "sides" not in args:
            return found
        missing = [node for node in scene.nodes if all(node not in side for side in args["sides"])]
        if missing != [args.get("bridge")]:
            right = "all nodes but the bridge stand on a side, and the bridge on none"
            return [f"sides: {shown(args['sides'])} with the bridge {shown(args.get('bridge'))}: {right}"]
        return []

    def resolve(self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]) -> Resolved:
        return _cut([node for node in nodes if node != args["bridge"]], grudges.bridge(args["sides"], args["bridge"]))

    def describe(self, args: Mapping[str, Any]) -> str:
        return f"{' | '.join(' '.join(side) for side in args['sides'])}, bridged by {args['bridge']}"


@dataclass(frozen=True, slots=True)
class Grudge:
    """Any ``grudge``, {node: [nodes that it does not hear]}; ``ring``: if it is not given, a ring of majorities is drawn."""

    ring: bool
    nodes_min: int
    fields: tuple[str, ...] = ("grudge",)

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        grudge = args["grudge"] if "grudge" in args else grudges.majorities_ring(scene.nodes, rng)
        return {"grudge": {node: list(sources) for node, sources in grudge.items()}}

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        example = shown({scene.nodes[0]: list(scene.nodes[1:2])})
        if "grudge" not in args:
            return [] if self.ring else [f"grudge is missing: {example} if {scene.nodes[0]} is not to hear the other"]
        grudge = args["grudge"]
        if not isinstance(grudge, Mapping) or not grudge:
            return [f"grudge: {shown(grudge)} is not an object such as {example}"]
        found = []
        for node, sources in grudge.items():
            field = f"grudge.{node}"
            found += [f"grudge: there is no node {shown(node)}"] if node not in scene.nodes else []
            found += arguments.node_list({field: sources}, field, scene.nodes)
            found += [f"{field}: a node always hears itself"] if isinstance(sources, list) and node in sources else []
        if not found and self.ring and not grudges.is_majorities_ring(grudge, scene.nodes):
            found = ['grudge: not every node hears a majority of its own: the shape "grudge" takes any']
        return found

    def resolve(self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]) -> Resolved:
        ends = {end for link in grudges.links(args["grudge"]) for end in link}
        return _cut(targets.in_order(ends, nodes), args["grudge"])

    def describe(self, args: Mapping[str, Any]) -> str:
        if self.ring:
            return f"ring of majorities among {' '.join(args['grudge'])}"
        return "; ".join(f"{node} does not hear {' '.join(sources)}" for node, sources in args["grudge"].items())


# The node specs of one-way partitions: there must be others to speak with, and they are to be the majority.
ONE_WAY_WORDS = ("one", "minority", "minority-third")
# What the nodes that are hit cannot do any more → the grudge between them and the rest.
_WAYS: Mapping[str, Callable[[Sequence[str], Sequence[str]], grudges.Grudge]] = {
    "send": grudges.one_way,
    "hear": lambda hit, rest: grudges.one_way(rest, hit),
}


@dataclass(frozen=True, slots=True)
class OneWay:
    """The target ``cannot`` "send" to the others, but hears them; or cannot "hear" them, but is heard."""

    nodes_min: int = 2
    fields: tuple[str, ...] = (*targets.FIELDS, "cannot")

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        cannot = args.get("cannot") or rng.choice(("send", "hear"))
        return {"cannot": cannot, **targets.complete(args, scene, rng, ONE_WAY_WORDS)}

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        found = arguments.word(args, "cannot", ("send", "hear")) + targets.problems(args, scene, ONE_WAY_WORDS)
        if not found and len(args.get("nodes", ())) == len(scene.nodes):
            found.append(f"nodes: {shown(args['nodes'])} are all nodes: leave at least one to speak with")
        return found

    def resolve(self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]) -> Resolved:
        hit = targets.hit(args, nodes, role_of)
        return _cut(hit, _WAYS[args["cannot"]](hit, [node for node in nodes if node not in hit]))

    def describe(self, args: Mapping[str, Any]) -> str:
        return f"{targets.describe(args)} cannot {args['cannot']}"


@dataclass(frozen=True, slots=True)
class IsolateRole:
    """The node that has the role ``target`` then is cut off from all others; without ``target`` the leader, or what comes nearest."""

    nodes_min: int = 2
    fields: tuple[str, ...] = ("target", "else")

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        role = args.get("target") or scene.aim or targets.aims(scene.roles)[0]
        return targets.complete({**args, "target": role}, scene, rng)

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        if not scene.roles:
            return ["shape: the nodes of this target report no roles, so none can be isolated by its role"]
        return arguments.word(args, "target", scene.roles) + arguments.node(args, "else", scene.nodes)

    def resolve(self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]) -> Resolved:
        hit = targets.hit(args, nodes, role_of)
        return _cut(hit, grudges.complete_grudge(grudges.split_one(hit[0], nodes)))

    def describe(self, args: Mapping[str, Any]) -> str:
        return f"{targets.describe(args)} | the others"


@dataclass(frozen=True, slots=True)
class SwizzleClog:
    """Nodes are cut off one after another, and mended one after another in another order: ``clogs``, each node, at_s and length_s.

    FoundationDB's name for it (W. Wilson, Testing Distributed Systems with Deterministic Simulation, Strange Loop 2014): it is good at
    finding bugs, and nobody knows why.
    """

    nodes_min: int = 2
    fields: tuple[str, ...] = ("clogs",)

    def complete(self, args: Mapping[str, Any], scene: Scene, rng: random.Random) -> dict[str, Any]:
        if "clogs" in args:
            return {"clogs": [dict(clog) for clog in args["clogs"]]}
        # At least a second per node, half of it to cut and half to mend.
        most = max(1, min(len(scene.nodes), int(scene.length_s)))
        order = rng.sample(scene.nodes, rng.randint((most + 1) // 2, most))
        mended = {node: place for place, node in enumerate(rng.sample(order, len(order)), len(order) + 1)}
        slot_s = scene.length_s / (2 * len(order))
        return {
            "clogs": [
                {"node": node, "at_s": round(place * slot_s, 3), "length_s": round((mended[node] - place) * slot_s, 3)}
                for place, node in enumerate(order)
            ]
        }

    def problems(self, args: Mapping[str, Any], scene: Scene) -> list[str]:
        clogs = args.get("clogs")
        if "clogs" in args and (not isinstance(clogs, list) or not clogs):
            example = shown([{"node": scene.nodes[0], "at_s": 0, "length_s": 2}])
            return [f"clogs: {shown(clogs)} is not a list such as {example}"]
        return [
            f"clogs[{place}].{problem}"
            for place, clog in enumerate(clogs or ())
            for problem in _clog_problems(clog, scene)
        ]

    def resolve(self, args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]) -> Resolved:
        steps = tuple(
            Step(
                offset_s=clog["at_s"],
                length_s=clog["length_s"],
                effect=Cut(links=grudges.links(grudges.complete_grudge(grudges.split_one(clog["node"], nodes)))),
            )
            for clog in args["clogs"]
        )
        return tuple(targets.in_order([clog["node"] for clog in args["clogs"]], nodes)), steps

    def describe(self, args: Mapping[str, Any]) -> str:
        return f"{' '.join(clog['node'] for clog in args['clogs'])} cut off one after another"


def _clog_problems(clog: Any, scene: Scene) -> list[str]:
    fields = ("node", "at_s", "length_s")
    if not isinstance(clog, Mapping):
        return [f"{fields[0]}: {shown(clog)} is not an object with {', '.join(fields)}"]
    found = [f"{name}: missing" for name in fields if name not in clog] + arguments.unknown(clog, fields)
    found += arguments.node(clog, "node", scene.nodes)
    found += arguments.number(clog, "at_s", 0, _OFFSET_MAX_S, "seconds after the fault's start")
    found += arguments.number(clog, "length_s", 0.1, _OFFSET_MAX_S, "seconds")
    if not found and clog["at_s"] >= scene.length_s:
        found.append(f"at_s: {clog['at_s']:g} is after the fault's end: it lasts {scene.length_s:g} s")
    return found


def _side_and_rest(side: Sequence[str], nodes: Sequence[str]) -> list[list[str]]:
    return [targets.in_order(side, nodes), [node for node in nodes if node not in side]]


def _sides_problems(args: Mapping[str, Any], nodes: Sequence[str]) -> list[str]:
    """``sides`` must be two lists of nodes, none on both."""
    if "sides" not in args:
        return []
    sides = args["sides"]
    if not isinstance(sides, list) or len(sides) != 2:
        return [f"sides: {shown(sides)} are not two lists of nodes such as {shown([list(nodes[:1]), list(nodes[1:])])}"]
    found = [
        problem
        for place, side in enumerate(sides)
        for problem in arguments.node_list({f"sides[{place}]": side}, f"sides[{place}]", nodes)
    ]
    both = [] if found else [node for node in sides[0] if node in sides[1]]
    return found + ([f"sides: {' '.join(both)} on both sides"] if both else [])


# Where a person names no shape, the first that takes what is written is meant; where nothing is written, one of DRAWN.
SHAPES: Mapping[str, Shape] = {
    "one": Split(size=lambda _: 1),
    "halves": Split(size=lambda n: n // 2),
    "minority-third": Split(size=lambda n: (n - 1) // 3, nodes_min=4),
    "split": Split(size=None),
    "bridge": Bridge(),
    "grudge": Grudge(ring=False, nodes_min=2),
    "majority-ring": Grudge(ring=True, nodes_min=3),
    "isolate-leader": IsolateRole(),
    "one-way": OneWay(),
    "swizzle-clog": SwizzleClog(),
}
# Without "grudge", of which nothing can be drawn, and "isolate-leader", which is drawn where a role is aimed at.
DRAWN = ("one", "halves", "minority-third", "split", "bridge", "majority-ring", "one-way", "swizzle-clog")
