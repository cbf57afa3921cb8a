"""A dead node's reason, in a few words."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.clusters.last_words import WORDS_MAX, last_words


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", "(its log is empty)"),
        ("cannot bind: port taken\n", "cannot bind: port taken"),
        (
            '{"t":1,"event":"crash","error":"ValueError: no","traceback":"..."}\n{"t":2,"event":"bye"}\n',
            "ValueError: no",
        ),
        ('{"t":1,"event":"crash","traceback":"Traceback\\n x\\nKeyError: 7\\n"}\n', "KeyError: 7"),
        ("x" * 1000, "x" * WORDS_MAX + "…"),
    ],
)
def test_the_last_crash_else_the_last_line(log: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "node.log").write_text(log)
    assert last_words(tmp_path / "node.log") == words


def test_a_node_that_never_wrote(tmp_path: Path) -> None:
    assert last_words(tmp_path / "nowhere") == "(its log is empty)"
