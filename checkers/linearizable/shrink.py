"""Delta debugging: the smallest part of a list that still shows a fault. Knows nothing of histories.

Source: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002), the reduction to
complements.
"""

from __future__ import annotations

from collections.abc import Callable


def shrink(items: list[int], broken: Callable[[list[int]], list[int] | None]) -> list[int]:
    """A part of ``items``, in their order, from which no single one can be taken away without losing the
    fault.

    ``broken(part)`` returns the part itself, or what is left of it once things are gone that make no sense
    without the others, if the fault is still there; None if it is not. It may say None at any time to end the
    work early. ``items`` must be broken.
    """
    size = max(1, len(items) // 2)
    while True:
        at, smaller = 0, False
        while at < len(items):
            left = broken(items[:at] + items[at + size :])
            if left is not None:
                items, smaller = left, True
            else:
                at += size
        if size == 1 and not smaller:
            return items
        size = max(1, size // 2)
