"""The witness as a picture: shapes with coordinates in px, without a word of SVG (the template writes that).

One lane per client. Events are spaced in their order, as far apart as the texts in the bars need: the picture
is about order, the table below it about time. Faults that held meanwhile lie behind the bars.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor

from harness.op import OpType
from reports.faults import Fault
from reports.witness import Witness, WitnessOp, during, place

WIDTH_MIN = 720.0
_GUTTER, _RIGHT, _TOP = 64.0, 44.0, 10.0
_LANE, _BAR = 38.0, 26.0
_FAULT_LINE = 18.0
_TICKS = 24.0
_CHAR = 7.3  # an average character of a 12 px monospace font
_TICK_CHAR = 6.2  # of an 11 px sans-serif font
_GAP = 18.0  # between two events
_PAD = 10.0
_CHARS_MAX = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """An operation. ``tail_x`` is where its unknown outcome may reach to (None: it ended at ``x + width``)."""

    x: float
    y: float
    width: float
    height: float
    outcome: str
    text: str
    text_x: float
    text_y: float
    tail_x: float | None
    shows: bool
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A client's row; ``line_y`` is its lower edge."""

    name: str
    y: float
    line_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """How long after the first event an event happened, written below it where there is room."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A fault behind the bars, with its name above them."""

    x: float
    width: float
    text: str
    text_y: float
    from_before: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """All shapes, in the order in which they are painted: bands, grid (x of each event), ticks, lanes, bars."""

    width: float
    height: float
    plot_y: float
    plot_height: float
    grid: tuple[float, ...]
    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]
    bands: tuple[Band, ...]
    bars: tuple[Bar, ...]


def draw(witness: Witness, faults: Iterable[Fault], since: Callable[[int, int], str]) -> Drawing:
    """The drawing of a witness with at least one operation.

    ``since(began_ns, time_ns)`` writes when an event happened, seen from the first one.
    """
    xs = _event_places(witness)
    held = during(faults, witness.events)
    top = _TOP + len(held) * _FAULT_LINE
    clients = list(dict.fromkeys(op.client for op in witness.ops))
    at = {row: number for number, row in enumerate(witness.events)}
    # An operation that never completed has a text all the same: the drawing ends behind it.
    right = max([xs[-1], *(xs[at[op.first]] + _text_width(op) for op in witness.ops if op.last is None)]) + _RIGHT
    return Drawing(
        width=right,
        height=top + len(clients) * _LANE + _TICKS,
        plot_y=top,
        plot_height=len(clients) * _LANE,
        grid=tuple(xs),
        ticks=tuple(_ticks(witness, xs, top + len(clients) * _LANE + 15, since)),
        lanes=tuple(
            Lane(name=name, y=top + (n + 0.5) * _LANE + 4, line_y=top + (n + 1) * _LANE)
            for n, name in enumerate(clients)
        ),
        bands=tuple(_band(fault, n, witness.events, xs) for n, fault in enumerate(held)),
        bars=tuple(_bar(op, top + clients.index(op.client) * _LANE, witness.events, xs, right) for op in witness.ops),
    )


def text_of(op: WitnessOp) -> str:
    """What stands in an operation's bar."""
    return op.label if len(op.label) <= _CHARS_MAX else op.label[: _CHARS_MAX - 1] + "…"


def _event_places(witness: Witness) -> list[float]:
    """The x of every event: in order, and such that every text fits into its bar and no two bars of a lane touch."""
    events = witness.events
    at = {row: number for number, row in enumerate(events)}
    xs = [0.0] * len(events)
    needs: dict[int, list[tuple[int, float]]] = {}  # event → (earlier event, least distance to it)
    for op in witness.ops:
        if op.last is not None:
            needs.setdefault(at[op.last], []).append((at[op.first], _text_width(op)))
    x = _GUTTER + _PAD
    for number in range(len(events)):
        x = max([x, *(xs[earlier] + least for earlier, least in needs.get(number, ()))])
        xs[number] = x
        x += _GAP
    stretch = max(1.0, (WIDTH_MIN - _GUTTER - _RIGHT) / max(xs[-1] - _GUTTER, 1.0))
    return [_GUTTER + (value - _GUTTER) * stretch for value in xs]


def _ticks(witness: Witness, xs: Sequence[float], y: float, since: Callable[[int, int], str]) -> Iterator[Tick]:
    times = {
        row: ns for op in witness.ops for row, ns in ((op.first, op.start_ns), (op.last, op.end_ns)) if ns is not None
    }
    began, free_from = times[witness.events[0]], 0.0
    for row, x in zip(witness.events, xs, strict=True):
        text = since(began, times[row])
        half = len(text) * _TICK_CHAR / 2
        if x - half >= free_from:
            yield Tick(x=x, y=y, text=text)
            free_from = x + half + _TICK_CHAR


def _text_width(op: WitnessOp) -> float:
    return len(text_of(op)) * _CHAR + 2 * _PAD


def _x(place_: float, xs: Sequence[float]) -> float:
    """The x of a place among the events; halves lie in the middle between two."""
    if place_ < 0:
        return xs[0] - _PAD
    if place_ > len(xs) - 1:
        return xs[-1] + _PAD
    return (xs[floor(place_)] + xs[ceil(place_)]) / 2


def _bar(op: WitnessOp, lane_y: float, events: Sequence[int], xs: Sequence[float], right: float) -> Bar:
    x = _x(place(events, op.first), xs)
    end = right - _PAD if op.last is None else _x(place(events, op.last), xs)
    y = lane_y + (_LANE - _BAR) / 2
    return Bar(
        x=x,
        y=y,
        width=max(end - x, 4.0),
        height=_BAR,
        outcome=str(op.outcome),
        text=text_of(op),
        text_x=x + _PAD,
        text_y=y + _BAR / 2 + 4,
        tail_x=right if op.outcome is OpType.INFO else None,
        shows=op.shows,
        title=f"{op.client}: {op.label}, {op.outcome}",
    )


def _band(fault: Fault, number: int, events: Sequence[int], xs: Sequence[float]) -> Band:
    first = xs[0] - _PAD if fault.first < events[0] else _x(place(events, fault.first), xs)
    last = xs[-1] + _PAD if fault.last is None or fault.last > events[-1] else _x(place(events, fault.last), xs)
    names = ", ".join(fault.targets)
    return Band(
        x=first,
        width=max(last - first, 2.0),
        text=f"{fault.kind} {names}".strip(),
        text_y=_TOP + number * _FAULT_LINE + 10,
        from_before=fault.first < events[0],
    )
