"""Whom a fault hits: by name, by number (a random minority, ...), or by role. Shared by all kinds.

In arguments: ``{"nodes": ["n1", "n4"]}`` by name; ``{"target": "minority"}`` by number, drawn when the plan is made; ``{"target":
"leader", "else": "n2"}`` by role, looked up when the fault is injected. The words are those of Jepsen's node specs
(jepsen.nemesis.combined), where "some" is its nil.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from harness.schedule import shown
from nemesis import arguments
from nemesis.fault import Scene
from nemesis.swarm import pick

# Word → the number of nodes hit, of n: the least and the most. "minority" leaves a majority untouched also for even n, where
# Jepsen's takes half; "minority-third" is the most that a Byzantine system must bear (largest number below n/3).
SIZES: Mapping[str, Callable[[int], tuple[int, int]]] = {
    "one": lambda _: (1, 1),
    "some": lambda n: (1, n),
    "minority": lambda n: ((n - 1) // 2, (n - 1) // 2),
    "minority-third": lambda n: ((n - 1) // 3, (n - 1) // 3),
    "majority": lambda n: (n // 2 + 1, n // 2 + 1),
    "all": lambda n: (n, n),
}
FIELDS = ("nodes", "target", "else")
# The roles on which a system depends most; where a target has none of them, any of its roles is as good.
AIMED = ("leader", "primary", "coordinator")


def aims(roles: Sequence[str]) -> tuple[str, ...]:
    """The roles that the random nemesis aims at."""
    return tuple(role for role in AIMED if role in roles) or tuple(roles)


def possible(words: Iterable[str], count: int) -> list[str]:
    """Those of ``words`` that hit somebody in a cluster of ``count`` nodes."""
    return [word for word in words if SIZES[word](count)[0] >= 1]


def in_order(chosen: Collection[str], nodes: Sequence[str]) -> list[str]:
    """``chosen`` in the order of the cluster's nodes."""
    return [node for node in nodes if node in chosen]


def problems(args: Mapping[str, Any], scene: Scene, words: Collection[str] = tuple(SIZES)) -> list[str]:
    """What is wrong with ``nodes``, ``target`` and ``else``; ``words`` are the node specs that this fault takes."""
    if "nodes" in args:
        extra = [f"{name}: not together with nodes: write one of them" for name in ("target", "else") if name in args]
        return extra + arguments.node_list(args, "nodes", scene.nodes)
    target = args.get("target")
    found = arguments.word(args, "target", [*words, *scene.roles])
    if not found and target in words and target not in possible(words, len(scene.nodes)):
        found = [f'target: {shown(target)} of {len(scene.nodes)} nodes is nobody: "one" is the least']
    if "else" in args and (target is None or target in tuple(SIZES)):
        found.append('else: only together with a role as target, such as "leader"')
    return found + arguments.node(args, "else", scene.nodes)


def complete(
    args: Mapping[str, Any], scene: Scene, rng: random.Random, words: Collection[str] = tuple(SIZES)
) -> dict[str, Any]:
    """The explicit target: ``nodes`` in cluster order, or a role with the node to hit if nobody has it."""
    if "nodes" in args:
        return {"nodes": in_order(args["nodes"], scene.nodes)}
    target = args.get("target") or scene.aim or pick(possible(words, len(scene.nodes)), scene.weights, rng)
    if target in words:
        size = rng.randint(*SIZES[target](len(scene.nodes)))
        return {"nodes": in_order(rng.sample(scene.nodes, size), scene.nodes)}
    return {"target": target, "else": args.get("else") or rng.choice(scene.nodes)}


def hit(args: Mapping[str, Any], nodes: Sequence[str], role_of: Mapping[str, str]) -> tuple[str, ...]:
    """The nodes that explicit arguments hit now.

    A role hits one node: the first that has it, going round from ``else``; that is random where several nodes have one role.
    """
    if "nodes" in args:
        return tuple(in_order(args["nodes"], nodes))
    start = list(nodes).index(args["else"])
    round_ = [*nodes[start:], *nodes[:start]]
    return (next((node for node in round_ if role_of.get(node) == args["target"]), args["else"]),)


def describe(args: Mapping[str, Any]) -> str:
    """The target in a few words: "n1 n4" or "the leader"."""
    return " ".join(args["nodes"]) if "nodes" in args else f"the {args['target']}"
