"""Keys that belong to groups, each of which is used once: so many groups are open at a time, and another follows when one is used up.

A key is a number; group ``g`` of ``size`` keys has those from ``g * size`` on.
"""

from __future__ import annotations


def opened(groups: int, size: int) -> tuple[int, ...]:
    """The keys of the first so many groups."""
    return tuple(range(groups * size))


def used(left: tuple[int, ...], fresh: int, place: int, *, groups: int, size: int) -> tuple[tuple[int, ...], int]:
    """The keys that are ``left``, and the first one after all open groups, when the key at ``place`` of ``left`` has been used."""
    left = left[:place] + left[place + 1 :]
    if len(left) <= (groups - 1) * size:
        left, fresh = (*left, *range(fresh, fresh + size)), fresh + size
    return left, fresh
