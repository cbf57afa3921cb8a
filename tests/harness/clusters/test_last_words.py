"""A dead node's reason, in a few words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.clusters.last_words import LINES_QUOTED, WORDS_MAX, last_words, note_crash


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


def noted(log: Path) -> list[str]:
    note_crash(log, "it ended with status 3", 1.5)
    return log.read_text().splitlines()


def test_the_end_of_a_node_of_another_language_is_noted_with_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "node.log"
    log.write_text("".join(f"line {number}\n" for number in range(LINES_QUOTED + 1)))
    line = json.loads(noted(log)[-1])
    quoted = " | ".join(f"line {number}" for number in range(1, LINES_QUOTED + 1))
    assert line == {"t": 1.5, "event": "crash", "error": f"it ended with status 3; its last lines: {quoted}"}


def test_a_node_that_wrote_nothing_and_one_that_told_of_its_crash_itself(tmp_path: Path) -> None:
    silent, told = tmp_path / "silent.log", tmp_path / "told.log"
    assert "had written nothing on standard error" in noted(silent)[0]
    told.write_text('{"t":1,"event":"crash","error":"ValueError: no"}\n')
    assert len(noted(told)) == 1
