"""When each value came into a container and left it, and where the container was certainly not empty.

Positions are rows of the history. The *gap* p lies between the rows p and p + 1; an operation takes effect in
a gap from its call to the one before its return. A value is *surely in* at the gaps from the return of its
insertion to the one before the call of its removal.
"""

from __future__ import annotations

from typing import NamedTuple

from checkers.kernels.engine import Column, Narrow, Tiny
from harness.history import FAIL, FOREVER, OK

NONE = -1
# What an operation does; OTHER is unknown to the model.
INSERT, REMOVE = 0, 1
# What became of a container. OPEN: nothing is wrong so far.
OPEN, NOT_UNIQUE, REPEAT, PHANTOM, FUTURE, ORDER, EMPTY = range(7)
# Entries of the tally: removals of unknown result, removals that found nothing, and the value that shows what
# is wrong.
LOST, EMPTIES, SHOWN, OTHER = range(4)


class Raw(NamedTuple):
    """Calls as they are in ``Calls``; ``null`` is the code of null (or -2), which an empty container returns."""

    f: Narrow
    argument: Narrow
    result: Narrow
    outcome: Tiny
    call: Column
    ret: Column


class Lives(NamedTuple):
    """Per value: call and return of its insertion (``came`` NONE: it never came) and of its removal (FOREVER:
    never)."""

    came: Column
    inside: Column
    leaving: Column
    left: Column


def gather(raw: Raw, kinds: Column, null: int, lives: Lives, tally: Column) -> int:
    """Kernel: the life of every value. NOT_UNIQUE if one was inserted twice, else what is wrong already."""
    status = OPEN
    for i in range(len(raw.f)):
        if raw.outcome[i] == FAIL:
            continue
        if kinds[raw.f[i]] == INSERT:
            value = raw.argument[i]
            if lives.came[value] != NONE:
                tally[SHOWN] = value
                return NOT_UNIQUE
            lives.came[value], lives.inside[value] = raw.call[i], raw.ret[i]
        elif raw.outcome[i] != OK:
            tally[LOST] += 1
        elif raw.result[i] == null:
            tally[EMPTIES] += 1
        else:
            value = raw.result[i]
            if lives.left[value] != FOREVER:
                status, tally[SHOWN] = REPEAT, value
            lives.leaving[value], lives.left[value] = raw.call[i], raw.ret[i]
    return status


def settle(lives: Lives, taken_alone: int, tally: Column) -> int:
    """Kernel: forget what need not have come; find values that were taken and cannot have been there.

    With ``taken_alone`` = 1, values that nobody took are forgotten, too.
    """
    for value in range(len(lives.came)):
        if lives.left[value] == FOREVER:
            if lives.inside[value] == FOREVER or taken_alone == 1:
                lives.came[value] = NONE
        elif lives.came[value] == NONE:
            tally[SHOWN] = value
            return PHANTOM
        elif lives.left[value] < lives.came[value]:
            tally[SHOWN] = value
            return FUTURE
    return OPEN


def count_covers(lives: Lives, covers: Column) -> None:
    """Kernel: how many values are surely in at each gap; ``covers`` is zero, two longer than the history."""
    end = len(covers) - 1
    for value in range(len(lives.came)):
        if lives.came[value] != NONE and lives.inside[value] < lives.leaving[value]:
            covers[lives.inside[value]] += 1
            covers[min(lives.leaving[value], end)] -= 1
    now = 0
    for gap in range(len(covers)):
        now += covers[gap]
        covers[gap] = now


def find_full(raw: Raw, kinds: Column, null: int, covers: Column, free: Column) -> int:
    """Kernel: the call that found the container empty although it never can have been; NONE if there is none.

    An empty container at any gap that no value covers is no loss of generality, at all such gaps at once:
    whatever is there could have been removed just before (its removal was open), or inserted just after.
    ``free`` has the length of ``covers``: how many gaps before each are not covered.
    """
    seen = 0
    for gap in range(len(covers)):
        free[gap] = seen
        if covers[gap] == 0:
            seen += 1
    for i in range(len(raw.f)):
        if (
            raw.outcome[i] == OK
            and kinds[raw.f[i]] == REMOVE
            and raw.result[i] == null
            and free[raw.call[i]] == free[raw.ret[i]]
        ):
            return i
    return NONE
