"""The page as a browser reads it: complete without scripts, deaf to hostile texts, and allowed nothing beyond itself."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from harness.history import History
from reports.html import page, render
from reports.html.columns import columns
from reports.report import Report
from tests.reports.hostile import ALL, SHORT, TEXTS, hostile_run
from tests.reports.runs import long_run, small_run, synthetic_run, untimed_run

ASSETS = Path(page.__file__).parent / "assets"
VOID = {"meta", "br", "input", "link", "img", "hr"}
# Attributes whose values come from us alone; in all others a value of the run may stand.
OURS = {
    "class",
    "id",
    "role",
    "type",
    "tabindex",
    "data-track",
    "data-type",
    "scope",
    "http-equiv",
    "name",
    "for",
    "href",
    "lang",
    "open",
    "data-label",
}


class Page(HTMLParser):
    """Tags in order with their attributes, and the text of each element kind."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.comments: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_decl(self, decl: str) -> None:
        assert decl == "DOCTYPE html"

    def text_of(self, *kinds: str) -> str:
        return "".join(data for kind, data in self.texts if kind in kinds)

    @property
    def visible(self) -> str:
        return " ".join(" ".join(data for kind, data in self.texts if kind not in ("script", "style")).split())

    @property
    def shape(self) -> list[tuple[str, tuple[tuple[str, str | None], ...]]]:
        """All that decides what the page does: tags, names of attributes, and the values that are ours."""
        return [
            (tag, tuple((name, value if name in OURS else "") for name, value in attrs.items()))
            for tag, attrs in self.tags
        ]


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="run-data">(.*?)</script>', html, re.DOTALL)
    assert found
    seen: dict[str, Any] = json.loads(found[1])
    return seen


def test_a_hostile_run_makes_the_same_page_as_a_harmless_one() -> None:
    harmless = Page(render(hostile_run("harmless")))
    assert harmless.open == []
    for text in (*TEXTS, ALL):
        hostile = Page(render(hostile_run(text)))
        assert hostile.shape == harmless.shape
        assert hostile.comments == []


def test_hostile_texts_are_there_to_be_read_but_bounded() -> None:
    html = render(hostile_run(ALL))
    assert "<script>alert(1)</script>" in Page(html).visible
    assert "onerror=alert(1)>" in Page(html).visible
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", html)
    html.encode("utf-8")
    assert len(html) < 400_000


def test_only_known_elements_and_no_handler_style_or_address() -> None:
    for report in (small_run("invalid"), synthetic_run(500), hostile_run(SHORT)):
        found = Page(render(report))
        assert {tag for tag, _ in found.tags} <= set(
            re.findall(
                r"\w+",
                "html head meta title style body a main header p h1 h2 h3 h4 span div dl dt dd ol section aside article svg g rect "
                "line polygon path text table thead tbody tr th td code b br ul li details summary button noscript label input fieldset "
                "tfoot meter legend output canvas kbd select option pre script",
            )
        )
        names = {name for _, attrs in found.tags for name in attrs}
        assert not any(name.startswith("on") for name in names)
        assert names.isdisjoint({"style", "src", "srcset", "action", "formaction", "xlink:href", "background", "ping"})
        assert [attrs["href"] for _, attrs in found.tags if "href" in attrs] == ["#content"]


