"""The state of a network, and what becomes of each message: cuts, shapes, base latency and dice of every directed link.

Pure: no loop and no socket; time is handed in. The simulator and the router of real processes share it.

A link keeps the order of its messages, as TCP does: a message that is delayed holds back those behind it. Only ``reorder`` (a message
is held back alone, so that later ones overtake it) and ``duplicate`` (a second copy comes later, out of turn) break it.

Each link throws dice of its own: one for base latency, thrown for every message, cut or not, one for shapes, and one for corruption. So
a fault on one link changes neither the latencies of another link nor its own after it has healed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from statistics import NormalDist

from harness import rng
from harness.effects import Link, PacketShape

# A message that is out of turn is held back by 5 to 25 ms: enough for dozens of messages of a busy link to overtake it.
HOLD_MIN_S, HOLD_MAX_S = 0.005, 0.025
# Messages that would arrive together arrive this far apart, so that rounding cannot swap them.
APART_S = 1e-9

# What would wait longer than this for a limited rate is dropped, as by the full queue of a slow device.
RATE_WAIT_S = 0.5

# How far from the mean, in units of the jitter, a message's delay lies, from an even throw (the inverse of the distribution function);
# the names are those of the tables of tc-netem(8). The mean is 0 each time. A tail is cut off where it would hold packets for ever.
TAIL_MAX = 8.0
_CERTAIN = 1e-12  # the normal distribution has no value for a throw of 0
DISTRIBUTIONS: Mapping[str, Callable[[float], float]] = {
    "uniform": lambda throw: 2 * throw - 1,
    "normal": lambda throw: NormalDist().inv_cdf(max(throw, _CERTAIN)),
    "pareto": lambda throw: float((1 - throw) ** (-1 / 3)) - 1.5,
}

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
    """What happened to the messages of a link.

    ``dropped`` counts cut and lost ones, and those for which a limited rate had no room; ``delayed`` those slowed by a shape.
    """

    sent: int = 0
    dropped: int = 0
    delayed: int = 0
    duplicated: int = 0
    reordered: int = 0
    corrupted: int = 0


def off_mean_s(shape: PacketShape, throw: float) -> float:
    """By how much a message is later than the mean, in seconds, for an even throw from 0 to 1."""
    off = DISTRIBUTIONS[shape.distribution](throw)
    return shape.jitter_s * max(-TAIL_MAX, min(TAIL_MAX, off))


def slowest_s(shape: PacketShape, size: int) -> float:
    """The longest that a message of ``size`` bytes is held back by this shape."""
    tail = 1.0 if shape.distribution == "uniform" else TAIL_MAX
    waits_s = RATE_WAIT_S + size / shape.bytes_per_s if shape.bytes_per_s else 0.0
    return shape.delay_s + shape.jitter_s * tail + waits_s + 2 * HOLD_MAX_S


class Line:
    """One directed link."""

    __slots__ = ("_dice", "_free_s", "_last_s", "_min_s", "_shape_dice", "_span_s", "cuts", "shape", "spoiler", "tally")

    def __init__(self, seed: int, link: Link, base: Latency) -> None:
        name = f"link/{link[0]}/{link[1]}"
        self._dice = rng.stream(seed, name).random
        self._shape_dice = rng.stream(seed, f"{name}/shape").random
        self._min_s, self._span_s = base.min_s, base.max_s - base.min_s
        self.spoiler = rng.stream(seed, f"{name}/corrupt")
        self._last_s = 0.0  # when the last message in turn arrives
        self._free_s = 0.0  # when the last message has left, at a limited rate
        self.cuts = 0
        self.shape: PacketShape | None = None
        self.tally = Tally()

    def fates(self, now_s: float, size: int = 0) -> tuple[float, ...]:
        """The delays in seconds after which copies of a message of ``size`` bytes sent now arrive: none if it is dropped."""
        self.tally.sent += 1
        at_s = now_s + self._min_s
        if self._span_s:
            throw = self._dice()
            at_s += self._span_s * throw * throw
        if self.cuts:
            self.tally.dropped += 1
            return NEVER
        if self.shape is not None:
            return self._shaped(self.shape, now_s, at_s, size)
        if at_s <= self._last_s:
            at_s = self._last_s + APART_S
        self._last_s = at_s
        return (at_s - now_s,)

    def backlog_s(self, now_s: float) -> float:
        """How long what is sent now waits for a limited rate; 0 where there is none."""
        return self._free_s - now_s if self.shape is not None and self.shape.bytes_per_s else 0.0

    def spoils(self) -> bool:
        """Whether the message sent now is damaged on the way. Thrown before its fates, whatever they will be."""
        return self.shape is not None and self.shape.corrupt > 0 and self.spoiler.random() < self.shape.corrupt

    def _shaped(self, shape: PacketShape, now_s: float, at_s: float, size: int) -> tuple[float, ...]:
        # All dice are thrown for every message, so that one probability does not change what another one decides.
        lost, twice, aside, jitter, hold, echo = (self._shape_dice() for _ in range(6))
        if lost < shape.loss:
            self.tally.dropped += 1
            return NEVER
        slower_s = max(0.0, shape.delay_s + off_mean_s(shape, jitter)) if shape.jitter_s else shape.delay_s
        if shape.bytes_per_s:
            begins_s = max(now_s, self._free_s)
            if begins_s - now_s > RATE_WAIT_S:
                self.tally.dropped += 1
                return NEVER
            self._free_s = begins_s + size / shape.bytes_per_s
            slower_s += self._free_s - now_s
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

    def fates(self, src: str, dest: str, now_s: float, size: int = 0) -> tuple[float, ...]:
        """The delays in seconds after which copies of a message sent now arrive: none if it is dropped, two if it is duplicated.

        A damaged message never arrives: the transport that carries messages finds it out by its sum. A copy of it is not damaged.
        """
        line = self._lines.get((src, dest))
        if line is None:
            return AT_ONCE if src == dest else self._edge_fates
        if line.shape is None:
            return line.fates(now_s, size)
        spoilt, fates = line.spoils(), line.fates(now_s, size)
        if not spoilt or not fates:
            return fates
        line.tally.corrupted += 1
        return fates[1:]

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
            self.line(link).cuts += 1

    def mend(self, links: Iterable[Link]) -> None:
        """Take one cut of each of these links back; a link that is not cut stays as it is."""
        for link in links:
            line = self.line(link)
            line.cuts = max(0, line.cuts - 1)

    def shape(self, links: Iterable[Link], shape: PacketShape) -> None:
        """These links treat messages like this from now on, whatever their shape was."""
        for link in links:
            self.line(link).shape = shape

    def unshape(self, links: Iterable[Link]) -> None:
        """These links are themselves again. Idempotent."""
        for link in links:
            self.line(link).shape = None

    def tally(self, link: Link) -> Tally:
        """The counters of a link, from the start of the run on."""
        return self.line(link).tally

    def counters(self) -> dict[Link, dict[str, int]]:
        """The counters of every link that has carried something: see ``protocols.CanCount``."""
        return {link: asdict(line.tally) for link, line in self._lines.items() if line.tally.sent}

    def line(self, link: Link) -> Line:
        """The state of one link."""
        line = self._lines.get(link)
        if line is None:
            line = self._lines[link] = Line(self._seed, link, self._edge)
        return line
