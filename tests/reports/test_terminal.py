"""The summary and the live view as texts that somebody read, and what no value can do to a terminal."""

from __future__ import annotations

import io
import unicodedata

import pytest
from rich.console import Console

from reports import live, terminal
from reports.report import Report
from tests.reports.golden import DIRECTORY, MAKERS, make, plain_console, printed, summary, text_of
from tests.reports.hostile import ALL, MARKUP, RICH, hostile_run
from tests.reports.runs import small_run, synthetic_run


@pytest.mark.parametrize("name", MAKERS)
def test_golden(name: str) -> None:
    assert make(name) == text_of(name)


def test_every_golden_has_its_maker() -> None:
    assert {path.stem for path in DIRECTORY.iterdir()} == set(MAKERS)


def test_nothing_but_paths_and_commands_is_wider_than_the_terminal() -> None:
    lines = summary(synthetic_run(500)).splitlines()
    wide = [line for line in lines if len(line) > 80]
    assert [line.split()[0] for line in wide] == ["repeat"]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_any_width_will_do(width: int) -> None:
    console = plain_console(width)
    terminal.print_summary(console, small_run("invalid"))
    assert "nonlinearizable" in printed(console)


def seen(text: str) -> set[str]:
    return {char for char in text if unicodedata.category(char)[0] == "C" and char != "\n"}


def test_hostile_values_reach_the_terminal_as_plain_text() -> None:
    text = summary(hostile_run(ALL))
    assert seen(text) == set()
    assert len(text) < 100_000


def test_markup_of_rich_is_text() -> None:
    text = summary(hostile_run(RICH)).replace("\n", " ")
    assert "[bold red]not markup[/bold red]" in text
    assert ":smile:" in text


def test_colour_comes_from_us_alone() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="standard", legacy_windows=False)
    terminal.print_summary(console, hostile_run(ALL))
    assert isinstance(console.file, io.StringIO)
    codes = console.file.getvalue().split("\x1b[")[1:]
    assert {code.split("m")[0].strip("0123456789;") for code in codes} == {""}
    assert "\x1b]" not in console.file.getvalue()


def test_render_is_the_summary_without_a_report_path() -> None:
    assert terminal.render(small_run("unknown")) == summary(small_run("unknown"))


def test_a_document_with_nothing_in_it() -> None:
    assert terminal.render(Report(results={}, history=small_run("valid").history)).startswith("UNKNOWN  a history\n")


def test_the_head_says_what_is_run() -> None:
    plan = {
        "target": "kv/raft",
        "cluster": "sim",
        "seed": 7,
        "bug": None,
        "nodes": ["n1", "n2"],
        "workload": "register",
        "nemesis": ["kill"],
    }
    console = plain_console()
    console.print(terminal.head("0.1.0", plan, "store/kv/raft/1"))
    assert (
        printed(console)
        == "splitbrain 0.1.0  kv/raft on sim, seed 7\n2 nodes, workload register, kill\nstore/kv/raft/1\n"
    )


def test_the_live_view_neutralises_what_it_is_told() -> None:
    console = plain_console(72)
    console.print(
        live.render(
            live.Progress(
                elapsed_s=-1,
                time_limit_s=0,
                phase=ALL,
                ok=0,
                fail=0,
                info=0,
                in_flight=0,
                rate=0,
                faults=[MARKUP, RICH, ALL],
            )
        )
    )
    text = printed(console)
    assert seen(text) == set()
    assert "[bold red]" in text
    assert all(len(line) <= 72 for line in text.splitlines())
