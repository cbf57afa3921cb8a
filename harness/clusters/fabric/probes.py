"""Probes: what the network really does to messages, measured by frames that go the way of the nodes' own messages.

A probe is a message from one node to another that the cluster catches where the link ends, so that it tells of the link and not of
the node behind it. The cluster hands in how one is sent.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Mapping, Sequence

from harness.effects import Link

# Probes per link when asked whether it is open: a link that loses one message in five eats all of them once in 400,000 times.
REACH_PROBES = 8
# A link that has not delivered a probe this long after it was sent does not deliver it.
PATIENCE_S = 1.0
# Probes of a measurement leave one by one, so that the order of their arrival means something.
SPACING_S = 0.001

SendProbe = Callable[[Link, Callable[[], None]], None]  # send over this link; call back at each arrival of a copy


async def reaches(send: SendProbe, links: Sequence[Link]) -> list[bool]:
    """For each link, whether at least one of some probes came through. Waits only as long as some link has shown nothing yet."""
    arrived: set[Link] = set()
    missing = set(links)
    if not missing:
        return []
    everyone = asyncio.Event()

    def landed(link: Link) -> None:
        arrived.add(link)
        if len(arrived) == len(missing):
            everyone.set()

    for link in links:
        for _ in range(REACH_PROBES):
            send(link, lambda link=link: landed(link))  # type: ignore[misc]  # mypy does not type default arguments of lambdas
    try:
        async with asyncio.timeout(PATIENCE_S):
            await everyone.wait()
    except TimeoutError:
        pass
    return [link in arrived for link in links]


async def measure(send: SendProbe, link: Link, probes: int, now_s: Callable[[], float]) -> Mapping[str, float]:
    """Shares of ``probes`` that were lost, came twice, were overtaken by later ones; and the median of their delay in seconds.

    The delay is infinite if none came through.
    """
    sent_s: list[float] = []
    arrivals: list[tuple[int, float]] = []  # number of the probe, time of arrival
    for number in range(probes):
        sent_s.append(now_s())
        send(link, lambda number=number: arrivals.append((number, now_s())))  # type: ignore[misc]  # as above
        await asyncio.sleep(SPACING_S)
    await _quiet(arrivals, probes)
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


async def _quiet(arrivals: Sequence[object], probes: int) -> None:
    """Wait until nothing has come for a while, at most ``PATIENCE_S``: shorter if all came and no copy followed."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + PATIENCE_S
    while loop.time() < until_s:
        seen = len(arrivals)
        await asyncio.sleep(0.1)
        if len(arrivals) == seen and seen >= probes:
            return
