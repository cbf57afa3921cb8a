"""Probes: what the network really does to messages, measured by frames that go the way of the nodes' own messages; and how wrong a
node's clock is.

A probe is a message from one node to another that the cluster catches where the link ends, so that it tells of the link and not of
the node behind it. The cluster hands in how one is sent.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from harness.effects import Link
from harness.protocols import Body

# Probes per link when asked whether it is open: a link that loses one message in five eats all of them once in 400,000 times.
REACH_PROBES = 8
# Probes of a measurement leave one by one, so that the order of their arrival means something.
SPACING_S = 0.001
# A small probe, and the burst of large ones that shows a link's rate: at 10 kB/s it takes two seconds.
PROBE_BYTES = 64
BURST, BURST_BYTES = 20, 1000
# Arrivals closer than this are one to every clock.
INSTANT_S = 1e-6

# How long a node is looked at to see how much of the time it may run, and how often: some four periods of a throttled one.
WATCHED_S, GLANCE_S = 0.4, 0.002
# A node that lives tells the time within this, on a busy machine, too.
CLOCK_S = 2.0
# Half of the time that question and answer took may be the error of a reading: one that took longer is made again. A throttled node
# that has just answered has some time left in which it answers at once.
PROMPT_S, READINGS = 0.02, 12

Landed = Callable[[bool], None]
# Send a probe of so many bytes over this link; return how many copies are under way. ``landed(entered)`` is called at the end of the
# link for each copy.
SendProbe = Callable[[Link, Landed, int], int]


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

    def landed(place: int, entered: bool) -> None:
        arrived[place] |= entered
        flight.land()

    for place, link in enumerate(links):
        for _ in range(REACH_PROBES):
            flight.launch(send(link, partial(landed, place), PROBE_BYTES))
    await flight.wait()
    return arrived


@dataclass(frozen=True, slots=True)
class Landing:
    """A probe that arrived: its number in its flight, and when, in seconds."""

    number: int
    at_s: float


async def measure(send: SendProbe, link: Link, probes: int, corrupted: Callable[[], int]) -> Mapping[str, float]:
    """What became of ``probes`` probes: see ``figures``. ``corrupted()`` counts the link's messages that arrived damaged so far."""
    time_s = asyncio.get_running_loop().time
    flight, sent_s, landings, damaged = _Flight(), list[float](), list[Landing](), 0
    for number in range(probes):
        sent_s.append(time_s())
        before = corrupted()
        flight.launch(send(link, partial(_landed, flight, landings, number), PROBE_BYTES))
        damaged += corrupted() - before
        await asyncio.sleep(SPACING_S)
    await flight.wait()
    return figures(landings, sent_s, damaged)


async def throughput(send: SendProbe, link: Link) -> float:
    """The rate in bytes per second at which a burst of probes leaves the link: see ``rate``."""
    flight, landings = _Flight(), list[Landing]()
    for number in range(BURST):
        flight.launch(send(link, partial(_landed, flight, landings, number), BURST_BYTES))
    await flight.wait()
    return rate(landings, BURST_BYTES)


def _landed(flight: _Flight, landings: list[Landing], number: int, entered: bool) -> None:
    if entered:
        landings.append(Landing(number, asyncio.get_running_loop().time()))
    flight.land()


def figures(landings: Sequence[Landing], sent_s: Sequence[float], corrupted: int) -> Mapping[str, float]:
    """Shares of the probes that were lost, arrived damaged, came twice, were overtaken by later ones; the median of their delay.

    Pure. ``landings`` are in order of arrival. A damaged probe is not lost; what sums up its messages drops it all the same. The delay,
    in seconds, is infinite if none came through.
    """
    first: dict[int, float] = {}
    latest, overtaken = -1, 0
    for landing in landings:
        if landing.number not in first:
            first[landing.number] = landing.at_s
            overtaken += landing.number < latest
            latest = max(latest, landing.number)
    delays_s = [at_s - sent_s[number] for number, at_s in first.items()]
    probes = len(sent_s)
    return {
        "lost": max(0, probes - len(first) - corrupted) / probes,
        "corrupted": corrupted / probes,
        "duplicated": (len(landings) - len(first)) / probes,
        "reordered": overtaken / probes,
        "delay_s": statistics.median(delays_s) if delays_s else float("inf"),
    }


def rate(landings: Sequence[Landing], size: int) -> float:
    """Bytes per second between the first and the last arrival of a burst, second copies aside; 0 if there are no two. Pure."""
    times_s = sorted({landing.number: landing.at_s for landing in reversed(landings)}.values())
    if len(times_s) < 2:
        return 0.0
    return (len(times_s) - 1) * size / max(times_s[-1] - times_s[0], INSTANT_S)


async def clock_offset(
    ask: Callable[[str, Body, float], Awaitable[Body | None]], node: str, true_s: Callable[[], float]
) -> float | None:
    """A node's reading of its wall clock minus the true time half way between question and answer; None if it did not answer.

    Of a few readings, if the first was slow, the one that was answered soonest.
    """
    best: tuple[float, float] | None = None  # how long it took, the offset
    for _ in range(READINGS):
        asked_s = true_s()
        reply = await ask(node, {"type": "sb_clock"}, CLOCK_S)
        answered_s = true_s()
        if reply is None or "wall" not in reply:
            break
        took_s = answered_s - asked_s
        best = min(best or (took_s, float("inf")), (took_s, float(reply["wall"]) - (asked_s + answered_s) / 2))
        if took_s <= PROMPT_S:
            break
    return best[1] if best is not None else None


async def running_share(runs: Callable[[], Awaitable[bool | None]]) -> float | None:
    """The share of a while in which a node was not standing still, by looking again and again; None if it was dead meanwhile."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + WATCHED_S
    seen: list[bool] = []
    while loop.time() < until_s:
        one = await runs()
        if one is None:
            return None
        seen.append(one)
        await asyncio.sleep(GLANCE_S)
    return sum(seen) / len(seen)
