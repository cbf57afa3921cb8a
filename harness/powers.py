"""How each effect is applied to a cluster, proved, and taken back: one entry per effect, through the cluster's powers.

A cluster offers a power by satisfying its Protocol. Effects of several faults may overlap: what a cluster is told is the union of
what is still held (``Holds`` counts), so healing one fault never heals another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from harness.effects import Cut, Effect, Kill, Link, PacketShape, Pause, Proof, Shape, Skew
from harness.protocols import CanCut, CanKill, CanPause, CanShape, CanSkew, Cluster

POWERS: Mapping[str, type] = {"cut": CanCut, "shape": CanShape, "kill": CanKill, "pause": CanPause, "skew": CanSkew}

# A node that lives answers a ping well within this; one that is dead or stands still never does.
PING_S = 0.25
# A restarted or resumed node must answer within this.
RETURN_S = 5.0
# Probes per shaped link: at a loss of 10 % all of 100 arrive with a probability below 3e-5, and three links are probed.
SHAPE_PROBES = 100
SHAPE_LINKS_PROBED = 3
# What a measured link did with probes, as shares of them.
SHARES = ("lost", "corrupted", "duplicated", "reordered")
# A link is slow if it carries at most this many times the rate that it is to have: a limit is exact, a burst of probes is short.
RATE_SLACK = 1.5
# A strobing clock is read this often before it is called truthful.
CLOCK_READINGS = 12
# A reading that is off by this much was moved by a fault (a skew of the nemesis is at least twice as large).
CLOCK_BITES_S = 0.04


def powers_of(cluster: object) -> frozenset[str]:
    """The names of the powers that a cluster (object or class) offers."""
    return frozenset(name for name, protocol in POWERS.items() if all(hasattr(cluster, m) for m in _methods(protocol)))


def _methods(protocol: type) -> list[str]:
    return [name for name in vars(protocol) if not name.startswith("_")]


Thing = TypeVar("Thing", bound=object)


@dataclass(slots=True)
class Holds:
    """Who holds what: how many effects cut a link, keep a node down or still; in which order links were shaped, clocks skewed."""

    cut: Counter[Link] = field(default_factory=Counter)
    down: Counter[str] = field(default_factory=Counter)
    still: Counter[str] = field(default_factory=Counter)
    shapes: dict[Link, list[PacketShape]] = field(default_factory=dict)
    skews: dict[str, list[Any]] = field(default_factory=dict)


def _take(counter: Counter[Any], things: Iterable[Any]) -> list[Any]:
    """Hold each of ``things`` once more; return those that nobody held before."""
    fresh = [thing for thing in things if not counter[thing]]
    counter.update(things)
    return fresh


def _release(counter: Counter[Any], things: Iterable[Any]) -> list[Any]:
    """Hold each of ``things`` once less; return those that nobody holds any more."""
    things = [thing for thing in things if counter[thing]]
    counter.subtract(things)
    return [thing for thing in things if not counter[thing]]


class Power(Protocol):
    """One effect's way into the world. ``apply`` and ``heal`` are idempotent together with ``Holds``."""

    async def apply(self, cluster: Any, effect: Any, holds: Holds) -> None: ...

    async def verify(self, cluster: Any, effect: Any, holds: Holds) -> Proof: ...

    async def heal(self, cluster: Any, effect: Any, holds: Holds) -> None: ...

    async def verify_healed(self, cluster: Any, effect: Any, holds: Holds) -> Proof: ...


class CutPower:
    """Links let nothing through; proved by probes on each of them."""

    async def apply(self, cluster: CanCut, effect: Cut, holds: Holds) -> None:
        await cluster.cut(_take(holds.cut, sorted(effect.links)))

    async def verify(self, cluster: CanCut, effect: Cut, holds: Holds) -> Proof:
        links = sorted(effect.links)
        passed = sum(await cluster.reaches(links))
        return Proof(holds=passed == 0, evidence=f"{len(links) - passed} of {len(links)} links let no probe through")

    async def heal(self, cluster: CanCut, effect: Cut, holds: Holds) -> None:
        await cluster.mend(_release(holds.cut, sorted(effect.links)))

    async def verify_healed(self, cluster: CanCut, effect: Cut, holds: Holds) -> Proof:
        links = [link for link in sorted(effect.links) if not holds.cut[link]]
        passed = sum(await cluster.reaches(links))
        return Proof(holds=passed == len(links), evidence=f"{passed} of {len(links)} links let probes through again")


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
        seen = [await self._measured(cluster, link, effect.shape) for link in links]
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


