"""Last in, first out: the kernel for stacks. See ``lives`` for words.

* A value whose insertion and removal overlap can come and go at one moment, unseen by all others: forget it.
* At a gap that no value covers the stack may be taken for empty (as in ``find_full``), so what is surely in
  before it and what is surely in after it are two histories, each by itself.
* Without such a gap, between the first return l of an insertion and the last call r of a removal there is
  always something in the stack, and so one value lies at the bottom all the time: its insertion was called
  before l, its removal returned after r. Any value of which that is true may be that one: if another is at
  the bottom of a legal order, this one's insertion may move to the very front and its removal to the very
  end. No such value: impossible. Else take it away, and go on.

Two trees make that O(n log n): the gaps with how many values cover them (add to a range, find the first
zero), and the values, in the order of their insertions' returns, with the earliest call and the latest return
below each node.
"""

from __future__ import annotations

from typing import NamedTuple

from checkers.kernels.engine import Column
from checkers.linearizable.containers.lives import NONE, OPEN, ORDER, OTHER, SHOWN, Lives
from harness.history import FOREVER


class Stacked(NamedTuple):
    """The values that matter, in the order of the returns of their insertions.

    ``value`` which; ``called`` and ``returned`` of insertion and removal; ``first`` and ``last`` the cells that
    it covers (last exclusive). ``next`` is a value at or after this one that is still there. ``position`` of
    every cell's beginning, ``begun``: how many values begin at or before a cell.
    """

    value: Column
    called: Column
    returned: Column
    first: Column
    last: Column
    next: Column
    position: Column
    begun: Column


class Trees(NamedTuple):
    """``least`` and ``added`` over cells; ``early`` and ``late`` over values. Node 1 is the root, leaves begin
    at the half.
    """

    least: Column
    added: Column
    early: Column
    late: Column
    path: Column


def lay_out(lives: Lives, stacked: Stacked, begins: Column, ends: Column) -> int:
    """Kernel: number the values and the cells; returns how many values there are.

    ``begins`` (all NONE) and ``ends`` (all NONE) have an entry per position, and one more for what never left.
    """
    never = len(ends) - 1
    for value in range(len(lives.came)):
        if lives.came[value] != NONE and lives.inside[value] < lives.leaving[value]:
            begins[lives.inside[value]] = value
    size, cells, staying = 0, 0, 0
    for position in range(never):
        value = begins[position]
        if value != NONE:
            stacked.value[size], stacked.called[size] = value, lives.came[value]
            stacked.returned[size], stacked.first[size] = min(lives.left[value], never + 1), cells
            stacked.position[cells] = position
            size += 1
            cells += 1
            stacked.begun[cells - 1] = size
            if lives.leaving[value] < never:
                ends[lives.leaving[value]] = size - 1
            else:
                staying += 1
                stacked.last[size - 1] = NONE
        which = ends[position]
        if which != NONE:
            stacked.last[which], stacked.position[cells] = cells, position
            stacked.begun[cells] = size
            cells += 1
    for which in range(size):
        if stacked.last[which] == NONE:
            stacked.last[which] = cells
    stacked.position[cells], stacked.begun[cells] = never, size
    return size


def peel(stacked: Stacked, trees: Trees, size: int, todo: Column, tally: Column) -> int:
    """Kernel: take bottoms away until nothing is left. ORDER: none can be; the tally has the part (from, to).

    ``todo`` has room for two numbers per value, and two more.
    """
    build(stacked, trees, size)
    todo[0], todo[1], depth = 0, size, 1
    while depth > 0:
        depth -= 1
        start, end = find_alive(stacked.next, todo[2 * depth]), todo[2 * depth + 1]
        if start >= end:
            continue
        zero = first_zero(trees, stacked.first[start])
        middle = min(stacked.begun[zero], end)
        left, right = stacked.position[stacked.first[start]], stacked.position[zero]
        bottom = find_bottom(trees, start, middle, left, right)
        if bottom == NONE:
            tally[SHOWN], tally[OTHER] = start, middle
            return ORDER
        cover(trees, stacked.first[bottom], stacked.last[bottom], -1)
        raise_value(trees, bottom, FOREVER, NONE)
        stacked.next[bottom] = bottom + 1
        if middle < end:
            todo[2 * depth], todo[2 * depth + 1] = middle, end
            depth += 1
        todo[2 * depth], todo[2 * depth + 1] = start, middle
        depth += 1
    return OPEN


