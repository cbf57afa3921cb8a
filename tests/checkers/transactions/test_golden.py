"""The words of the checkers, held by text. Change the text only if you know why the words changed, and that they are better.

``python -m tests.checkers.transactions.test_golden`` writes the present words into the file, for reading the difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkers.transactions import closed_predicate, list_append, rw_register
from checkers.transactions.models import ANOMALIES, DIRTY_UPDATE, FRACTURED, G1A, LOST_UPDATE, NON_CAUSAL, NON_MONOTONIC
from harness.verdict import Budget
from tests.checkers.transactions.texts import drawn, universe

MAKE: dict[str, Any] = {
    "list-append": list_append.make,
    "rw-register": rw_register.make,
    "closed-predicate": closed_predicate.make,
}
FILE = Path(__file__).parent / "golden.txt"
# What comes with an anomaly whatever one does.
COMPANIONS = {
    DIRTY_UPDATE: {G1A},
    LOST_UPDATE: {"G2-item"},
    FRACTURED: {NON_CAUSAL, "G-single-item"},
    NON_MONOTONIC: {FRACTURED, NON_CAUSAL, "G-single-item"},
    NON_CAUSAL: {"G-single-item-process"},
}


def _cases() -> Iterator[tuple[str, str, str, str]]:
    """(comment, checker and options, drawing, wanted), from the paragraphs that hold ----."""
    for paragraph in FILE.read_text().split("\n\n"):
        head, bar, wanted = paragraph.partition("\n----")
        if bar:
            comment, checker, *drawing = head.strip().split("\n")
            yield comment.removeprefix("# "), checker, "\n".join(drawing), wanted.strip()


CASES = list(_cases())


def told(checker: str, drawing: str) -> str:
    name, _, options = checker.partition(" ")
    run = universe(drawing) if name == "closed-predicate" else drawn(drawing, lists=name == "list-append")
    verdict = MAKE[name](**json.loads(options)).check(run, Budget())
    found = {**verdict.stats["anomalies"], **verdict.stats["allowed_anomalies"]}
    first = f"{verdict.validity} {' '.join(found)}".strip()
    lines = [first, verdict.reason]
    if verdict.stats["not"]:
        lines.append(f"not {', '.join(verdict.stats['not'])}")
    lines += [f"{anomaly.name} is shown by {' '.join(map(str, anomaly.ops))}" for anomaly in verdict.anomalies]
    return "\n".join(lines)


@pytest.mark.parametrize(("comment", "checker", "drawing", "wanted"), CASES, ids=lambda text: text[:40])
def test_golden(comment: str, checker: str, drawing: str, wanted: str) -> None:
    assert told(checker, drawing) == wanted, comment


def test_every_near_miss_is_valid_and_every_other_is_not() -> None:
    for comment, _, _, wanted in CASES:
        assert wanted.startswith("valid") == comment.startswith("Near miss"), comment


@pytest.mark.parametrize("name", ANOMALIES)
def test_every_name_is_shown_by_a_history_that_shows_nothing_else(name: str) -> None:
    shown = [set(wanted.split("\n")[0].split()[1:]) for _, _, _, wanted in CASES]
    assert {name} | COMPANIONS.get(name, set()) in shown


@pytest.mark.parametrize("name", ANOMALIES)
def test_every_name_has_a_near_miss(name: str) -> None:
    assert any(comment.startswith(f"Near miss of {name}:") for comment, _, _, _ in CASES)


def rewrite() -> None:
    paragraphs = []
    for paragraph in FILE.read_text().strip().split("\n\n"):
        head, bar, _ = paragraph.partition("\n----")
        if bar:
            _, checker, *drawing = head.strip().split("\n")
            paragraphs.append(f"{head}\n----\n{told(checker, chr(10).join(drawing))}")
        else:
            paragraphs.append(paragraph)
    FILE.write_text("\n\n".join(paragraphs) + "\n")


if __name__ == "__main__":
    rewrite()
