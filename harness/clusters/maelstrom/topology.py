"""Who is whose neighbour: the topologies that Maelstrom suggests to nodes of the workload broadcast. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

Topology = dict[str, list[str]]


def topology(name: str, nodes: Sequence[str]) -> Topology:
    """The neighbours of each node. Edges go both ways, every node can be reached from every other one."""
    return TOPOLOGIES[name](nodes)


def _grid(nodes: Sequence[str]) -> Topology:
    """Rows of a square, the last ones perhaps short: at most four neighbours."""
    side = math.isqrt(len(nodes) - 1) + 1 if nodes else 0
    right = ((at, at + 1) for at in range(len(nodes) - 1) if (at + 1) % side)
    below = ((at, at + side) for at in range(len(nodes) - side))
    return _joined(nodes, [*right, *below])


def _line(nodes: Sequence[str]) -> Topology:
    return _joined(nodes, ((at, at + 1) for at in range(len(nodes) - 1)))


def _total(nodes: Sequence[str]) -> Topology:
    return _joined(nodes, ((one, other) for one in range(len(nodes)) for other in range(one)))


def _tree(branches: int) -> Callable[[Sequence[str]], Topology]:
    """A tree whose inner nodes have so many children, filled level by level from the first node on."""
    return lambda nodes: _joined(nodes, (((at - 1) // branches, at) for at in range(1, len(nodes))))


def _joined(nodes: Sequence[str], edges: Iterable[tuple[int, int]]) -> Topology:
    neighbours: Topology = {node: [] for node in nodes}
    for one, other in edges:
        neighbours[nodes[one]].append(nodes[other])
        neighbours[nodes[other]].append(nodes[one])
    return neighbours


TOPOLOGIES: Mapping[str, Callable[[Sequence[str]], Topology]] = {
    "grid": _grid,
    "line": _line,
    "tree": _tree(2),
    "tree2": _tree(2),
    "tree3": _tree(3),
    "tree4": _tree(4),
    "total": _total,
}
