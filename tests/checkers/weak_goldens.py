"""What the checkers of weak models say of small histories, word for word: cases in files, and how to run them.

A case is a paragraph: a comment, the checker's options as JSON, a drawing or lines (see tests/builders.py), a bar, and what is said.
Comments that begin with "Near miss" are legal histories, those with "Unknown" ones that prove nothing, all others are violations.

``python -m tests.checkers.weak_goldens`` writes the present words into all files, for reading the difference.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from checkers import (
    bank,
    broadcast,
    causal_reverse,
    convergence,
    counter,
    g2,
    long_fork,
    monotonic,
    or_sets,
    staleness,
    unique_ids,
)
from checkers.commits import check as commits
from checkers.files import check as files
from checkers.locks import check as locks
from checkers.memory import coherence
from checkers.queues import order, total
from checkers.registry import check as registry
from checkers.sessions import check as sessions
from harness.history import History
from harness.verdict import Budget, Checker
from tests.builders import history, timeline

DIRECTORY = Path(__file__).parent / "golden"
MAKERS: dict[str, Callable[..., Checker]] = {
    "sessions": sessions.make,
    "convergence": convergence.make,
    "staleness": staleness.make,
    "counter": counter.make,
    "unique_ids": unique_ids.make,
    "broadcast": broadcast.make,
    "g_set": broadcast.make_g_set,
    "or_set": or_sets.make,
    "atomic_commit": commits.make,
    "coherence": coherence.make,
    "bank": bank.make,
    "causal_reverse": causal_reverse.make,
    "g2": g2.make,
    "long_fork": long_fork.make,
    "monotonic": monotonic.make,
    "files": files.make,
    "locks": locks.make,
    "registry": registry.make,
    "total_queue": total.make,
    "fifo_per_producer": order.make,
}
Case = tuple[str, str, str, str]  # comment, options, drawing, wanted


def cases(name: str) -> list[Case]:
    """The cases of ``golden/name.txt``."""
    found = []
    for paragraph in (DIRECTORY / f"{name}.txt").read_text().split("\n\n"):
        head, bar, wanted = paragraph.partition("\n----")
        if bar:
            comment, options, *drawing = head.strip().split("\n")
            found.append((comment.removeprefix("# "), options, "\n".join(drawing), wanted.strip()))
    return found


def drawn(text: str) -> History:
    return timeline(text) if "|-" in text else history(text)


def told(name: str, options: str, drawing: str) -> str:
    made: dict[str, Any] = json.loads(options)
    verdict = MAKERS[name](**made).check(drawn(drawing), Budget())
    lines = [str(verdict.validity), verdict.reason]
    for anomaly in verdict.anomalies:
        lines[0] += f" {anomaly.name}"
        lines.append(f"shown by {' '.join(map(str, anomaly.ops))}")
    return "\n".join(lines)


def kind(comment: str) -> str:
    """The validity that a comment announces."""
    return {"Near": "valid", "Unknown": "unknown"}.get(comment.replace(":", " ").split()[0], "invalid")


def rewrite(name: str) -> None:
    paragraphs = []
    path = DIRECTORY / f"{name}.txt"
    for paragraph in path.read_text().strip().split("\n\n"):
        head, bar, _ = paragraph.partition("\n----")
        if bar:
            _, options, *drawing = head.strip().split("\n")
            paragraphs.append(f"{head}\n----\n{told(name, options, chr(10).join(drawing))}")
        else:
            paragraphs.append(paragraph)
    path.write_text("\n\n".join(paragraphs) + "\n")


if __name__ == "__main__":
    for each in MAKERS:
        rewrite(each)
