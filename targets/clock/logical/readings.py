"""Three logical clocks. Pure: the time of day is handed in.

Each is advanced by ``tick`` (a local event, or a send) and by ``meet`` (a receive, with the reading that the message carries).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from targets.clock.logical.bugs import Bugs
from targets.clock.logical.config import HYBRID, LAMPORT, VECTOR

Reading = Any  # what goes into messages, logs and files: a number, or a map of nodes to numbers
BYTE = 256
# A hybrid reading holds the milliseconds since the epoch above so many bits of a counter: exact in a JSON number (2**53).
COUNTER_BITS = 12
# The seeded bug ``far_ahead_not_merged`` takes what is further ahead for wrong.
FAR_MS = 500


class LogicalClock(Protocol):
    """One node's clock. ``reading`` is JSON; ``restore`` takes over one that was saved."""

    @property
    def reading(self) -> Reading: ...

    def restore(self, saved: Reading) -> None: ...

    def tick(self) -> None: ...

    def meet(self, theirs: Reading, sender: str) -> None: ...

    def place(self, reading: Reading, sender: str) -> int:
        """Where this reading of ``sender`` stands among all readings of ``sender``."""
        ...


class Lamport:
    """One number (Lamport 1978, IR1 and IR2)."""

    def __init__(self, bugs: Bugs) -> None:
        self._bugs, self._time = bugs, 0

    @property
    def reading(self) -> int:
        return self._time

    def restore(self, saved: int) -> None:
        self._time = saved

    def tick(self) -> None:
        self._time += 1
        if self._bugs.counter_of_one_byte:
            self._time %= BYTE

    def meet(self, theirs: int, sender: str) -> None:
        if self._bugs.receive_takes_theirs:
            self._time = theirs
        elif not self._bugs.receive_ignores_clock:
            self._time = max(self._time, theirs)
        if not self._bugs.no_tick_on_receive:
            self.tick()

    def place(self, reading: int, sender: str) -> int:
        return reading


class Vector:
    """One number per node (Fidge 1988, Mattern 1988); a node that is missing has 0."""

    def __init__(self, me: str, bugs: Bugs) -> None:
        self._me, self._bugs = me, bugs
        self._entries: dict[str, int] = {}

    @property
    def reading(self) -> dict[str, int]:
        return dict(self._entries)

    def restore(self, saved: Mapping[str, int]) -> None:
        self._entries = dict(saved)

    def tick(self) -> None:
        self._count(self._me)

    def meet(self, theirs: Mapping[str, int], sender: str) -> None:
        if self._bugs.takes_theirs_whole:
            self._entries = dict(theirs)
        elif not self._bugs.receive_ignores_clock:
            for node, number in theirs.items():
                self._entries[node] = max(self._entries.get(node, 0), number)
        if not self._bugs.no_tick_on_receive:
            self._count(sender if self._bugs.ticks_for_sender else self._me)

    def place(self, reading: Mapping[str, int], sender: str) -> int:
        return reading.get(sender, 0)

    def _count(self, node: str) -> None:
        self._entries[node] = self._entries.get(node, 0) + 1


class Hybrid:
    """Milliseconds, and a counter in the bits below, as one number (Kulkarni and others 2014, figure 5).

    Not below any wall clock that it has heard of, and ahead of the furthest one by no more than its events were too many for.
    """

    def __init__(self, wall_time: Callable[[], float], bugs: Bugs) -> None:
        self._wall_time, self._bugs = wall_time, bugs
        self._time = 0

    @property
    def reading(self) -> int:
        return self._time

    def restore(self, saved: int) -> None:
        self._time = saved

    def tick(self) -> None:
        self._advance(0)

    def meet(self, theirs: int, sender: str) -> None:
        far = self._bugs.far_ahead_not_merged and theirs > self._now() + (FAR_MS << COUNTER_BITS)
        self._advance(0 if self._bugs.receive_ignores_clock or far else theirs)

    def place(self, reading: int, sender: str) -> int:
        return reading

    def _now(self) -> int:
        return int(1000 * self._wall_time()) << COUNTER_BITS

    def _advance(self, heard: int) -> None:
        """Beyond the own reading and beyond ``heard``, and not behind the wall clock. A counter that is full goes on into the next
        millisecond.
        """
        if self._bugs.wall_clock_believed:
            self._time = max(self._now(), heard + 1)
        elif self._bugs.counter_reset:
            self._time = max(self._time, heard, self._now())
        else:
            self._time = max(self._time + 1, heard + 1, self._now())


def clock_of(kind: str, node: str, wall_time: Callable[[], float], bugs: Bugs) -> LogicalClock:
    """The clock called ``kind``, of ``node``, at its beginning."""
    made: Mapping[str, Callable[[], LogicalClock]] = {
        LAMPORT: lambda: Lamport(bugs),
        VECTOR: lambda: Vector(node, bugs),
        HYBRID: lambda: Hybrid(wall_time, bugs),
    }
    return made[kind]()
