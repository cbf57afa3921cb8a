"""docs/histories.md: its files are judged by its commands, with the exit codes and the words that stand beside them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.cli.main import run_command

TEXT = (Path(__file__).resolve().parents[1] / "docs/histories.md").read_text(encoding="utf-8")
_FILE = re.compile(r"^`(?P<name>[\w.]+)`:\n\n```\w+\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"^    splitbrain (?P<argv>.*?)(?:\s+# exit (?P<code>\d+): (?P<words>.*))?$", re.MULTILINE)
COMMANDS = [(found["argv"], int(found["code"] or 0), found["words"] or "valid") for found in _LINE.finditer(TEXT)]


@pytest.mark.parametrize(("argv", "code", "words"), COMMANDS)
def test_a_command_says_what_stands_beside_it(
    argv: str,
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for found in _FILE.finditer(TEXT):
        (tmp_path / found["name"]).write_text(found["content"], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run_command(argv.split()) == code
    assert words in " ".join(capsys.readouterr().out.split())
