"""What is shown while a run goes on: one renderable of one moment. Someone else watches the run and drives the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from reports.wording import duration, printable

FAULTS_SHOWN_MAX = 5
_BAR_WIDTH = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One moment of a run.

    ``ok``, ``fail`` and ``info`` count completed client operations so far, ``in_flight`` those still open.
    ``rate`` is completed operations per second, ``p50_ns`` and ``p99_ns`` are latencies, all over the last
    seconds (None while nothing has completed). ``faults`` are the faults that hold now, each in a few words.
    """

    elapsed_s: float
    time_limit_s: float
    phase: str
    ok: int
    fail: int
    info: int
    in_flight: int
    rate: float
    p50_ns: float | None = None
    p99_ns: float | None = None
    faults: Sequence[str] = field(default_factory=tuple)


def render(progress: Progress) -> RenderableType:
    """The live view: time and phase, operations, speed, faults. Longer lines are cut."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(no_wrap=True, overflow="ellipsis")
    grid.add_row("ops", _operations(progress))
    grid.add_row("speed", _speed(progress))
    for number, fault in enumerate(progress.faults[:FAULTS_SHOWN_MAX]):
        grid.add_row("" if number else "faults", Text(printable(fault), style="red"))
    if not progress.faults:
        grid.add_row("faults", Text("none now", style="dim"))
    elif len(progress.faults) > FAULTS_SHOWN_MAX:
        grid.add_row("", Text(f"and {len(progress.faults) - FAULTS_SHOWN_MAX} more", style="dim"))
    return Group(_time(progress), grid)


def _time(progress: Progress) -> RenderableType:
    line = Table.grid(padding=(0, 1))
    for _ in range(3):
        line.add_column(no_wrap=True)
    limit_s = max(progress.time_limit_s, 0.0)
    bar = ProgressBar(
        total=limit_s or 1.0, completed=min(max(progress.elapsed_s, 0.0), limit_s or 1.0), width=_BAR_WIDTH
    )
    left_s = max(limit_s - progress.elapsed_s, 0.0)
    clock = f"{progress.elapsed_s:.0f} of {limit_s:.0f} s" + (f", {left_s:.0f} s left" if left_s else "")
    line.add_row(Text(printable(progress.phase, 30), style="bold"), bar, Text(clock))
    return line


def _operations(progress: Progress) -> Text:
    parts = (
        (f"{progress.ok:,} ok", "green" if progress.ok else "dim"),
        (f"{progress.fail:,} fail", "" if progress.fail else "dim"),
        (f"{progress.info:,} info", "yellow" if progress.info else "dim"),
        (f"{progress.in_flight:,} in flight", "dim"),
    )
    return Text(" · ").join(Text(words, style=style) for words, style in parts)


def _speed(progress: Progress) -> Text:
    latencies = [
        (name, value) for name, value in (("p50", progress.p50_ns), ("p99", progress.p99_ns)) if value is not None
    ]
    words = [f"{progress.rate:,.1f}/s", *(f"{name} {duration(value)}" for name, value in latencies)]
    return Text(" · ".join(words))
