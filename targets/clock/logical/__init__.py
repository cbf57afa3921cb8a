"""Logical clocks: a reading for every event, such that what happened before another event reads less (Lamport 1978).

In reading order:

* ``config`` the options of a node; ``bugs`` the seeded deviations, each an ``if`` at the place where the rule stands;
* ``readings`` the three clocks: one number (Lamport), one number per node (Fidge, Mattern 1988), a number near the time of day
  (Kulkarni and others 2014);
* ``node`` events and messages, each in the log with the clock's reading, on the disk before anybody can see it.
"""

from targets.clock.logical.node import ClockNode

__all__ = ["ClockNode"]
