"""The words of the checker, held by text. Change the text only if you know why the words changed, and that they are better.

``python -m tests.checkers.test_golden`` writes the present words into the file, for reading the difference.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from checkers.linearizable.check import make
from harness.verdict import Budget
from tests.builders import timeline

made = cache(lambda model: make(model=model))
FILE = Path(__file__).parent / "golden" / "linearizable.txt"


def cases() -> list[tuple[str, str, str, str]]:
    """(comment, model, drawing, wanted), from the paragraphs that hold ----."""
    found = []
    for paragraph in FILE.read_text().split("\n\n"):
        head, bar, wanted = paragraph.partition("\n----")
        if bar:
            comment, model, *drawing = head.strip().split("\n")
            found.append((comment.removeprefix("# "), model, "\n".join(drawing), wanted.strip()))
    return found


def told(model: str, drawing: str) -> str:
    verdict = made(model).check(timeline(drawing), Budget())
    lines = [str(verdict.validity), verdict.reason]
    for anomaly in verdict.anomalies:
        lines[0] += f" {anomaly.name}"
        lines += [f"shown by {' '.join(map(str, anomaly.ops))}", f"witness {' '.join(map(str, anomaly.witness))}"]
    return "\n".join(lines)


@pytest.mark.parametrize(("comment", "model", "drawing", "wanted"), cases(), ids=lambda text: text[:40])
def test_golden(comment: str, model: str, drawing: str, wanted: str) -> None:
    assert told(model, drawing) == wanted, comment


def test_every_near_miss_is_legal_and_every_other_is_not() -> None:
    for comment, _, _, wanted in cases():
        assert wanted.startswith("valid") == comment.startswith("Near miss"), comment


def rewrite() -> None:
    paragraphs = []
    for paragraph in FILE.read_text().strip().split("\n\n"):
        head, bar, _ = paragraph.partition("\n----")
        if bar:
            _, model, *drawing = head.strip().split("\n")
            paragraphs.append(f"{head}\n----\n{told(model, chr(10).join(drawing))}")
        else:
            paragraphs.append(paragraph)
    FILE.write_text("\n\n".join(paragraphs) + "\n")


if __name__ == "__main__":
    rewrite()
