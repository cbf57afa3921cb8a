"""Who does not hear whom: pure functions from nodes to grudges. The shapes are Jepsen's (jepsen.nemesis).

A grudge maps a node to the nodes that it does not hear, in cluster order; a node without an entry hears everybody. Nobody has a grudge
against itself.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

from harness.effects import Link

Grudge = Mapping[str, Sequence[str]]

# Up to this many nodes a ring of majorities is what its name says; above, neighbours are drawn, for more variety (Jepsen does so, too).
RING_EXACT_MAX = 5
# Drawing neighbours may give two nodes the same view; after this many draws the ring is taken instead.
_RING_TRIES = 20


def links(grudge: Grudge) -> frozenset[Link]:
    """The directed links (from, to) that a grudge cuts."""
    return frozenset((source, dest) for dest, sources in grudge.items() for source in sources)


def bisect(nodes: Sequence[str]) -> list[list[str]]:
    """Two halves in order, the smaller one first."""
    middle = len(nodes) // 2
    return [list(nodes[:middle]), list(nodes[middle:])]


def split_one(node: str, nodes: Sequence[str]) -> list[list[str]]:
    """``node`` alone, and all the others."""
    return [[node], [other for other in nodes if other != node]]


def complete_grudge(sides: Iterable[Sequence[str]]) -> dict[str, list[str]]:
    """No node hears any node of another side."""
    sides = [list(side) for side in sides]
    return {node: [other for far in sides if far is not side for other in far] for side in sides for node in side}


def invert(heard: Grudge, nodes: Sequence[str]) -> dict[str, list[str]]:
    """The grudge in which each node hears only itself and those that ``heard`` gives it."""
    return {node: [other for other in nodes if other != node and other not in heard.get(node, ())] for node in nodes}


def bridge(sides: Sequence[Sequence[str]], middle: str) -> dict[str, list[str]]:
    """No node hears the other side, except ``middle``, which hears all and is heard by all."""
    return complete_grudge([[node for node in side if node != middle] for side in sides])


def one_way(sources: Iterable[str], dests: Iterable[str]) -> dict[str, list[str]]:
    """None of ``dests`` hears any of ``sources``, which hear them well."""
    sources = list(sources)
    return {dest: [source for source in sources if source != dest] for dest in dests}


def majorities_ring(nodes: Sequence[str], rng: random.Random) -> dict[str, list[str]]:
    """Each node hears a majority (itself included), and no two hear the same. Needs at least 3 nodes."""
    assert len(nodes) >= 3, "of 2 nodes a majority is both"
    order = rng.sample(nodes, len(nodes))
    if len(nodes) > RING_EXACT_MAX:
        for _ in range(_RING_TRIES):
            grudge = invert(_drawn_majorities(nodes, rng), nodes)
            if is_majorities_ring(grudge, nodes):
                return grudge
    return invert(_ring(order), nodes)


def is_majorities_ring(grudge: Grudge, nodes: Sequence[str]) -> bool:
    """Whether each node hears a majority (itself included), and no two hear the same."""
    views = [frozenset(nodes) - set(grudge.get(node, ())) for node in nodes]
    return min(map(len, views)) > len(nodes) // 2 and len(set(views)) == len(nodes)


def _ring(order: Sequence[str]) -> dict[str, list[str]]:
    """Each node hears a window of the ring, a majority wide, with itself in the middle."""
    count = len(order)
    width = count // 2 + 1
    return {
        node: [order[(place - width // 2 + step) % count] for step in range(width)] for place, node in enumerate(order)
    }


def _drawn_majorities(nodes: Sequence[str], rng: random.Random) -> dict[str, list[str]]:
    """Two-way links are added, always between a node with the fewest and a stranger with the fewest, until all hear a majority."""
    heard = {node: [node] for node in nodes}
    majority = len(nodes) // 2 + 1

    def poorest(candidates: Iterable[str]) -> str:
        candidates = list(candidates)
        least = min(len(heard[node]) for node in candidates)
        return rng.choice([node for node in candidates if len(heard[node]) == least])

    while True:
        node = poorest(nodes)
        if len(heard[node]) >= majority:
            return heard
        friend = poorest(other for other in nodes if other not in heard[node])
        heard[node].append(friend)
        heard[friend].append(node)
