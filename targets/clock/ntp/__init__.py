"""Nodes that find out what time it is from reference nodes, some of which may be wrong, and say within which bound they know it.

In reading order:

* ``config`` the options of a node; ``bugs`` the seeded deviations, each an ``if`` at the place where the rule stands;
* ``intervals`` what one answer proves (Cristian 1989), and what several prove of which some are wrong (Marzullo 1984). Pure;
* ``node`` asks the references again and again, and is asked for the time.
"""

from targets.clock.ntp.node import TimeNode

__all__ = ["TimeNode"]
