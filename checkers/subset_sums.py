"""All sums that some of a collection of numbers can have, as few intervals; the arithmetic of ``counter``.

The sums of m numbers can be 2^m many, but small numbers soon fill whole intervals: a hundred numbers below ten leave one interval and a
few gaps near its ends. Where intervals become too many anyway, only the bounds of the sums are kept, and what lies between
them is undecided. (Maelstrom's counters are judged by such intervals, too.)
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

# More intervals than this are not kept: their number would double with every further summand.
SPANS_MAX = 20_000

Span = tuple[int, int]  # from, to: both are sums, and so is every whole number between them


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The sums of all subsets: ``spans``, ascending and apart; None where they became too many. ``low`` and ``high`` are always
    the least and the greatest.
    """

    spans: tuple[Span, ...] | None = ((0, 0),)
    low: int = 0
    high: int = 0

    def plus(self, number: int) -> Sums:
        """The sums if ``number`` may be added, too."""
        low, high = self.low + min(number, 0), self.high + max(number, 0)
        if self.spans is None or number == 0:
            return Sums(spans=self.spans, low=low, high=high)
        merged: list[Span] = []
        # Two ascending runs: sorting them is a merge.
        for start, end in sorted([*self.spans, *((start + number, end + number) for start, end in self.spans)]):
            if merged and start <= merged[-1][1] + 1:
                merged[-1] = merged[-1][0], max(merged[-1][1], end)
            else:
                merged.append((start, end))
        return Sums(spans=tuple(merged) if len(merged) <= SPANS_MAX else None, low=low, high=high)

    @property
    def size(self) -> int:
        """How many intervals there are; what a step with them costs."""
        return 1 if self.spans is None else len(self.spans)


def reaches(one: Sums, other: Sums, target: int) -> bool | None:
    """Whether a sum of ``one`` and a sum of ``other`` make ``target`` together; None if nobody knows."""
    if not one.low + other.low <= target <= one.high + other.high:
        return False
    if target == 0:
        return True  # none of either
    if one.spans is None or other.spans is None:
        return None
    few, many = (one.spans, other.spans) if len(one.spans) <= len(other.spans) else (other.spans, one.spans)
    for start, end in few:
        # The last span that begins at or before the greatest partner is the only one that can reach back to the least.
        place = bisect_right(many, target - start, key=lambda span: span[0]) - 1
        if place >= 0 and many[place][1] >= target - end:
            return True
    return False
