"""What the router does to each link, kept as sets of the packet filter: cuts, losses, and what passes through the shaper.

The controller's side: names of nodes go in, addresses go to the kernel. Every change is one transaction. Counters tell, per link and
fault, how many packets met it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from harness.clusters.fabric import links as fates
from harness.clusters.fabric import nft
from harness.clusters.fabric.nfqueue_shaper import LINKS_MAX
from harness.effects import Link, PacketShape
from harness.errors import ClusterError

# A packet on a cable of Ethernet; longer ones are cut into such before they are shaped, where size matters.
PACKET_MAX = 1500

Keys = Callable[[Link], list[nft.Key]]
Tell = Callable[..., Awaitable[Any]]


@contextmanager
def told() -> Iterator[None]:
    """What the kernel refuses becomes a sentence for people, as a ClusterError."""
    try:
        yield
    except OSError as error:
        raise ClusterError(f"the fabric of the run: {error.strerror or error}") from error


class PacketFilter(Protocol):
    """``nft.Filter``, or what stands in for it."""

    def hold(self, sets: Mapping[str, frozenset[nft.Key]], losses: Iterable[int] = ()) -> None: ...

    def counts(self, name: str) -> dict[nft.Key, int]: ...


@dataclass(frozen=True, slots=True)
class _Way:
    """How a shape is carried out: the set that its links are in."""

    set: str
    loss: int = 0  # in ``nft.LOSS_PARTS``; 0: the shaper does it all


def way(shape: PacketShape) -> _Way | None:
    """Pure: None for a shape that does nothing. Loss alone is the filter's own; only what needs whole packets is handed over whole.

    A limited rate does: segments that offloading has put together would be 64 KiB that pass, or are dropped, at once.
    """
    if shape.duplicate > 0 or shape.corrupt > 0 or shape.bytes_per_s > 0:
        return _Way(nft.COPIED)
    if shape.delay_s > 0 or shape.jitter_s > 0 or shape.reorder > 0:
        return _Way(nft.SLOW)
    parts = min(nft.LOSS_PARTS, round(shape.loss * nft.LOSS_PARTS))
    return _Way(nft.loss_set(parts), parts) if parts else None


def slowest_s(shape: PacketShape | None) -> float:
    """Pure: the longest that a packet is held back by this shape, in seconds."""
    if shape is None or (chosen := way(shape)) is None or chosen.loss:
        return 0.0
    return fates.slowest_s(shape, PACKET_MAX)


class Router:
    """State and changes of the fabric. ``tell`` asks the shaper (see ``nfqueue_shaper.serve``)."""

    def __init__(self, packet_filter: PacketFilter, tell: Tell, keys: Keys) -> None:
        self._filter, self._tell, self._keys = packet_filter, tell, keys
        self._cuts: Counter[Link] = Counter()
        self._shapes: dict[Link, PacketShape] = {}
        self._links: dict[nft.Key, Link] = {}
        self._met: Counter[tuple[Link, str]] = Counter()  # of elements that are no longer in their set
        self._held: dict[str, frozenset[nft.Key]] = {}

    def cut(self, links: Iterable[Link]) -> None:
        """Every packet of these links is dropped from now on, of all at the same instant. Counted. Raises OSError."""
        self._cuts.update(links)
        self._apply()

    def mend(self, links: Iterable[Link]) -> None:
        """Take one cut of each of these links back; a link that is not cut stays as it is."""
        for link in links:
            self._cuts[link] = max(0, self._cuts[link] - 1)
        self._apply()

    async def shape(self, links: Iterable[Link], shape: PacketShape) -> None:
        """Packets of these links suffer this from now on, whatever it was before."""
        links = list(links)
        chosen = way(shape)
        if chosen is not None and not chosen.loss:  # the shaper must know before the first packet comes
            await self._tell_shaper(links, shape)
        self._shapes.update(dict.fromkeys(links, shape))
        self._apply()

    async def unshape(self, links: Iterable[Link]) -> None:
        """Packets of these links pass as they are. What the shaper still holds comes at its time. Idempotent."""
        shaped = [link for link in links if self._shapes.pop(link, None) is not None]
        self._apply()
        await self._tell_shaper(shaped, None)

    def slowest_s(self, link: Link) -> float:
        """The longest that a packet is held back on this link now, in seconds; 0 where nothing is shaped."""
        return slowest_s(self._shapes.get(link))

    async def counters(self) -> dict[Link, dict[str, int]]:
        """Per link: packets "cut", "lost" by the filter's dice (of those that were "exposed" to it), and what the shaper did."""
        found: dict[Link, dict[str, int]] = {}
        for (link, what), packets in self._met.items():
            found.setdefault(link, {})[what] = packets
        for name in self._held:
            for key, packets in self._filter.counts(name).items():
                row = found.setdefault(self._links[key], {})
                row[_word(name)] = row.get(_word(name), 0) + packets
        for (src, dest), tally in await self._tallies():
            found.setdefault((src, dest), {}).update(tally)
        return found

    async def _tallies(self) -> list[tuple[Link, dict[str, int]]]:
        rows: list[tuple[Link, dict[str, int]]] = []
        while True:
            answer, _ = await self._tell("tallies", tallies=len(rows))
            rows += answer["tallies"]
            if len(answer["tallies"]) < LINKS_MAX:
                return rows

    async def _tell_shaper(self, links: list[Link], shape: PacketShape | None) -> None:
        for start in range(0, len(links), LINKS_MAX):
            rows = [(*link, [key.hex() for key in self._keys(link)]) for link in links[start : start + LINKS_MAX]]
            await self._tell("shape", links=rows, shape=asdict(shape) if shape is not None else None)

    def _apply(self) -> None:
        sets: dict[str, set[nft.Key]] = {}
        losses = set()
        for link, cuts in self._cuts.items():
            if cuts:
                self._put(sets, nft.CUT, link)
        for link, shape in self._shapes.items():
            chosen = way(shape)
            if chosen is not None:
                losses.update({chosen.loss} - {0})
                for name in (chosen.set, nft.LOST) if chosen.loss else (chosen.set,):
                    self._put(sets, name, link)
        frozen = {name: frozenset(keys) for name, keys in sets.items()}
        self._collect({name: keys - frozen.get(name, frozenset()) for name, keys in self._held.items()})
        self._filter.hold(frozen, losses)
        self._held = frozen

    def _put(self, sets: dict[str, set[nft.Key]], name: str, link: Link) -> None:
        for key in self._keys(link):
            self._links[key] = link
            sets.setdefault(name, set()).add(key)

    def _collect(self, leaving: Mapping[str, frozenset[nft.Key]]) -> None:
        """Keep the counts of elements that are about to leave their set."""
        for name, keys in leaving.items():
            if keys:
                counts = self._filter.counts(name)
                for key in keys:
                    self._met[self._links[key], _word(name)] += counts.get(key, 0)


def _word(name: str) -> str:
    """What it means for a packet to have matched an element of the set: "cut", "lost", "slow", "copied", or "exposed" to chance."""
    return "exposed" if name.startswith(nft.LOSS) else name
