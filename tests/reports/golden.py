"""Texts that are right because somebody read them. After a wanted change run ``python -m tests.reports.golden`` and read the diff.

Each golden has a maker here; a test compares ``make(name)`` with the file of that name.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from reports import live, terminal
from reports.report import Report
from tests.reports.runs import small_run, synthetic_run, untimed_run

DIRECTORY = Path(__file__).parent / "golden"


def text_of(name: str) -> str:
    return (DIRECTORY / f"{name}.golden").read_text(encoding="utf-8")


def make(name: str) -> str:
    return MAKERS[name]()


def plain_console(width: int = 80) -> Console:
    """A console as a pipe has it: no terminal, no colour."""
    return Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False, legacy_windows=False)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def summary(report: Report, path: str | None = None) -> str:
    console = plain_console()
    terminal.print_summary(console, report, path)
    return printed(console)


def ascii_summary(report: Report) -> str:
    """As on a terminal whose encoding is ASCII."""
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding="ascii", newline="\n"), width=80, force_terminal=False)
    terminal.print_summary(console, report)
    console.file.flush()
    return "\n".join(line.rstrip() for line in raw.getvalue().decode("ascii").splitlines()) + "\n"


def moments() -> str:
    """The live view at three moments of a run."""
    console = plain_console(72)
    for progress in (
        live.Progress(elapsed_s=0, time_limit_s=60, phase="starting", ok=0, fail=0, info=0, in_flight=0, rate=0.0),
        live.Progress(
            elapsed_s=23.4,
            time_limit_s=60,
            phase="faults",
            ok=2_311,
            fail=40,
            info=7,
            in_flight=10,
            rate=98.26,
            p50_ns=3_120_000,
            p99_ns=48_700_000,
            faults=["partition n1, n2 | n3, n4, n5", "kill n4"],
        ),
        live.Progress(
            elapsed_s=71.0,
            time_limit_s=60,
            phase="final reads",
            ok=6_002,
            fail=121,
            info=31,
            in_flight=2,
            rate=1_204.0,
            p50_ns=950.0,
            p99_ns=1_200_000_000,
            faults=[f"kill n{n}" for n in range(1, 9)],
        ),
    ):
        console.print(live.render(progress))
        console.print()
    return printed(console)


MAKERS: dict[str, Callable[[], str]] = {
    "invalid": lambda: summary(small_run("invalid"), "store/kv/raft/20260801T101500.123456Z/report.html"),
    "valid": lambda: summary(synthetic_run(500, stale=False)),
    "unknown": lambda: summary(small_run("unknown")),
    "untimed": lambda: summary(untimed_run()),
    "ascii": lambda: ascii_summary(small_run("invalid")),
    "live": moments,
}

if __name__ == "__main__":
    for name in MAKERS:
        (DIRECTORY / f"{name}.golden").write_text(make(name), encoding="utf-8")
