"""The powers "cut" and "shape" of a cluster that carries every message itself, and asks ``Links`` what becomes of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.clusters.fabric import probes
from harness.clusters.fabric.links import Links
from harness.effects import Link, PacketShape


class Routed:
    """For a cluster that has ``_links`` and can ``_post``."""

    _links: Links

    def _post(self, link: Link, land: probes.Landed, size: int) -> int:
        """Send ``size`` bytes over a link; ``land(entered)`` is called at its end for each copy. Returns how many copies there are."""
        raise NotImplementedError

    async def cut(self, links: Iterable[Link]) -> None:
        self._links.cut(links)

    async def mend(self, links: Iterable[Link]) -> None:
        self._links.mend(links)

    async def reaches(self, links: Sequence[Link]) -> list[bool]:
        return await probes.reaches(self._post, links)

    async def shape(self, links: Iterable[Link], shape: PacketShape) -> None:
        self._links.shape(links, shape)

    async def unshape(self, links: Iterable[Link]) -> None:
        self._links.unshape(links)

    async def measure(self, link: Link, probes_sent: int) -> Mapping[str, float]:
        tally = self._links.tally(link)
        return await probes.measure(self._post, link, probes_sent, lambda: tally.corrupted)

    async def throughput(self, link: Link) -> float:
        return await probes.throughput(self._post, link)

    async def counters(self) -> dict[Link, dict[str, int]]:
        return self._links.counters()