def build(stacked: Stacked, trees: Trees, size: int) -> None:
    """Kernel: both trees with all values in them."""
    least, early, late = trees.least, trees.early, trees.late
    cells, values = len(least) // 2, len(early) // 2
    for which in range(size):
        least[cells + stacked.first[which]] += 1
        least[cells + stacked.last[which]] -= 1
        early[values + which], late[values + which] = stacked.called[which], stacked.returned[which]
        stacked.next[which] = which
    stacked.next[size] = size
    for leaf in range(cells + 1, 2 * cells):
        least[leaf] += least[leaf - 1]
    for node in range(cells - 1, 0, -1):
        least[node] = min(least[2 * node], least[2 * node + 1])
    for node in range(values - 1, 0, -1):
        early[node], late[node] = min(early[2 * node], early[2 * node + 1]), max(late[2 * node], late[2 * node + 1])


def find_alive(following: Column, which: int) -> int:
    """Kernel: the first value from ``which`` on that is still there."""
    while following[which] != which:
        following[which] = following[following[which]]
        which = following[which]
    return which


def cover(trees: Trees, first: int, last: int, by: int) -> None:
    """Kernel: add ``by`` to the cells from ``first`` to before ``last``."""
    least, added, half = trees.least, trees.added, len(trees.least) // 2
    low, high = first + half, last + half
    a, b = low, high - 1
    while low < high:
        if low & 1:
            least[low] += by
            added[low] += by
            low += 1
        if high & 1:
            high -= 1
            least[high] += by
            added[high] += by
        low, high = low >> 1, high >> 1
    while a > 1:
        a = a >> 1
        least[a] = min(least[2 * a], least[2 * a + 1]) + added[a]
    while b > 1:
        b = b >> 1
        least[b] = min(least[2 * b], least[2 * b + 1]) + added[b]


def first_zero(trees: Trees, cell: int) -> int:
    """Kernel: the first cell from ``cell`` on that nothing covers; the last cell of all is one."""
    least, added, half = trees.least, trees.added, len(trees.least) // 2
    node = cell + half
    above = 0
    up = node >> 1
    while up >= 1:
        above += added[up]
        up = up >> 1
    # Up until a right neighbour holds a zero, then down to the first.
    if least[node] + above == 0:
        return cell
    while True:
        if node & 1 == 0 and least[node + 1] + above == 0:
            node += 1
            break
        node = node >> 1
        above -= added[node]
    while node < half:
        above += added[node]
        node = 2 * node
        if least[node] + above != 0:
            node += 1
    return node - half


def raise_value(trees: Trees, which: int, called: int, returned: int) -> None:
    """Kernel: give a value its call and return in the tree over values."""
    early, late = trees.early, trees.late
    node = which + len(early) // 2
    early[node], late[node] = called, returned
    while node > 1:
        node = node >> 1
        early[node], late[node] = min(early[2 * node], early[2 * node + 1]), max(late[2 * node], late[2 * node + 1])


def find_bottom(trees: Trees, start: int, end: int, left: int, right: int) -> int:
    """Kernel: a value from ``start`` to before ``end`` called at or before ``left`` and returned after ``right``."""
    early, late, path, half = trees.early, trees.late, trees.path, len(trees.early) // 2
    path[0], path[1], path[2], depth = 1, 0, half, 1
    while depth > 0:
        depth -= 1
        node, low, high = path[3 * depth], path[3 * depth + 1], path[3 * depth + 2]
        if low >= end or high <= start or early[node] >= left or late[node] <= right:
            continue
        if node >= half:
            return low
        middle = (low + high) // 2
        path[3 * depth], path[3 * depth + 1], path[3 * depth + 2] = 2 * node + 1, middle, high
        path[3 * depth + 3], path[3 * depth + 4], path[3 * depth + 5] = 2 * node, low, middle
        depth += 2
    return NONE
