"""Every name that our checkers give to an anomaly has a sentence for strangers."""

from __future__ import annotations

from pathlib import Path

from harness.cli import tables
from reports.anomaly_words import _WORDS, meaning
from reports.html import render
from tests.reports.runs import small_run

ROOT = Path(__file__).resolve().parents[2]


def _in_goldens() -> set[str]:
    """What checkers' own examples find: lines "invalid NAME NAME"."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests/checkers").rglob("*.txt")]
    lines = [line for text in texts for line in text.splitlines() if line.startswith("invalid ")]
    return {name for line in lines for name in line.split()[1:]}


def _in_claims() -> set[str]:
    registry = tables.targets()
    claims = [claim for name in registry.paths() for claim in registry.get(name).claims]
    return {name for claim in claims for name in claim.violates}


def test_every_anomaly_of_our_checkers_is_told_in_words() -> None:
    names = _in_goldens() | _in_claims()
    assert len(names) > 50
    assert [name for name in sorted(names) if not meaning(name)] == []


def test_a_circle_closed_by_real_time_or_by_a_process_says_so() -> None:
    assert meaning("G0-realtime") == f"{meaning('G0')}, and one of them had ended before the next began"
    assert meaning("G-single-item-process").startswith(meaning("G-single-item"))
    assert meaning("anybody's") == meaning("-realtime") == meaning("anybody's-process") == ""


def test_meanings_are_parts_of_sentences() -> None:
    for name, words in _WORDS.items():
        assert words[0].islower(), name
        assert words[-1].isalpha(), name


def test_the_page_tells_the_meaning_of_what_it_found_first() -> None:
    page = render(small_run("invalid"))
    head = page.partition("<header")[2].partition("</header>")[0]
    assert f"<b>nonlinearizable</b>: {meaning('nonlinearizable')}." in head
    assert '<p class="meaning">' not in render(small_run("valid"))
