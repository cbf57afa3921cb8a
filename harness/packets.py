"""What the packets (or messages) of a fault's links have met while it held: counted by the cluster, link by link.

The proof beside the probes: probes show what a link does to them, counters what it did to the target's own traffic, which includes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.effects import Link
from harness.protocols import CanCount

Counts = Mapping[Link, Mapping[str, int]]


async def count(cluster: object, links: Iterable[Link]) -> dict[Link, Mapping[str, int]]:
    """The counters of each of these links now; none of a cluster that does not count."""
    wanted = set(links)
    if not wanted or not isinstance(cluster, CanCount):
        return {}
    counted = await cluster.counters()
    return {link: dict(counted.get(link, {})) for link in wanted}


def since(before: Counts, now: Counts) -> list[dict[str, Any]]:
    """What has been added, one row per link, only what is not zero: {"src", "dest", "cut": 12, ...}. Pure."""
    rows = []
    for link, counts in sorted(now.items()):
        past = before.get(link, {})
        met = {what: number - past.get(what, 0) for what, number in counts.items() if number > past.get(what, 0)}
        if met:
            rows.append({"src": link[0], "dest": link[1], **met})
    return rows
