"""Faults of links: applied through a cluster's powers "cut" and "shape", proved by probes, taken back. See ``harness.powers``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from harness.effects import Cut, Link, PacketShape, Proof, Shape
from harness.holds import Holds, release, take
from harness.protocols import CanCut, CanShape

# Probes per shaped link: at a loss of 10 % all of 100 arrive with a probability below 3e-5, and three links are probed.
SHAPE_PROBES = 100
SHAPE_LINKS_PROBED = 3
# What a measured link did with probes, as shares of them.
SHARES = ("lost", "corrupted", "duplicated", "reordered")
# A link is slow if it carries at most this many times the rate that it is to have: a limit is exact, a burst of probes is short.
RATE_SLACK = 1.5
# So often is a mended link asked for a probe before it counts as cut.
MEND_ROUNDS = 4


class CutPower:
    """Links let nothing through; proved by probes on each of them."""

    async def apply(self, cluster: CanCut, effect: Cut, holds: Holds) -> None:
        await cluster.cut(take(holds.cut, sorted(effect.links)))

    async def verify(self, cluster: CanCut, effect: Cut, holds: Holds) -> Proof:
        links = sorted(effect.links)
        passed = sum(await cluster.reaches(links))
        return Proof(holds=passed == 0, evidence=f"{len(links) - passed} of {len(links)} links let no probe through")

    async def heal(self, cluster: CanCut, effect: Cut, holds: Holds) -> None:
        await cluster.mend(release(holds.cut, sorted(effect.links)))

    async def verify_healed(self, cluster: CanCut, effect: Cut, holds: Holds) -> Proof:
        links = [link for link in sorted(effect.links) if not holds.cut[link]]
        left = list(links)  # another fault may lose most of what they carry: one probe that comes through is enough
        for _ in range(MEND_ROUNDS):
            left = [link for link, reached in zip(left, await cluster.reaches(left), strict=True) if not reached]
            if not left:
                break
        passed = len(links) - len(left)
        return Proof(holds=not left, evidence=f"{passed} of {len(links)} links let probes through again")


class ShapePower:
    """Links delay, lose, duplicate, reorder, corrupt, or are slow; proved by measuring some of them."""

    async def apply(self, cluster: CanShape, effect: Shape, holds: Holds) -> None:
        for link in effect.links:
            holds.shapes.setdefault(link, []).append(effect.shape)
        await self._tell(cluster, effect.links, holds)

    async def verify(self, cluster: CanShape, effect: Shape, holds: Holds) -> Proof:
        # A link that is cut lets nothing through to be measured: the cut hides the shape, and is proved on its own.
        links = [link for link in sorted(effect.links) if not holds.cut[link]][:SHAPE_LINKS_PROBED]
        if not links:
            return Proof(holds=True, evidence="all its links are cut, too: nothing passes that could be shaped")
        async with asyncio.TaskGroup() as group:  # at once: what is slow is slow to measure, too
            measuring = [group.create_task(self._measured(cluster, link, effect.shape)) for link in links]
        seen = [task.result() for task in measuring]
        holds_now = all(any(_shows(what, effect.shape, figures) for figures in seen) for what in _wanted(effect.shape))
        return Proof(holds=holds_now, evidence=_shape_words(links[0], seen[0]), figures=dict(seen[0]))

    async def heal(self, cluster: CanShape, effect: Shape, holds: Holds) -> None:
        for link in effect.links:
            if effect.shape in holds.shapes.get(link, []):
                holds.shapes[link].remove(effect.shape)
        await self._tell(cluster, effect.links, holds)

    async def verify_healed(self, cluster: CanShape, effect: Shape, holds: Holds) -> Proof:
        links = [link for link in sorted(effect.links) if not holds.cut[link] and not holds.shapes.get(link)]
        if not links:
            return Proof(holds=True, evidence="other faults still hold its links")
        figures = await self._measured(cluster, links[0], effect.shape)
        clean = not any(figures[name] for name in SHARES)
        if effect.shape.bytes_per_s:
            clean = clean and figures["bytes_per_s"] > RATE_SLACK * effect.shape.bytes_per_s
        return Proof(holds=clean, evidence=_shape_words(links[0], figures), figures=dict(figures))

    async def _measured(self, cluster: CanShape, link: Link, shape: PacketShape) -> Mapping[str, float]:
        # The burst first: behind the probes of a measurement a slow link's queue would be full.
        rate = {"bytes_per_s": await cluster.throughput(link)} if shape.bytes_per_s else {}
        return {**await cluster.measure(link, SHAPE_PROBES), **rate}

    async def _tell(self, cluster: CanShape, links: Iterable[Link], holds: Holds) -> None:
        by_shape: dict[PacketShape, list[Link]] = {}
        bare = []
        for link in sorted(links):
            held = holds.shapes.get(link)
            if held:
                by_shape.setdefault(_combined(held), []).append(link)
            else:
                bare.append(link)
        for shape, shaped in by_shape.items():
            await cluster.shape(shaped, shape)
        if bare:
            await cluster.unshape(bare)


def _combined(shapes: Sequence[PacketShape]) -> PacketShape:
    """Several shapes on one link: delays add up, of each probability the largest counts, of rates the smallest."""
    return PacketShape(
        delay_s=sum(s.delay_s for s in shapes),
        jitter_s=sum(s.jitter_s for s in shapes),
        loss=max(s.loss for s in shapes),
        duplicate=max(s.duplicate for s in shapes),
        reorder=max(s.reorder for s in shapes),
        corrupt=max(s.corrupt for s in shapes),
        distribution=next((s.distribution for s in reversed(shapes) if s.jitter_s), "uniform"),
        bytes_per_s=min((s.bytes_per_s for s in shapes if s.bytes_per_s), default=0),
    )


_MEASURED: Mapping[str, str] = {
    "delay_s": "delay_s",
    "loss": "lost",
    "corrupt": "corrupted",
    "duplicate": "duplicated",
    "reorder": "reordered",
    "bytes_per_s": "bytes_per_s",
}


def _wanted(shape: PacketShape) -> list[str]:
    return [what for what in _MEASURED if getattr(shape, what) > 0]


def _shows(what: str, shape: PacketShape, figures: Mapping[str, float]) -> bool:
    seen = figures[_MEASURED[what]]
    if what == "delay_s":
        return seen >= shape.delay_s / 2
    if what == "bytes_per_s":
        return 0 < seen <= RATE_SLACK * shape.bytes_per_s
    return seen > 0


def _shape_words(link: Link, figures: Mapping[str, float]) -> str:
    shares = ", ".join(f"{figures[name]:.0%} {name}" for name in SHARES)
    rate = f", {figures['bytes_per_s'] / 1000:.1f} kB/s" if "bytes_per_s" in figures else ""
    return f"{link[0]} to {link[1]}: {shares}, {figures['delay_s'] * 1000:.1f} ms{rate}"
