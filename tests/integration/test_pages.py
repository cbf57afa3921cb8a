"""Every kind of page in a real browser: it opens without a complaint, does what it is for, and hostile text in it does nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.cli.index import index_page
from reports.comparison import render as comparison_page
from reports.html.page import render as run_page
from reports.verification.page import render as verification_page
from tests.browser import CHROMIUM, Browser, browser
from tests.checkers.transactions.texts import drawn
from tests.reports.hostile import ALL, hostile_run
from tests.reports.runs import synthetic_run
from tests.reports.test_circle import SKEW
from tests.reports.test_circle import judged as circle_run
from tests.reports.test_comparison import compared
from tests.reports.test_exchange import exchanged
from tests.reports.verification.test_verification_reports import hostile, mixed

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian's package chromium)"),
]

NARROW, WIDE = 400, 1280


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as one:
        yield one


def index(text: str, path: Path) -> str:
    run = path / "kv" / "20260102T030405.000001Z"
    run.mkdir(parents=True)
    (run / "plan.json").write_text(json.dumps({"target": text, "cluster": text, "seed": 7}))
    (run / "results.json").write_text(json.dumps({"verdict": "invalid", "reason": text}))
    return index_page(path)


HARMLESS: dict[str, Callable[[Path], str]] = {
    "run": lambda _: run_page(synthetic_run(2_000)),
    "circle": lambda _: run_page(circle_run(drawn(SKEW))),
    "exchange": lambda _: run_page(exchanged()),
    "verification": lambda _: verification_page(mixed(findings={"new": ["x"]})),
    "index": lambda path: index("kv/raft", path),
    "comparison": lambda _: comparison_page(compared("nonlinearizable")),
}
HOSTILE: dict[str, Callable[[Path], str]] = {
    "run": lambda _: run_page(hostile_run(ALL)),
    "verification": lambda _: verification_page(hostile(ALL)),
    "index": lambda path: index(ALL, path),
    "comparison": lambda _: comparison_page(compared(ALL)),
}


def written(path: Path, make: Callable[[Path], str]) -> Path:
    page = path / "page.html"
    page.write_text(make(path / "store"), encoding="utf-8")
    return page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("name", HARMLESS)
def test_a_page_opens_without_a_complaint_and_fits_its_window(
    chromium: Browser, name: str, width: int, dark: bool, tmp_path: Path
) -> None:
    chromium.open(written(tmp_path, HARMLESS[name]), width=width, dark=dark)
    assert chromium.complaints() == []
    assert chromium.run("return document.documentElement.scrollWidth <= innerWidth")
    unnamed = """
        const named = (e) => e.labels?.length || e.textContent.trim() || e.ariaLabel;
        return [...document.querySelectorAll("button, input, select")].filter((e) => !named(e)).length;
    """
    assert chromium.run(unnamed) == 0


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_does_nothing(chromium: Browser, name: str, tmp_path: Path) -> None:
    harmless, bad = tmp_path / "harmless", tmp_path / "bad"
    harmless.mkdir()
    bad.mkdir()
    scripts = "return [document.scripts.length, document.images.length, document.querySelectorAll('[onerror], [onmouseover]').length]"
    chromium.open(written(harmless, HARMLESS[name]))
    expected = chromium.run(scripts)
    chromium.open(written(bad, HOSTILE[name]))
    assert chromium.complaints() == []
    assert chromium.run(scripts) == expected
    assert not [event for event in chromium.events if event["method"] == "Page.javascriptDialogOpening"]


def test_the_timeline_zooms_searches_and_tells_of_one_operation(chromium: Browser, tmp_path: Path) -> None:
    chromium.open(written(tmp_path, HARMLESS["run"]))
    told = chromium.run(
        """
        const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
        const count = () => document.getElementById("match-count").textContent;
        const all = count();
        const search = document.getElementById("filter");
        search.value = "key:3 f:read";
        search.dispatchEvent(new Event("input"));
        await drawn();
        const some = count();
        document.getElementById("match-next").click();
        await drawn();
        const inspector = document.getElementById("inspector");
        const chosen = inspector.hidden ? "" : inspector.textContent;
        search.value = "nothing at all";
        search.dispatchEvent(new Event("input"));
        await drawn();
        return { all, some, chosen, none: count() };
        """
    )
    assert told["all"].endswith("ops")
    assert 0 < int(told["some"].split(" of ")[0].replace(",", "")) < 2_000
    assert "read" in told["chosen"]
    assert told["none"].startswith("0 of ")


def test_the_index_is_searched_and_filtered(chromium: Browser, tmp_path: Path) -> None:
    chromium.open(written(tmp_path, HARMLESS["index"]))
    told = chromium.run(
        """
        const shown = () => document.getElementById("shown").textContent;
        const all = shown();
        const box = document.querySelector('input[name="verdict"][value="invalid"]');
        box.click();
        const without = shown();
        box.click();
        const search = document.getElementById("search");
        search.value = "kv/raft";
        search.dispatchEvent(new Event("input"));
        const found = shown();
        search.value = "kv/draft";
        search.dispatchEvent(new Event("input"));
        return [all, without, found, shown()];
        """
    )
    assert told == ["1 of 1", "0 of 1", "1 of 1", "0 of 1"]