def test_the_policy_allows_one_script_one_style_and_nothing_else() -> None:
    found = Page(render(small_run("invalid")))
    order = [
        tag
        for tag, attrs in found.tags
        if tag in ("style", "script") or attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert order == ["meta", "style", "script", "script"]
    policy = next(str(attrs["content"]) for _, attrs in found.tags if attrs.get("http-equiv"))
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert (rules["default-src"], rules["base-uri"], rules["form-action"]) == ("'none'", "'none'", "'none'")
    script = [data for kind, data in found.texts if kind == "script"][-1]
    for directive, text in (("script-src", script), ("style-src", found.text_of("style"))):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[directive] == f"'sha256-{digest}'"


def test_the_data_comes_back_and_holds_no_markup() -> None:
    for report in (synthetic_run(1_000), hostile_run(SHORT)):
        html = render(report)
        seen = data_of(html)
        expected = json.loads(json.dumps(columns(report, seen["anomalies"], 0)))
        assert {name: seen[name] for name in seen if name != "logs"} == {
            name: expected[name] for name in expected if name != "logs"
        }
        raw = html.split('id="run-data">')[1].split("</script>")[0]
        assert raw.isascii()
        assert not set(raw) & set("<>&")


def test_our_own_scripts_cannot_end_their_element_or_write_markup() -> None:
    for path in ASSETS.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert "</" not in text
        assert "<!--" not in text
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|fetch\(|XMLHttpRequest|import\(",
            text,
        )
    # The index has a script of its own.
    assert {path.stem for path in ASSETS.glob("*.js")} == {*page._SCRIPTS, "index"}
    assert "</" not in (ASSETS / "page.css").read_text(encoding="utf-8")


def test_every_element_that_the_script_asks_for_exists() -> None:
    script = "".join((ASSETS / f"{name}.js").read_text(encoding="utf-8") for name in page._SCRIPTS)
    ids = {str(attrs["id"]) for _, attrs in Page(render(small_run("invalid"))).tags if "id" in attrs}
    assert set(re.findall(r'byId\("([\w-]+)"\)', script)) <= ids
    tracks = {attrs["data-track"] for _, attrs in Page(render(small_run("invalid"))).tags if "data-track" in attrs}
    assert set(re.findall(r'track\("(\w+)"\)', script)) == tracks


def test_the_essentials_are_readable_without_scripts() -> None:
    text = Page(render(small_run("invalid"))).visible
    for words in (
        "✗ Invalid A promise was broken.",
        "Process 0 read 1 from x after 3 had been written and acknowledged.",
        "splitbrain run kv/raft --cluster local --seed 42",
        "nonlinearizable found by the checker linearizable",
        "2.000 s 2.003 s 3.00 ms c0 n1 read x → 1 ok",
        "1.500 s 2.500 s 1.00 s c1 n2 write x 2 info timeout",
        "partition grudge halves n1, n2 1.100 s 3.010 s ✓ yes 12_of_12_links_cut ✓ yes all_open",
        "1 more anomaly",
        "The write of 2 left no trace.",
        "invalid linearizable 1 of 2 keys is not linearizable",
        "smallest part of the recorded history that already breaks the promise",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("verdict", "words"),
    [("valid", "No broken promise was found."), ("unknown", "it is not a pass"), ("sideways", "it is not a pass")],
)
def test_every_verdict_says_what_it_means(verdict: str, words: str) -> None:
    report = Report(results={**small_run("unknown").results, "verdict": verdict}, history=small_run("unknown").history)
    assert words in Page(render(report)).visible


def test_what_is_missing_is_left_out() -> None:
    empty = Page(render(Report(results={}, history=History.of([])))).visible
    for words in ("What went wrong", "Node logs", "Plan", "Repeat this run", "Jump to anomaly"):
        assert words not in empty
    assert "This run had no faults." in empty
    assert "No checker was asked." in empty


def test_a_history_without_times_speaks_of_lines() -> None:
    text = Page(render(untimed_run())).visible
    assert "line 0 line 3 – c0 – write – 1 ok" in text
    assert "p99" not in text


def test_anomalies_beyond_the_first_are_folded_and_bounded() -> None:
    run = small_run("invalid")
    one = dict(run.anomalies[0])
    many = [{**one, "name": f"anomaly-{n}"} for n in range(page.ANOMALIES_LISTED_MAX + 7)]
    found = Page(render(Report(results={**run.results, "anomalies": many}, history=run.history)))
    assert sum(tag == "svg" for tag, _ in found.tags) == page.ANOMALIES_DRAWN_MAX
    assert f"{len(many) - 1} more anomalies" in found.visible
    assert "and 7 more, all in results.json" in found.visible


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        ([{"key": 1, "operations": 7}, {"key": 2, "operations": 8}], [["1", "7"], ["2", "8"]]),
        ([{"key": 1}, {"operations": 8}], None),
        ([{"key": 1}, 2], None),
        ([{}], None),
        ([], None),
        ([{"key": key} for key in range(1000)], None),
        ({"key": 1}, None),
    ],
)
def test_a_figure_of_like_records_is_a_table(value: Any, rows: list[list[str]] | None) -> None:
    report = synthetic_run()
    report.results["checkers"][0]["stats"] = {"by_key": value}
    found = Page(render(report))
    tables = [attrs for tag, attrs in found.tags if tag == "table" and attrs.get("class") == "records"]
    assert len(tables) == (rows is not None)
    if rows is not None:
        cells = [text for kind, text in found.texts if kind == "code"]
        assert all(cell in cells for row in rows for cell in row)


def test_buttons_lead_to_the_operations_of_the_witness() -> None:
    html = render(small_run("invalid"))
    numbers = [
        int(str(attrs["data-op"]))
        for _, attrs in Page(html).tags
        if "data-op" in attrs and attrs["data-anomaly"] == "0"
    ]
    assert numbers == [0, 1, 2, 4]
    assert data_of(html)["anomalies"][0] == {
        "name": "nonlinearizable",
        "reason": "Process 0 read 1 from x after 3 had been written and acknowledged.",
        "ops": [4],
        "witness": [0, 1, 2, 4],
    }


def test_a_hundred_thousand_operations_fit_into_fifteen_megabytes() -> None:
    run = long_run(10)
    assert len(run.history.calls()) == 100_000
    assert len(render(run).encode()) < 15_000_000


def test_the_same_run_is_the_same_page() -> None:
    assert render(synthetic_run(300)) == render(synthetic_run(300))
