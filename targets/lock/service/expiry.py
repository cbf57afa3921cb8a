"""Leases end: the leader watches how long each lock has not been renewed, and has those expire that nobody renews.

It counts from when it first saw the grant or the renewal, so that by a clock that goes right no lease ends early: a holder began to count
when it asked. A new leader begins to count anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from targets.queue.quorum import Quorum

CHECKS = 8  # so often in the time of a lease


class Leased(Protocol):
    """What has leases that run, each with the turn in which it was last renewed; a command "expire" of the two ends it."""

    def leases(self) -> Iterable[tuple[str, int]]: ...


async def expire(leased: Leased, quorum: Quorum, now_s: Callable[[], float], lease_s: float) -> None:
    """For ever: where this node leads, propose the end of every lease that has lasted ``lease_s`` by the clock ``now_s``."""
    seen_s: dict[tuple[str, int], float] = {}
    while True:
        await asyncio.sleep(lease_s / CHECKS)
        time_s = now_s()
        running = leased.leases() if quorum.leads else ()
        seen_s = {lease: seen_s.get(lease, time_s) for lease in running}
        for (name, turn), since_s in seen_s.items():
            if time_s - since_s >= lease_s:
                quorum.propose(["expire", name, turn])
