"""Probes: what the network really does to messages, measured by frames that go the way of the nodes' own messages; and how wrong a
node's clock is.

A probe is a message from one node to another that the cluster catches where the link ends, so that it tells of the link and not of
the node behind it. The cluster hands in how one is sent.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence

from harness.effects import Link
from harness.protocols import Body

# Probes per link when asked whether it is open: a link that loses one message in five eats all of them once in 400,000 times.
REACH_PROBES = 8
# Probes of a measurement leave one by one, so that the order of their arrival means something.
SPACING_S = 0.001

# A node that lives tells the time within this.
CLOCK_S = 1.0

Landed = Callable[[bool], None]
# Send a probe over this link; return how many copies are under way. ``landed(entered)`` is called at the end of the link for each copy.
SendProbe = Callable[[Link, Landed], int]


class _Flight:
    """Copies of probes that are under way; ``over`` is set when none is, once ``sealed``."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self._aloft = 0
        self._sealed = False

    def launch(self, copies: int) -> None:
        self._aloft += copies

    def land(self) -> None:
        self._aloft -= 1
        self._check()

    async def wait(self) -> None:
        self._sealed = True
        self._check()
        await self.over.wait()

    def _check(self) -> None:
        if self._sealed and self._aloft == 0:
            self.over.set()


async def reaches(send: SendProbe, links: Sequence[Link]) -> list[bool]:
    """For each link, whether at least one of some probes came through."""
    flight, arrived = _Flight(), [False] * len(links)

    def landed(entered: bool, place: int) -> None:
        arrived[place] |= entered
        flight.land()

    for place, link in enumerate(links):
        for _ in range(REACH_PROBES):
            flight.launch(send(link, lambda entered, place=place: landed(entered, place)))  # type: ignore[misc]  # mypy does not infer defaults of lambdas
    await flight.wait()
    return arrived


async def measure(send: SendProbe, link: Link, probes: int) -> Mapping[str, float]:
    """Shares of ``probes`` that were lost, came twice, were overtaken by later ones; and the median of their delay in seconds.

    The delay is infinite if none came through.
    """
    time_s = asyncio.get_running_loop().time
    flight, sent_s = _Flight(), []
    arrivals: list[tuple[int, float]] = []  # number of the probe, time of arrival

    def landed(entered: bool, number: int) -> None:
        if entered:
            arrivals.append((number, time_s()))
        flight.land()

    for number in range(probes):
        sent_s.append(time_s())
        flight.launch(send(link, lambda entered, number=number: landed(entered, number)))  # type: ignore[misc]  # as above
        await asyncio.sleep(SPACING_S)
    await flight.wait()
    first: dict[int, float] = {}
    latest, overtaken = -1, 0
    for number, at_s in arrivals:
        if number not in first:
            first[number] = at_s
            overtaken += number < latest
            latest = max(latest, number)
    delays_s = [at_s - sent_s[number] for number, at_s in first.items()]
    return {
        "lost": 1 - len(first) / probes,
        "duplicated": (len(arrivals) - len(first)) / probes,
        "reordered": overtaken / probes,
        "delay_s": statistics.median(delays_s) if delays_s else float("inf"),
    }


async def clock_offset(
    ask: Callable[[str, Body, float], Awaitable[Body | None]], node: str, true_s: Callable[[], float]
) -> float | None:
    """A node's reading of its wall clock minus the true time half way between question and answer; None if it did not answer."""
    asked_s = true_s()
    reply = await ask(node, {"type": "sb_clock"}, CLOCK_S)
    if reply is None or "wall" not in reply:
        return None
    return float(reply["wall"]) - (asked_s + true_s()) / 2
