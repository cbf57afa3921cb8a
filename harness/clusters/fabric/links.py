"""The state of a network, and what becomes of each message: cuts, shapes, base latency and dice of every directed link.

Pure: no loop and no socket; time is handed in. The simulator and the router of real processes share it.

A link keeps the order of its messages, as TCP does: a message that is delayed holds back those behind it. Only ``reorder`` (a message
is held back alone, so that later ones overtake it) and ``duplicate`` (a second copy comes later, out of turn) break it.

Each link throws two dice of its own: one for base latency, thrown for every message, cut or not, and one for shapes. So a fault on one
link changes neither the latencies of another link nor its own after it has healed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness import rng
from harness.effects import Link, PacketShape

# A message that is out of turn is held back by 5 to 25 ms: enough for dozens of messages of a busy link to overtake it.
HOLD_MIN_S, HOLD_MAX_S = 0.005, 0.025
# Messages that would arrive together arrive this far apart, so that rounding cannot swap them.
APART_S = 1e-9

AT_ONCE: tuple[float, ...] = (0.0,)
NEVER: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """What a healthy link takes: ``min_s`` to ``max_s``, with more of the short ones (the density falls as 1/sqrt)."""

    min_s: float
    max_s: float


# A local network under load, as a simulation's default; and the router of real processes, which are as slow as they are.
LAN = Latency(min_s=0.0005, max_s=0.003)
NONE = Latency(min_s=0.0, max_s=0.0)


@dataclass(slots=True)
class Tally:
    """What happened to the messages of a link. ``dropped`` counts cut and lost ones; ``delayed`` those slowed by a shape."""

    sent: int = 0
    dropped: int = 0
    delayed: int = 0
    duplicated: int = 0
    reordered: int = 0


class Line:
    """One directed link."""

    __slots__ = ("_dice", "_last_s", "_min_s", "_shape_dice", "_span_s", "cuts", "shape", "tally")

    def __init__(self, seed: int, link: Link, base: Latency) -> None:
        name = f"link/{link[0]}/{link[1]}"
        self._dice = rng.stream(seed, name).random
        self._shape_dice = rng.stream(seed, f"{name}/shape").random
        self._min_s, self._span_s = base.min_s, base.max_s - base.min_s
        self._last_s = 0.0  # when the last message in turn arrives
        self.cuts = 0
        self.shape: PacketShape | None = None
        self.tally = Tally()

    def fates(self, now_s: float) -> tuple[float, ...]:
        """The delays in seconds after which copies of a message sent now arrive: none if it is dropped."""
        self.tally.sent += 1
        at_s = now_s + self._min_s
        if self._span_s:
            throw = self._dice()
            at_s += self._span_s * throw * throw
        if self.cuts:
            self.tally.dropped += 1
            return NEVER
        if self.shape is not None:
            return self._shaped(self.shape, now_s, at_s)
        if at_s <= self._last_s:
            at_s = self._last_s + APART_S
        self._last_s = at_s
        return (at_s - now_s,)

    def _shaped(self, shape: PacketShape, now_s: float, at_s: float) -> tuple[float, ...]:
        # All dice are thrown for every message, so that one probability does not change what another one decides.
        lost, twice, aside, jitter, hold, echo = (self._shape_dice() for _ in range(6))
        if lost < shape.loss:
            self.tally.dropped += 1
            return NEVER
        slower_s = max(0.0, shape.delay_s + shape.jitter_s * (2 * jitter - 1))
        self.tally.delayed += slower_s > 0
        at_s += slower_s
        if aside < shape.reorder:
            self.tally.reordered += 1
            at_s += HOLD_MIN_S + (HOLD_MAX_S - HOLD_MIN_S) * hold
        else:
            if at_s <= self._last_s:
                at_s = self._last_s + APART_S
            self._last_s = at_s
        if twice < shape.duplicate:
            self.tally.duplicated += 1
            return (at_s - now_s, at_s - now_s + HOLD_MIN_S + (HOLD_MAX_S - HOLD_MIN_S) * echo)
        return (at_s - now_s,)


class Links:
    """All links of a cluster. Those between nodes have the base latency; all others (clients, the harness) take ``edge_s``."""

    def __init__(self, seed: int, nodes: Iterable[str], base: Latency, edge_s: float = 0.0) -> None:
        self._seed = seed
        self._edge = Latency(min_s=edge_s, max_s=edge_s)
        self._edge_fates = (edge_s,)
        nodes = tuple(nodes)
        self._lines = {(src, dest): Line(seed, (src, dest), base) for src in nodes for dest in nodes if src != dest}

    def fates(self, src: str, dest: str, now_s: float) -> tuple[float, ...]:
        """The delays in seconds after which copies of a message sent now arrive: none if it is dropped, two if it is duplicated."""
        line = self._lines.get((src, dest))
        if line is None:
            return AT_ONCE if src == dest else self._edge_fates
        return line.fates(now_s)

    def lets_in(self, src: str, dest: str) -> bool:
        """Whether a message that has come to the end of the link may enter: a cut also takes what was under way."""
        line = self._lines.get((src, dest))
        if line is None or not line.cuts:
            return True
        line.tally.dropped += 1
        return False

    def cut(self, links: Iterable[Link]) -> None:
        """Every message of these links vanishes. Counted: a link that was cut twice needs two mends."""
        for link in links:
            self._line(link).cuts += 1

    def mend(self, links: Iterable[Link]) -> None:
        """Take one cut of each of these links back; a link that is not cut stays as it is."""
        for link in links:
            line = self._line(link)
            line.cuts = max(0, line.cuts - 1)

    def shape(self, links: Iterable[Link], shape: PacketShape) -> None:
        """These links treat messages like this from now on, whatever their shape was."""
        for link in links:
            self._line(link).shape = shape

    def unshape(self, links: Iterable[Link]) -> None:
        """These links are themselves again. Idempotent."""
        for link in links:
            self._line(link).shape = None

    def tally(self, link: Link) -> Tally:
        """The counters of a link, from the start of the run on."""
        return self._line(link).tally

    def _line(self, link: Link) -> Line:
        line = self._lines.get(link)
        if line is None:
            line = self._lines[link] = Line(self._seed, link, self._edge)
        return line
