"""When the random nemesis acts: windows of time, drawn so that every fault can be proved and overlaps do no harm.

Faults of different kinds overlap freely, with these exceptions:

* faults of one kind follow one another, with a gap;
* so do faults that take nodes away, among each other: what is dead cannot be paused, and what has too
  little memory, or a disk that refuses, may die;
* what is proved by asking nodes does not begin or end while nodes are away (a packet fault is measured on its links, a clock
  is read, a mended link must let a probe through): such an edge is moved out of the way.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import PlanError
from nemesis.fault import LENGTH_MIN_S
from nemesis.swarm import SPREAD

# Before the first fault a run has this long to elect its leaders, and at its end it is quiet; in short runs, this share of it.
LEAD_S, LEAD_SHARE = 2.0, 0.1
TAIL_S, TAIL_SHARE = 1.0, 0.05
# Between two faults of one lane, so that what was healed does something before it is hit again.
GAP_S, GAP_SHARE = 1.0, 0.05
# Faults of one lane fill at most this share of the run, as in Jepsen, where a nemesis is on and off for equal times.
BUSY_SHARE = 0.5
# An edge that must not fall into a window keeps this distance to it.
CLEAR_S = 0.1
_ROUNDING_S = 0.001  # times are rounded to milliseconds, so that a schedule can be read

# Powers whose faults must not overlap share a lane; every other power has a lane of its own.
PROCESS = "process"
_LANES: Mapping[str, str] = dict.fromkeys(("kill", "terminate", "pause", "memory", "disk", "power"), PROCESS)
# Power → do its faults (begin, end) only while all nodes live.
_CLEAR_EDGES: Mapping[str, tuple[bool, bool]] = {
    "cut": (False, True),
    "shape": (True, True),
    "skew": (True, True),
    "throttle": (True, True),
}
# The longest fault, in intervals: nodes that are away stop all work, so they are back sooner.
_LONGEST: Mapping[str, float] = {PROCESS: 1.0}
_LONGEST_OTHERS = 2.0
# Where no node is left to answer, a longer fault only adds operations of which nobody knows whether they happened. In seconds.
_BRIEF_S: Mapping[str, float] = {"power": 1.25}


Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Window:
    """When a fault of ``kind`` holds, in seconds from the start of the run."""

    start_s: float
    end_s: float
    kind: str

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


def draw_windows(
    power_of: Mapping[str, str], time_limit_s: float, interval_s: float, rng: random.Random
) -> list[Window]:
    """Windows for the kinds in ``power_of`` (kind → power), sorted by start: one per ``interval_s`` on average, over all kinds.

    Each kind occurs at least once if there is room. Raises PlanError if there is room for none.
    """
    low_s = min(LEAD_S, LEAD_SHARE * time_limit_s)
    high_s = time_limit_s - min(TAIL_S, TAIL_SHARE * time_limit_s)
    if high_s - low_s < LENGTH_MIN_S + 2 * CLEAR_S:
        raise PlanError(
            f"a run of {time_limit_s:g} s has no room for faults of at least {LENGTH_MIN_S:g} s: "
            "make --time-limit 2 or longer, or take --nemesis none"
        )
    lanes: dict[str, list[str]] = {}
    for kind in _draw_kinds(power_of, high_s - low_s, interval_s, rng):
        lanes.setdefault(_lane(power_of[kind]), []).append(kind)
    away = _lay_out(lanes.pop(PROCESS, []), low_s + CLEAR_S, high_s - CLEAR_S, _LONGEST[PROCESS] * interval_s, rng)
    away = [_window(w.kind, w.start_s, min(w.end_s, w.start_s + _brief_s(power_of[w.kind]))) for w in away]
    windows = list(away)
    for kinds in lanes.values():
        drawn = _lay_out(kinds, low_s, high_s, _LONGEST_OTHERS * interval_s, rng)
        windows += _cleared(drawn, _spans(away), power_of, low_s, high_s)
    return sorted(windows)


def _brief_s(power: str) -> float:
    return _BRIEF_S.get(power, float("inf"))


def _lane(power: str) -> str:
    return _LANES.get(power, power)


def _draw_kinds(power_of: Mapping[str, str], room_s: float, interval_s: float, rng: random.Random) -> list[str]:
    """Which kinds occur, and how often: first each once, then more by weights that differ from run to run."""
    kinds = list(power_of)
    most = len(kinds) * int(room_s / LENGTH_MIN_S)
    more = min(room_s / interval_s, most) - len(kinds)
    weights = [SPREAD ** rng.uniform(-1, 1) for _ in kinds]
    return kinds + rng.choices(kinds, weights, k=max(0, round(more)))


def _lay_out(kinds: Sequence[str], low_s: float, high_s: float, longest_s: float, rng: random.Random) -> list[Window]:
    """Windows one after another in random order, with random lengths, for as many of ``kinds`` (from the front) as there is room for."""
    if not kinds:
        return []
    room_s = high_s - low_s
    gap_s = min(GAP_S, GAP_SHARE * room_s)
    most = int((room_s + gap_s) / (LENGTH_MIN_S + gap_s))
    wanted = max(len(set(kinds)), int(BUSY_SHARE * room_s / LENGTH_MIN_S))
    order = list(kinds[: min(most, wanted)])
    rng.shuffle(order)
    lengths = [rng.uniform(LENGTH_MIN_S, max(LENGTH_MIN_S, longest_s)) for _ in order]
    free_s = min(BUSY_SHARE * room_s, room_s - gap_s * (len(order) - 1)) - LENGTH_MIN_S * len(order)
    extra_s = sum(lengths) - LENGTH_MIN_S * len(order)
    shrink = min(1.0, max(0.0, free_s) / extra_s) if extra_s else 0.0
    lengths = [LENGTH_MIN_S + (length - LENGTH_MIN_S) * shrink for length in lengths]
    slack_s = room_s - sum(lengths) - gap_s * (len(order) - 1)
    windows, used_s = [], 0.0
    for kind, length, wait in zip(order, lengths, sorted(rng.uniform(0, slack_s) for _ in order), strict=True):
        start_s = low_s + used_s + wait
        windows.append(_window(kind, start_s, start_s + length))
        used_s += length + gap_s
    return windows


def _cleared(
    windows: Sequence[Window], away: Sequence[Span], power_of: Mapping[str, str], low_s: float, high_s: float
) -> list[Window]:
    """``windows`` of one lane with their edges moved out of the spans in which nodes are ``away``; what gets too short is left out.

    At least the last remains if none before it does: no span reaches over ``low_s`` or ``high_s``, so both its edges can move outwards.
    """
    kept: list[Window] = []
    for place, window in enumerate(windows):
        before_s = kept[-1].end_s + CLEAR_S if kept else low_s
        after_s = windows[place + 1].start_s - CLEAR_S if place + 1 < len(windows) else high_s
        begins, ends = _CLEAR_EDGES.get(power_of[window.kind], (False, False))
        start_s, end_s = window.start_s, window.end_s
        if begins and (span := _around(start_s, away)):
            start_s = span[0] if span[0] >= before_s else span[1]
        if ends and (span := _around(end_s, away)):
            end_s = span[1] if span[1] <= after_s else span[0]
        if end_s - start_s >= LENGTH_MIN_S - _ROUNDING_S:
            kept.append(_window(window.kind, start_s, end_s))
    return kept


def _spans(windows: Iterable[Window]) -> list[Span]:
    """Where an edge must not lie: around each window (they are sorted), one span where two come too near to each other."""
    spans: list[Span] = []
    for window in windows:
        start_s, end_s = window.start_s - CLEAR_S, window.end_s + CLEAR_S
        if spans and start_s <= spans[-1][1]:
            start_s, _ = spans.pop()
        spans.append((start_s, end_s))
    return spans


def _around(at_s: float, spans: Sequence[Span]) -> Span | None:
    """The span in which ``at_s`` lies."""
    place = bisect_right(spans, (at_s, at_s)) - 1
    return spans[place] if place >= 0 and spans[place][0] < at_s < spans[place][1] else None


def _window(kind: str, start_s: float, end_s: float) -> Window:
    return Window(kind=kind, start_s=round(start_s, 3), end_s=round(end_s, 3))
