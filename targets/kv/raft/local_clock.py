"""A server's own clock, which may run too fast or too slowly: what leases are measured by.

A lease is a promise about *rates*: it is safe as long as no clock runs more than so much faster than another (Gray and Cheriton 1989;
Raft thesis, section 6.4.1). Real servers measure it by an oscillator of their own, whose rate is never exactly right. Here the monotonic
clocks are those of event loops: all nodes of a simulation share one, all processes of a machine another, and no fault can touch either, so
by them a lease could never be seen to break. What the nemesis can make run at a wrong rate is the wall clock. Hence this clock goes on as
the wall clock does, second by second.

But a wall clock also jumps (NTP, an administrator, the nemesis's bumps, steps and strobes), which no oscillator does: a lease that
believed it would be wrong without any drift. So each reading is compared with the monotonic clock: what has gone wrong by more than
``STEP_S`` since the last reading is no drift but a step, and the clock does not follow it. How much time really has passed is then in
doubt: a leader takes no lease that began before it (``stepped_s``), and to followers less time has passed rather than more. Smaller steps
cannot be told from drift, so every lease is shorter by that much. Whoever keeps time by it reads it every ``POLL_S``, so that drift
alone, even of a clock that almost stands still, does not look like a step.
"""

from __future__ import annotations

from collections.abc import Callable

STEP_S = 0.05
POLL_S = 0.025


class LocalClock:
    """Seconds since some beginning, never going back."""

    def __init__(
        self, wall_time: Callable[[], float], monotonic: Callable[[], float], *, counts_steps: bool = False
    ) -> None:
        self._wall_time, self._monotonic = wall_time, monotonic
        self._counts_steps = counts_steps  # the seeded bug lease-counts-steps: whatever the wall clock does is believed
        self._wall_s, self._monotonic_s = wall_time(), monotonic()
        self._now_s = self._monotonic_s
        self.stepped_s = float("-inf")  # when, by this clock, a step was last seen

    def now(self) -> float:
        """The time, by this clock."""
        wall_s, monotonic_s = self._wall_time(), self._monotonic()
        went_s, passed_s = wall_s - self._wall_s, monotonic_s - self._monotonic_s
        self._wall_s, self._monotonic_s = wall_s, monotonic_s
        if self._counts_steps:
            self._now_s += went_s
        elif abs(went_s - passed_s) > STEP_S:
            self._now_s += max(0.0, min(went_s, passed_s))
            self.stepped_s = self._now_s
        else:
            self._now_s += max(0.0, went_s)
        return self._now_s
