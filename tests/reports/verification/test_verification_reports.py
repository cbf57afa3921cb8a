"""What a verification looks like: every renderer says what the document says, and no text of it can do harm."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from harness.registry import load
from reports import VERIFICATIONS
from reports.verification import github, junit, page, sarif, summary
from reports.verification.terminal import print_verification
from tests.reports.hostile import SHORT, TEXTS
from tests.verifications import ASLEEP, case, outcome, trial, verification

BREAKS = case("breaks", violates=("lost",))
RED = case("red", target="kv/other")
OPEN = case("open")


def mixed(**head: Any) -> dict[str, Any]:
    return verification(
        trial(case(), outcome()),
        trial(BREAKS, outcome("invalid", "set/lost", detect_s=2.5)),
        trial(RED, outcome("invalid", "set/lost", reason="lost 3 of 9 acknowledged adds", run="store/kv/other/1")),
        trial(OPEN, outcome("unknown", reason="the budget ran out")),
        **head,
    )


def hostile(text: str) -> dict[str, Any]:
    bad = case("bad", statement=text, source=text, topic=text)
    told = outcome("invalid", f"set/{text}", reason=text, run=text, repeat=text, faults=(text,))
    return verification(
        trial(bad, told),
        canary=ASLEEP,
        title=text,
        file=text,
        findings={"new": [text]},
        repeat=text,
        retries=[{"claim": text, "cluster": text, "seed": 1, "try": 1, "error": text}],
    )


def text_of(document: dict[str, Any], width: int = 140) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False)
    print_verification(console, document, "store/verify/x")
    return str(console.file.getvalue())  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", VERIFICATIONS)
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_every_renderer_bears_every_text(name: str, text: str) -> None:
    rendered = load(VERIFICATIONS[name])(hostile(text))
    assert rendered.encode("utf-8")
    if name != "verification.json":
        assert "\x1b" not in rendered
        assert "\u202e" not in rendered


def test_the_page_tells_of_each_fault_how_often_how_soon_by_which_seeds_and_where_the_smallest_run_is() -> None:
    many = [outcome(seed=seed, faults=("kill", "partition")) for seed in range(2, 16)]
    shown = outcome("invalid", "set/lost", seed=1, detect_s=2.5, run="store/kv/store/1", repeat="splitbrain run y")
    found = page.render(verification(trial(BREAKS, shown, *many)))
    assert 'aria-label="breaks by fault"' in found
    table = found.partition('aria-label="breaks by fault"')[2].partition("</table>")[0]
    kill, partition = table.partition("<tbody>")[2].partition("</tbody>")[0].strip().split("\n")
    assert "<b>kill</b>" in kill
    assert "1 of 15 (1–30 %)" in kill
    assert "2.5 s" in kill
    assert "1 2 3 4 5 6 7 8 9 10 11 12 and 3 more" in kill
    assert '<a href="../../kv/store/1/report.html">its page</a>' in kill
    assert "<b>partition</b>" in partition
    assert "0 of 14" in partition
    assert "<a href" not in partition


def test_junit_counts_and_names() -> None:
    root = ET.fromstring(junit.render(mixed()))
    suites = {suite.get("name"): suite for suite in root}
    assert set(suites) == {"kv/store", "kv/other", "canary"}
    assert (suites["kv/store"].get("failures"), suites["kv/store"].get("errors")) == ("0", "1")
    failure = suites["kv/other"].find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "lost 3 of 9 acknowledged adds"
    assert "repeat: splitbrain run x" in str(failure.text)
    assert suites["canary"].get("errors") == "0"
    assert not root.findall(".//skipped")


def test_junit_holds_any_text_as_text() -> None:
    root = ET.fromstring(junit.render(hostile(SHORT)))
    assert {element.tag for element in root.iter()} <= {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "error",
        "system-out",
    }
    assert root.find("testsuite[@name='canary']/testcase/error") is not None


def test_sarif_has_a_rule_per_claim_and_a_result_per_failure() -> None:
    log = json.loads(sarif.render(mixed()))
    run = log["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [
        "kv/store:holds",
        "kv/store:breaks",
        "kv/other:red",
        "kv/store:open",
        "canary",
    ]
    told = {result["ruleId"]: result for result in run["results"]}
    assert {name: result["level"] for name, result in told.items()} == {
        "kv/other:red": "error",
        "kv/store:open": "warning",
    }
    place = told["kv/other:red"]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "claims/ours.toml"}, "region": {"startLine": 7}}


def test_sarif_fingerprints_do_not_depend_on_the_seed() -> None:
    first = sarif.render(verification(trial(RED, outcome("invalid", "set/lost", seed=1, reason="a"))))
    second = sarif.render(verification(trial(RED, outcome("invalid", "set/lost", seed=2, reason="b"))))
    prints = [json.loads(log)["runs"][0]["results"][0]["partialFingerprints"] for log in (first, second)]
    assert prints[0] == prints[1]


def test_markdown_says_it_all() -> None:
    text = summary.render(mixed(findings={"new": ["kv/other:red on sim: set/lost"], "resolved": []}))
    assert text.startswith("## splitbrain: invalid\n")
    assert "**VIOLATED**" in text
    assert "lost 3 of 9 acknowledged adds" in text
    assert "new: never found before" in text.replace("\\", "")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1


def test_markdown_of_hostile_text_has_no_markup() -> None:
    text = summary.render(hostile(SHORT))
    outside = re.sub(r"(`+).*?\1", "", text)
    assert not re.search(r"(?<!\\)[<>]", outside)


def test_annotations_stay_on_their_lines() -> None:
    lines = list(github.commands(mixed()))
    assert lines[0].startswith("::error file=claims/ours.toml,line=7,title=kv/other red on sim::lost 3 of 9")
    assert lines[1].startswith("::warning ")
    for line in github.commands(hostile("100 %\n::error::forged\r\n, title: x")):
        assert "\n" not in line
        assert "\r" not in line
        assert line.count("::error") <= 2
        assert "%0" not in line.replace("%0A", "")


class Inspector(HTMLParser):
    """Collects tags, and whatever could act or load something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.acting: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name.startswith("on") or name in ("src", "style"):
                self.acting.append(f"{tag} {name}={value}")
            if name == "href":
                self.links.append(str(value))


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_the_page_cannot_be_broken_out_of(text: str) -> None:
    inspector = Inspector()
    inspector.feed(page.render(hostile(text)))
    assert not inspector.acting
    assert not inspector.tags & {"script", "img", "iframe", "object", "form", "link"}
    assert all(re.match(r"#|\.\./|[A-Za-z0-9%._/-]+/report\.html$", link) for link in inspector.links), inspector.links


def test_the_page_opens_what_failed_and_links_to_its_run() -> None:
    html = page.render(mixed())
    assert html.count('<details class="claim"') == 4
    assert len(re.findall(r'<details class="claim" id="c\d+" open>', html)) == 2
    assert 'href="../../kv/other/1/report.html"' in html
    assert "script-src 'none'" in html.replace("&#39;", "'")


def test_the_terminal_says_what_failed_and_how_to_repeat() -> None:
    text = text_of(mixed())
    assert "VIOLATED  kv/other red on sim" in text
    assert "lost 3 of 9 acknowledged adds" in text
    assert "repeat  splitbrain run x" in text
    assert "INVALID" in text
    assert "1 of 1" in text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_terminal_bears_any_text_and_width(width: int) -> None:
    text = text_of(hostile(SHORT), width)
    assert "\x1b" not in text
    assert "NOT found to be violated" in " ".join(text.split())
