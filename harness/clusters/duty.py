"""When a node stands still: while it is paused, and in the idle part of each period while its processor is throttled.

``Duty`` is pure and imports the standard library alone, since the init of a place uses it (``namespaces.place``). ``Pacemaker`` carries
one out on an event loop, real or virtual. Stopping and continuing is what every kernel can do to every process without any right over
groups of processes, and it ends with whoever does it: nothing stays behind, as a directory of a control group would.
"""

from __future__ import annotations

from collections.abc import Callable

# As long as a period of the kernel's own bandwidth control (cpu.cfs_period_us, Documentation/scheduler/sched-bwc.rst).
PERIOD_S = 0.1
# Who looks later than this is late.
LATE_S = 0.002
# A change comes at the earliest after this: rounding must not make a loop of it.
SOON_S = 0.0005


class Duty:
    """Times are seconds of any one clock.

    A throttled node stands still and runs in turn. Whoever looks late, since the machine is busy, lets the next part last as long as it
    is to: a node would else never run where its part is shorter than that delay.
    """

    def __init__(self) -> None:
        self.share: float | None = None  # of each period in which the node runs; None: it always may
        self._idle, self._edge_s = False, 0.0  # whether this is the part in which it stands still, and when it ends
        self._paused_until_s: float | None = None
        self.stalled_until_s = 0.0  # it waits for something until then, whatever else it is told

    def pause(self, until_s: float = float("inf")) -> None:
        """It stands still until it is resumed, at the latest until then (a lease: who holds it still must say so again)."""
        self._paused_until_s = until_s

    def resume(self) -> None:
        self._paused_until_s = None

    def throttle(self, share: float | None, now_s: float) -> None:
        """From now on it runs for this share of each period, at the end of it; None: all the time."""
        self.share, self._idle = share, share is not None
        self._edge_s = now_s + self._length_s()

    def stands(self, now_s: float) -> bool:
        """Whether it is to stand still now. To be asked when ``next_s`` has come."""
        if self.share is not None and now_s >= self._edge_s:
            self._idle = not self._idle
            on_time = now_s - self._edge_s < LATE_S
            self._edge_s = (self._edge_s if on_time else now_s) + self._length_s()
        if self._paused_until_s is not None and now_s < self._paused_until_s:
            return True
        return self._idle or now_s < self.stalled_until_s

    def next_s(self, now_s: float) -> float | None:
        """When to look again; None: nothing changes by itself."""
        edges_s = []
        if self._paused_until_s is not None and now_s < self._paused_until_s < float("inf"):
            edges_s.append(self._paused_until_s)
        if now_s < self.stalled_until_s:
            edges_s.append(self.stalled_until_s)
        if self.share is not None:
            edges_s.append(self._edge_s)
        return max(min(edges_s), now_s + SOON_S) if edges_s else None

    def _length_s(self) -> float:
        """Of the part that begins."""
        if self.share is None:
            return 0.0
        return PERIOD_S * ((1 - self.share) if self._idle else self.share)


class Pacemaker:
    """Makes a node do its duty: ``stop`` and ``go`` act on it, both idempotent; ``call_at(when_s, callback)`` is the loop's."""

    def __init__(
        self,
        time_s: Callable[[], float],
        call_at: Callable[[float, Callable[[], None]], object],
        stop: Callable[[], None],
        go: Callable[[], None],
    ) -> None:
        self._duty = Duty()
        self._time_s, self._call_at, self._stop, self._go = time_s, call_at, stop, go
        self._awaited = False

    def pause(self) -> None:
        self._duty.pause()
        self.beat()

    def resume(self) -> None:
        self._duty.resume()
        self.beat()

    def stall(self, until_s: float) -> None:
        """The node waits for its disk until then, whatever else it is told."""
        self._duty.stalled_until_s = until_s
        self.beat()

    def throttle(self, share: float | None) -> None:
        """See ``Duty.throttle``."""
        self._duty.throttle(share, self._time_s())
        self.beat()

    def reborn(self) -> None:
        """The node has begun a new life, which is throttled as the one before was, but neither paused nor waiting."""
        self._duty.stalled_until_s = 0.0
        self.resume()

    def end(self) -> None:
        """There is no node any more."""
        self._duty = Duty()

    def beat(self) -> None:
        """Do what the duty says now, and look again when it changes."""
        now_s = self._time_s()
        (self._stop if self._duty.stands(now_s) else self._go)()
        next_s = self._duty.next_s(now_s)
        if next_s is not None and not self._awaited:
            self._awaited = True
            self._call_at(next_s, self._due)

    def _due(self) -> None:
        self._awaited = False
        self.beat()
