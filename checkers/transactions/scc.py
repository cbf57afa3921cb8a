"""Strongly connected components in linear time, by Tarjan's algorithm without recursion, on a graph of compressed rows.

A kernel (see ``checkers.kernels``): plain Python on lists for small graphs, machine code on arrays for large ones.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checkers.kernels.engine import Column, engine

Ints = npt.NDArray[np.int64]
# Steps of the kernel per node and per edge, for choosing the engine.
_STEPS = 4


def components(nodes: int, src: Ints, dst: Ints) -> Ints:
    """The number of each node's component. Time and space are linear in nodes and edges."""
    starts, targets = rows(nodes, src, dst)
    run = engine(_STEPS * (nodes + len(src)))
    component = run.full(nodes, -1)
    order, low, path, place, stack = (run.full(nodes, 0) for _ in range(5))
    run.kernel(tarjan)(nodes, run.column(starts), run.column(targets), component, order, low, path, place, stack)
    return np.array(component, dtype=np.int64)


def rows(nodes: int, src: Ints, dst: Ints) -> tuple[Ints, Ints]:
    """Compressed rows: the targets of node v are targets[starts[v]:starts[v + 1]], in the order of the edges."""
    by_src = np.argsort(src, kind="stable")
    starts = np.zeros(nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(src, minlength=nodes), out=starts[1:])
    return starts, dst[by_src]


def tarjan(  # noqa: PLR0917 - kernels are compiled, and take columns by position
    nodes: int,
    starts: Column,
    targets: Column,
    component: Column,
    order: Column,
    low: Column,
    path: Column,
    place: Column,
    stack: Column,
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
