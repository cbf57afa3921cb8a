"""The exchange of messages as a picture: a lifeline for each client and node, time runs downwards, each event has a row of its own.

Rows are in the order of time, not to its scale: microseconds on a client's line and seconds of waiting are both to be read. Shapes with
coordinates in px, without a word of SVG (the template writes that).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reports.exchange import Exchange, Sent
from reports.faults import Fault
from reports.witness import WitnessOp

_LEFT, _TOP, _RIGHT = 78.0, 44.0, 190.0
_COLUMN = 100.0
_CHAR, _BESIDE = 7.0, 34.0  # a client's column has room for what it asks, and for the lifeline beside it
_ASKED_CHARS_MAX, _NAME_CHARS_MAX = 24, 16
_ROW, _BREAK = 17.0, 34.0
_STRIP = 10.0  # an operation on its client's lifeline
_LOST = 0.62  # how far on its way a lost message is drawn
_TICK = 15.0
_BAND, _BAND_CHARS_MAX = 15.0, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A lifeline and the name above it."""

    name: str
    x: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """A message from (x1, y1) to (x2, y2); ``head`` are the points of its tip. A lost one ends on its way, in a cross."""

    x1: float
    y1: float
    x2: float
    y2: float
    head: str
    text: str
    text_x: float
    anchor: str
    lost: bool
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """An operation: a bar on its client's lifeline, what was asked at its top and what came of it at its bottom."""

    x: float
    y: float
    height: float
    outcome: str
    asked: str
    answered: str
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line of text at a height: a time on the left, or a break in it."""

    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A fault beside the lifelines, from ``y`` down."""

    x: float
    y: float
    height: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceTime:
    """All shapes, in the order in which they are painted."""

    width: float
    height: float
    top: float
    bottom: float
    places: tuple[Place, ...]
    breaks: tuple[Mark, ...]
    ticks: tuple[Mark, ...]
    faults: tuple[Held, ...]
    strips: tuple[Strip, ...]
    arrows: tuple[Arrow, ...]


def draw_exchange(
    shown: Exchange, faults: Iterable[Fault], since: Callable[[int, int], str], how_long: Callable[[float], str]
) -> SpaceTime:
    """The diagram. ``since(began_ns, time_ns)`` writes when an event happened, ``how_long`` how long nothing is shown."""
    rows, breaks = _rows(shown, how_long)
    xs, right = _columns(shown)
    bottom = max(rows.values()) + _ROW
    held = [f for f in faults if f.start_ns <= _last(shown) and (f.end_ns is None or f.end_ns >= _first(shown))]
    return SpaceTime(
        width=right + (_RIGHT if held else 24.0),
        height=bottom + 14,
        top=_TOP,
        bottom=bottom,
        places=tuple(Place(name=_cut(name, _NAME_CHARS_MAX), x=x) for name, x in xs.items()),
        breaks=tuple(breaks),
        ticks=tuple(_ticks(rows, _first(shown), since)),
        faults=tuple(_held(f, n, rows, right) for n, f in enumerate(held)),
        strips=tuple(_strip(op, end_ns, xs, rows, bottom) for op, end_ns in zip(shown.ops, shown.ends_ns, strict=True)),
        arrows=tuple(_arrow(one, xs, rows, since, _first(shown)) for one in shown.messages),
    )


def _columns(shown: Exchange) -> tuple[dict[str, float], float]:
    """The x of each lifeline, and where the last column ends. A client's is at the right of its column."""
    chars: dict[str, int] = {}
    for op in shown.ops:
        chars[op.client] = max(chars.get(op.client, 0), len(_cut(op.label, _ASKED_CHARS_MAX)))
    xs, right = {}, _LEFT
    for name in shown.places:
        width = _CHAR * chars[name] + _BESIDE if name in chars else _COLUMN
        xs[name] = right + (width - 20.0 if name in chars else width / 2)
        right += width
    return xs, right


def _cut(text: str, chars_max: int) -> str:
    return text if len(text) <= chars_max else text[: chars_max - 1] + "…"


