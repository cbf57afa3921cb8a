"""All sums that some of a collection of whole numbers can have; the arithmetic of ``counter``.

The sums of m numbers can be 2^m many, but they lie between bounds, and small numbers soon fill the middle between these. So while the
bounds are near each other, a sum is one bit of a long integer; when they are not, the sums are kept as intervals, which
are few once the middle is full. Where the intervals become too many, only the bounds are left, and what lies between
is undecided. (Maelstrom's counters are judged by intervals of sums, too.)
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

# Up to this distance of the bounds a sum is a bit: a step with as many bits takes about two microseconds.
BITS_MAX = 1 << 17
# More intervals than this are not kept: their number would double with every further number.
SPANS_MAX = 20_000

Span = tuple[int, int]  # from, to: both are sums, and so is every whole number between them
_ONES = re.compile("1+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The sums of all subsets of some numbers, the least of which is ``low`` and the greatest ``high``.

    Bit n of ``bits`` is set iff ``low`` + n is a sum; ``spans`` are the same as intervals, ascending and apart. One of them is there,
    or neither, if there were too many.
    """

    low: int = 0
    high: int = 0
    bits: int | None = 1
    spans: tuple[Span, ...] | None = None

    def plus(self, number: int) -> Sums:
        """The sums if ``number`` may be added, too."""
        low, high = self.low + min(number, 0), self.high + max(number, 0)
        if self.bits is not None and high - low <= BITS_MAX:
            # A negative number moves the place of bit 0 instead of the bits.
            return Sums(low=low, high=high, bits=self.bits | self.bits << abs(number))
        spans = self.spans if self.bits is None else _spans_of(self.bits, self.low)
        return Sums(low=low, high=high, bits=None, spans=None if spans is None else _joined(spans, number))

    def bounds(self) -> Sums:
        """The bounds alone."""
        return Sums(low=self.low, high=self.high, bits=None)

    @property
    def size(self) -> int:
        """What a step with these sums costs: words of bits, or intervals."""
        return 1 + (self.high - self.low) // 64 if self.bits is not None else 1 + len(self.spans or ())


NOTHING = Sums()


def sums_of(numbers: Iterable[int]) -> Sums:
    """The sums of all subsets of ``numbers``."""
    numbers = list(numbers)
    high = sum(number for number in numbers if number > 0)
    low = sum(numbers) - high
    if high - low <= BITS_MAX:
        bits = 1
        for number in numbers:
            bits |= bits << abs(number)
        return Sums(low=low, high=high, bits=bits)
    sums = NOTHING
    for number in numbers:
        sums = sums.plus(number)
    return sums


def reaches(one: Sums, other: Sums, target: int) -> bool | None:
    """Whether a sum of ``one`` and a sum of ``other`` make ``target`` together; None if nobody knows."""
    if not one.low + other.low <= target <= one.high + other.high:
        return False
    if target == 0:
        return True  # nothing of either
    if one.bits is not None and other.bits is not None:
        return _both_bits(one, other, target)
    for bits, spans in ((one, other), (other, one)):
        if bits.bits is not None and spans.spans is not None:
            return _bits_and_spans(bits, bits.bits, spans.spans, target)
    return None if one.spans is None or other.spans is None else _both_spans(one.spans, other.spans, target)


def _both_bits(one: Sums, other: Sums, target: int) -> bool:
    """The sums of all subsets are symmetric: what one subset makes, the rest lacks. So a sum of ``other`` that lies as far below the
    target as a sum of ``one`` lies above ``one.low`` stands, once the bits are shifted, over that sum's mirror image.
    """
    assert one.bits is not None
    assert other.bits is not None
    shift = target - one.high - other.low
    moved = other.bits >> shift if shift >= 0 else other.bits << -shift
    return bool(moved & one.bits)


def _bits_and_spans(sums: Sums, bits: int, spans: tuple[Span, ...], target: int) -> bool:
    first = bisect_left(spans, target - sums.high, key=lambda span: span[1])
    last = bisect_right(spans, target - sums.low, key=lambda span: span[0])
    for start, end in spans[first:last]:
        begin, stop = max(target - end, sums.low) - sums.low, min(target - start, sums.high) - sums.low
        if bits >> begin & ((1 << stop - begin + 1) - 1):
            return True
    return False


def _both_spans(one: tuple[Span, ...], other: tuple[Span, ...], target: int) -> bool:
    few, many = (one, other) if len(one) <= len(other) else (other, one)
    for start, end in few:
        # The last one that begins at or before the greatest partner is the only one that can reach back to the least.
        place = bisect_right(many, target - start, key=lambda span: span[0]) - 1
        if place >= 0 and many[place][1] >= target - end:
            return True
    return False


def _spans_of(bits: int, low: int) -> tuple[Span, ...] | None:
    runs = tuple((low + run.start(), low + run.end() - 1) for run in _ONES.finditer(bin(bits)[:1:-1]))
    return runs if len(runs) <= SPANS_MAX else None


def _joined(spans: tuple[Span, ...], number: int) -> tuple[Span, ...] | None:
    """``spans``, and the same moved by ``number``."""
    merged: list[Span] = []
    # Two ascending runs: sorting them is a merge.
    for start, end in sorted([*spans, *((start + number, end + number) for start, end in spans)]):
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return tuple(merged) if len(merged) <= SPANS_MAX else None
