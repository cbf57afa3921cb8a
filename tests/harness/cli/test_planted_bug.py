"""A bug planted in one target of the textbook turns exactly its claims red: exit code, document, JUnit, SARIF, page, summary."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from harness.cli.main import run_command

TEXTBOOK = Path(__file__).resolve().parents[3] / "claims/textbook.toml"
RED = {"kv/primary-sync:keeps-acknowledged-writes", "kv/primary-sync:one-primary-per-epoch"}
GREEN = {"kv/primary-async:loses-acknowledged-writes", "kv/counter:retry-with-ids"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the reports of a verification of a few rows lie, in which the bug is planted."""
    store = tmp_path_factory.mktemp("store")
    chosen = [part for name in sorted(RED | GREEN) for part in ("--claim", name)]
    argv = ["verify", str(TEXTBOOK), *chosen, "--bug", "kv/primary-sync=ack-before-replicas"]
    assert run_command([*argv, "--runs", "1", "--jobs", "1", "--store", str(store)]) == 1
    (found,) = (store / "verify").glob("*Z")
    return found


def test_the_document_says_which(directory: Path) -> None:
    document = json.loads((directory / "verification.json").read_text())
    status = {claim["name"]: claim["status"] for claim in document["claims"]}
    assert {name for name, told in status.items() if told == "VIOLATED"} == RED
    assert {name for name, told in status.items() if told in ("holds", "violated as expected")} == GREEN
    assert (document["verdict"], document["canary"]["status"]) == ("invalid", "VIOLATED")


def test_junit_says_the_same(directory: Path) -> None:
    tests = ET.parse(directory / "junit.xml").getroot().iter("testcase")
    failed = {
        test.get("classname", "") + ":" + test.get("name", ""): test.find("failure") is not None for test in tests
    }
    assert {name.removesuffix(" on sim") for name, bad in failed.items() if bad} == RED
    assert {name.removesuffix(" on sim") for name, bad in failed.items() if not bad} == GREEN | {"splitbrain:canary"}


def test_sarif_says_the_same(directory: Path) -> None:
    (run,) = json.loads((directory / "claims.sarif").read_text())["runs"]
    assert {result["ruleId"] for result in run["results"] if result["level"] == "error"} == RED
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == RED | GREEN | {"canary"}


def test_the_page_says_the_same(directory: Path) -> None:
    html = (directory / "index.html").read_text()
    claims = re.findall(r'<details class="claim"[^>]*>\s*<summary><span class="type (\w+)">.*?<b>(.*?)</b>', html)
    assert {name.replace(" ", ":") for look, name in claims if look == "invalid"} == RED
    assert {name.replace(" ", ":") for look, name in claims if look in ("valid", "expected")} == GREEN
    assert re.search(r'<header class="verdict invalid">', html)


def test_the_summary_says_the_same(directory: Path) -> None:
    rows = [line for line in (directory / "summary.md").read_text().splitlines() if line.startswith("|")]
    for name in RED | GREEN:
        (row,) = (line for line in rows if name.partition(":")[2] in line.replace("\\", ""))
        assert ("VIOLATED" in row) == (name in RED)