def _first(shown: Exchange) -> int:
    return min(op.start_ns for op in shown.ops)


def _last(shown: Exchange) -> int:
    return max(_ends(shown))


def _ends(shown: Exchange) -> list[int]:
    arrived = [one.arrived_ns for one in shown.messages if one.arrived_ns is not None]
    return [*shown.ends_ns, *(one.sent_ns for one in shown.messages), *arrived]


def _rows(shown: Exchange, how_long: Callable[[float], str]) -> tuple[dict[int, float], list[Mark]]:
    """The y of each moment at which something happens, and the breaks: where no operation runs and no message travels."""
    moments = sorted({op.start_ns for op in shown.ops} | {one.sent_ns for one in shown.messages} | set(_ends(shown)))
    spans = [(op.start_ns, end_ns) for op, end_ns in zip(shown.ops, shown.ends_ns, strict=True)]
    spans += [(one.sent_ns, one.arrived_ns) for one in shown.messages if one.arrived_ns is not None]
    rows: dict[int, float] = {}
    breaks: list[Mark] = []
    y = _TOP + _ROW
    before: int | None = None
    for moment in moments:
        if before is not None and not any(start <= before and moment <= end for start, end in spans):
            breaks.append(Mark(y=y + _BREAK / 2 - 4, text=f"{how_long(moment - before)} later"))
            y += _BREAK
        rows[moment] = y
        y += _ROW
        before = moment
    return rows, breaks


def _ticks(rows: dict[int, float], began_ns: int, since: Callable[[int, int], str]) -> Iterator[Mark]:
    free_from = 0.0
    for moment, y in rows.items():
        if y >= free_from:
            yield Mark(y=y + 4, text=since(began_ns, moment))
            free_from = y + _TICK


def _held(fault: Fault, number: int, rows: dict[int, float], right: float) -> Held:
    low = min((y for at, y in rows.items() if at >= fault.start_ns), default=_TOP)
    high = max((y for at, y in rows.items() if fault.end_ns is None or at <= fault.end_ns), default=low)
    text = _cut(" ".join([fault.kind, ", ".join(fault.targets)]).strip(), _BAND_CHARS_MAX)
    return Held(x=right + 8 + number * _BAND, y=low - 8, height=max(high - low + 16, 16.0), text=text)


def _strip(op: WitnessOp, end_ns: int, xs: dict[str, float], rows: dict[int, float], bottom: float) -> Strip:
    y = rows[op.start_ns]
    end = bottom if op.end_ns is None else rows[end_ns]
    return Strip(
        x=xs[op.client] - _STRIP / 2,
        y=y,
        height=max(end - y, 6.0),
        outcome=str(op.outcome),
        asked=_cut(op.label, _ASKED_CHARS_MAX),
        answered="" if op.end_ns is None else str(op.outcome),
        open=op.end_ns is None,
    )


def _arrow(
    one: Sent, xs: dict[str, float], rows: dict[int, float], since: Callable[[int, int], str], began_ns: int
) -> Arrow:
    x1, y1, goal = xs[one.src], rows[one.sent_ns], xs[one.dest]
    lost = one.arrived_ns is None
    way = 1.0 if goal >= x1 else -1.0
    x2 = x1 + (goal - x1) * _LOST if lost else goal
    y2 = y1 + _ROW * 0.7 if one.arrived_ns is None else max(rows[one.arrived_ns], y1)
    when = "never" if one.arrived_ns is None else since(began_ns, one.arrived_ns)
    return Arrow(
        x1=x1,
        y1=y1,
        x2=x2,
        y2=y2,
        head=f"{x2:.1f},{y2:.1f} {x2 - way * 8:.1f},{y2 - 4:.1f} {x2 - way * 8:.1f},{y2 + 4:.1f}",
        text=one.kind,
        text_x=x1 + way * 9,
        anchor="start" if way > 0 else "end",
        lost=lost,
        title=f"{one.src} to {one.dest}: {one.text or one.kind}, sent {since(began_ns, one.sent_ns)}, arrived {when}",
    )
