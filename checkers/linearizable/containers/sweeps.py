"""First in first out, and least first: the kernels for queues and priority queues. See ``lives`` for words.

*Queue.* Impossible iff some value was surely inserted before another one, and the other was surely removed
before it (order), apart from what ``lives`` finds (Henzinger and others, theorem 2).

*Priority queue.* The greatest value x is in nobody's way, so a history is linearizable iff it is without x,
and x can leave at a moment when nothing smaller is there. As at an empty container (see ``find_full``): iff
some gap of the removal, after the insertion was called, is covered by no smaller value. By induction every
value can be judged for itself, smallest first.
"""

from __future__ import annotations

from checkers.kernels.engine import Column
from checkers.linearizable.containers.lives import NONE, OPEN, ORDER, OTHER, SHOWN, Lives
from harness.history import FOREVER


def sweep_fifo(lives: Lives, began: Column, settled: Column, tally: Column) -> int:
    """Kernel: find two values that overtook each other for sure. ``began`` and ``settled`` (all NONE) have an
    entry per position.
    """
    end = len(began)
    for value in range(len(lives.came)):
        if lives.came[value] == NONE:
            continue
        began[lives.came[value]] = value
        inside = min(lives.inside[value], lives.left[value])  # it was inserted before its removal returned
        if inside < end:
            # Two values have one position if an insertion was cut short by its removal, never otherwise.
            other = settled[inside]
            if other == NONE or leaving(lives, other) < leaving(lives, value):
                settled[inside] = value
    latest, holder = -1, NONE
    for position in range(end):
        value = began[position]
        if value != NONE and lives.left[value] < latest:
            tally[SHOWN], tally[OTHER] = value, holder
            return ORDER
        value = settled[position]
        if value != NONE and leaving(lives, value) > latest:
            latest, holder = leaving(lives, value), value
    return OPEN


def leaving(lives: Lives, value: int) -> int:
    """Kernel: the earliest position at which the removal of ``value`` can have begun to matter."""
    return max(lives.leaving[value], lives.came[value])


def sweep_priority(lives: Lives, ascending: Column, following: Column, tally: Column) -> int:
    """Kernel: find a value that left although a smaller one was surely there all the time.

    ``ascending`` are the values, smallest first; ``following`` (0, 1, 2, ...) has an entry per gap and one
    more: a gap at or after it that is not covered, as a forest with paths that are halved on the way.
    """
    end = len(following) - 1
    for at in range(len(ascending)):
        value = ascending[at]
        if lives.came[value] == NONE:
            continue
        if lives.left[value] != FOREVER and find_gap(following, leaving(lives, value)) >= lives.left[value]:
            tally[SHOWN] = value
            return ORDER
        gap, until = lives.inside[value], min(lives.leaving[value], end)
        if gap < until:
            gap = find_gap(following, gap)
            while gap < until:
                following[gap] = gap + 1
                gap = find_gap(following, gap)
    return OPEN


def find_gap(following: Column, gap: int) -> int:
    """Kernel: the first gap from ``gap`` on that is not covered."""
    while following[gap] != gap:
        following[gap] = following[following[gap]]
        gap = following[gap]
    return gap
