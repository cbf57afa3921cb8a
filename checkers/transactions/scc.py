"""Strongly connected components in linear time, by Tarjan's algorithm without recursion, on a graph of compressed rows.

A kernel (see ``checkers.kernels``): plain Python on lists for small graphs, machine code on arrays for large ones.
"""

from __future__ import annotations

import numpy as np

from checkers.kernels.engine import Narrow, engine
from checkers.transactions.graph import Codes, rows_by

# Steps of the kernel per node and per edge, for choosing the engine.
_STEPS = 4


def components(nodes: int, src: Codes, dst: Codes) -> Codes:
    """The number of each node's component. Time and space are linear in nodes and edges."""
    run = engine(_STEPS * (nodes + len(src)))
    starts, targets = rows_by(run, nodes, src, dst)
    component = run.narrow(nodes, -1)
    order, low, path, place, stack = (run.view(np.zeros(nodes, np.int32)) for _ in range(5))
    run.kernel(tarjan)(nodes, starts, targets, component, order, low, path, place, stack)
    return np.asarray(component, dtype=np.int32)


def tarjan(  # noqa: PLR0917 - kernels are compiled, and take columns by position
    nodes: int,
    starts: Narrow,
    targets: Narrow,
    component: Narrow,
    order: Narrow,
    low: Narrow,
    path: Narrow,
    place: Narrow,
    stack: Narrow,
) -> int:
    """Fill ``component``; return how many there are. The other columns are scratch, zeroed, one entry per node."""
    clock, count, high = 1, 0, 0
    for root in range(nodes):
        if order[root] != 0:
            continue
        depth = 1
        path[0], place[0] = root, starts[root]
        order[root] = low[root] = clock
        clock += 1
        stack[high] = root
        high += 1
        while depth > 0:
            at = path[depth - 1]
            edge = place[depth - 1]
            if edge < starts[at + 1]:
                place[depth - 1] = edge + 1
                to = targets[edge]
                if order[to] == 0:
                    order[to] = low[to] = clock
                    clock += 1
                    stack[high] = to
                    high += 1
                    path[depth], place[depth] = to, starts[to]
                    depth += 1
                elif component[to] < 0 and order[to] < low[at]:
                    low[at] = order[to]
                continue
            depth -= 1
            if depth > 0 and low[at] < low[path[depth - 1]]:
                low[path[depth - 1]] = low[at]
            if low[at] == order[at]:
                to = -1
                while to != at:
                    high -= 1
                    to = stack[high]
                    component[to] = count
                count += 1
    return count
