"""The shortest closed walk through a node, by breadth: a kernel. Joints cost nothing."""

from __future__ import annotations

from typing import NamedTuple

from checkers.kernels.engine import Column, Narrow

NONE = -1


class Rows(NamedTuple):
    """A graph by compressed rows: the edges from node v are ``starts[v]`` to ``starts[v + 1]``; nodes from ``txns`` on are joints,
    in each of the layers of ``layer`` nodes.
    """

    starts: Narrow
    targets: Narrow


class Walk(NamedTuple):
    """Of every node the walk that met it last, its distance there, the edge by which it was met and the node before. Scratch.

    ``level`` and ``ahead`` are the nodes of one distance and of the next. ``spent``: steps so far.
    """

    met: Narrow
    edge: Narrow
    came: Narrow
    level: Narrow
    ahead: Narrow
    spent: Column


def walk_back(rows: Rows, walk: Walk, start: int, goal: int, number: int, most: int, layer: int, txns: int) -> int:  # noqa: PLR0917 - kernels take columns by position
    """Kernel: the fewest edges between transactions from ``start`` to ``goal``, at most ``most``; or NONE.

    ``number`` tells this walk from others. From ``goal`` back, ``came`` and ``edge`` tell the path; start and goal may be one node.
    """
    walk.level[0], count, length = start, 1, 0
    while count > 0 and length < most:
        done, ahead = 0, 0
        while done < count:
            at = walk.level[done]
            done += 1
            for edge in range(rows.starts[at], rows.starts[at + 1]):
                to = rows.targets[edge]
                if walk.met[to] == number:
                    continue
                walk.met[to], walk.edge[to], walk.came[to] = number, edge, at
                if to == goal:
                    walk.spent[0] += done
                    return length + 1
                if to % layer >= txns:
                    walk.level[count] = to
                    count += 1
                else:
                    walk.ahead[ahead] = to
                    ahead += 1
            walk.spent[0] += rows.starts[at + 1] - rows.starts[at]
        walk.spent[0] += done
        for place in range(ahead):
            walk.level[place] = walk.ahead[place]
        count, length = ahead, length + 1
    return NONE
