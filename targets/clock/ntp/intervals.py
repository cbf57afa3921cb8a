"""What is known of the time, as intervals of one figure: the true time minus this node's monotonic clock. Pure; seconds.

One answer (Cristian 1989, Probabilistic clock synchronization): a reference that read T some time between the question, at ``asked`` by the
monotonic clock, and the answer, at ``answered``, proves that the figure lies between T - answered and T - asked, if its clock is right.
The middle of it is off by half the round trip at most, however unequal both ways are.

Several answers of which at most ``liars_max`` are wrong (Marzullo 1984): the figure lies in all but so many of the intervals, so it lies
between the least and the greatest point that all but so many hold. (The points that *most* intervals hold may leave it out: a wrong
interval may overlap the right ones beside the truth.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from targets.clock.ntp.bugs import Bugs

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One answer: the reference's reading, and when it was asked and answered by the monotonic clock."""

    time_s: float
    asked_s: float
    answered_s: float

    def interval(self, now_s: float, drift: float, bugs: Bugs) -> Interval:
        """What it still proves at ``now_s``, with a monotonic clock that gains or loses ``drift`` at most."""
        low, high = sorted((self.time_s - self.answered_s, self.time_s - self.asked_s))
        if bugs.symmetry_assumed:
            low, high = low + 0.45 * (high - low), high - 0.45 * (high - low)
        gone_s = drift * max(0.0, now_s - self.asked_s)
        return low - gone_s, high + gone_s


def width(span: Interval) -> float:
    return span[1] - span[0]


def held_by(intervals: Sequence[Interval], needed: int) -> Interval | None:
    """From the least to the greatest point that ``needed`` of the intervals hold; None if no point is held by so many."""
    edges = sorted([(low, 0) for low, _ in intervals] + [(high, 1) for _, high in intervals])
    holding, least, greatest = 0, None, None
    for point, ends in edges:
        if ends:
            if holding >= needed:
                greatest = point
            holding -= 1
        else:
            holding += 1
            if least is None and holding >= needed:
                least = point
    return None if least is None or greatest is None else (least, greatest)


def agreed(intervals: Sequence[Interval], liars_max: int, bugs: Bugs) -> Interval | None:
    """Marzullo's answer; None if too few intervals are known, or they contradict each other."""
    if bugs.averaged and intervals:
        middle = sum(low + high for low, high in intervals) / (2 * len(intervals))
        half = max(map(width, intervals)) / 2
        return middle - half, middle + half
    if bugs.most_agreeing:
        found = (held_by(intervals, needed) for needed in range(len(intervals), liars_max, -1))
        return next((span for span in found if span is not None), None)
    needed = len(intervals) - liars_max
    return held_by(intervals, needed) if needed >= 1 else None


def soonest(intervals: Sequence[Interval]) -> Interval | None:
    """Cristian's answer: the narrowest interval alone; None if there is none."""
    return min(intervals, key=width, default=None)