async def _answers(cluster: Cluster, nodes: Iterable[str], timeout_s: float) -> list[str]:
    return [node for node in nodes if await cluster.ask(node, {"type": "sb_ping"}, timeout_s) is not None]


class _NodePower:
    """What killing and pausing have in common: the proof is a ping that stays without an answer."""

    def __init__(self, verb: str, back: str, counter: Callable[[Holds], Counter[str]]) -> None:
        self._verb, self._back, self._counter = verb, back, counter

    async def verify(self, cluster: Cluster, effect: Kill | Pause, holds: Holds) -> Proof:
        alive = await _answers(cluster, effect.nodes, PING_S)
        quiet = [node for node in effect.nodes if node not in alive]
        return Proof(
            holds=not alive and bool(quiet), evidence=f"{self._verb}, no answer from {', '.join(quiet) or 'nobody'}"
        )

    async def verify_healed(self, cluster: Cluster, effect: Kill | Pause, holds: Holds) -> Proof:
        free = [node for node in effect.nodes if not holds.down[node] and not holds.still[node]]
        back = await _answers(cluster, free, RETURN_S)
        return Proof(holds=back == free, evidence=f"{self._back}: {', '.join(back) or 'others still hold it'}")


class KillPower(_NodePower):
    """Nodes crash; healing starts them again."""

    def __init__(self) -> None:
        super().__init__("killed", "up again", lambda holds: holds.down)

    async def apply(self, cluster: CanKill, effect: Kill, holds: Holds) -> None:
        for node in _take(holds.down, effect.nodes):
            await cluster.kill(node)

    async def heal(self, cluster: Any, effect: Kill, holds: Holds) -> None:
        for node in _release(holds.down, effect.nodes):
            await cluster.restart(node)
            if holds.still[node]:
                await cluster.pause(node)  # another fault keeps it still: the new process stands still, too


class PausePower(_NodePower):
    """Nodes stand still; healing lets them go on."""

    def __init__(self) -> None:
        super().__init__("paused", "goes on", lambda holds: holds.still)

    async def apply(self, cluster: CanPause, effect: Pause, holds: Holds) -> None:
        for node in _take(holds.still, effect.nodes):
            if not holds.down[node]:
                await cluster.pause(node)

    async def heal(self, cluster: CanPause, effect: Pause, holds: Holds) -> None:
        for node in _release(holds.still, effect.nodes):
            if not holds.down[node]:
                await cluster.resume(node)


class SkewPower:
    """Wall clocks are wrong; proved by the node's own reading."""

    async def apply(self, cluster: CanSkew, effect: Skew, holds: Holds) -> None:
        for node in effect.nodes:
            holds.skews.setdefault(node, []).append(effect.skew)
            await cluster.skew(node, effect.skew)

    async def verify(self, cluster: CanSkew, effect: Skew, holds: Holds) -> Proof:
        seen: dict[str, float] = {}
        for _ in range(CLOCK_READINGS):
            for node in effect.nodes:
                offset = None if holds.down[node] or holds.still[node] else await cluster.clock_offset(node)
                if offset is not None:
                    seen[node] = max(seen.get(node, 0.0), offset, key=abs)
            if seen and all(abs(offset) >= CLOCK_BITES_S for offset in seen.values()):
                break
        words = ", ".join(f"{node} {offset:+.3f} s" for node, offset in seen.items())
        bites = bool(seen) and all(abs(offset) >= CLOCK_BITES_S for offset in seen.values())
        return Proof(
            holds=bites, evidence=f"clocks off by: {words}" if seen else "no target could be asked for its clock"
        )

    async def heal(self, cluster: CanSkew, effect: Skew, holds: Holds) -> None:
        for node in effect.nodes:
            held = holds.skews.get(node, [])
            if effect.skew in held:
                held.remove(effect.skew)
            if held:
                await cluster.skew(node, held[-1])
            else:
                await cluster.unskew(node)

    async def verify_healed(self, cluster: CanSkew, effect: Skew, holds: Holds) -> Proof:
        free = [n for n in effect.nodes if not (holds.skews.get(n) or holds.down[n] or holds.still[n])]
        offsets = [(node, await cluster.clock_offset(node)) for node in free]
        wrong = [node for node, offset in offsets if offset is None or abs(offset) >= CLOCK_BITES_S]
        return Proof(holds=not wrong, evidence=f"clocks right on {len(free) - len(wrong)} of {len(free)} nodes")


EFFECTS: Mapping[type[Effect], Power] = {
    Cut: CutPower(),
    Shape: ShapePower(),
    Kill: KillPower(),
    Pause: PausePower(),
    Skew: SkewPower(),
}
