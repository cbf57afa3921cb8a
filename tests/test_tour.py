"""The tour of the README and the lessons of docs/teaching.md: every command is run, and ends with the exit code that stands beside it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from harness.cli.main import run_command
from harness.clusters.local import LocalCluster
from harness.errors import EXIT_INVALID

ROOT = Path(__file__).resolve().parents[1]
# Timing is real there, so a bug may need another try.
TRIES = 5
_LINE = re.compile(r"^    splitbrain (?P<argv>.*?)(?:\s+# exit (?P<code>\d+).*)?$", re.MULTILINE)


def commands(text: str) -> list[tuple[list[str], int]]:
    """The commands of a text with their exit codes (0 where none is named)."""
    return [(found["argv"].split(), int(found["code"] or 0)) for found in _LINE.finditer(text)]


TOUR = commands(
    (ROOT / "README.md").read_text(encoding="utf-8").partition("## A tour in ten minutes\n")[2].partition("\n## ")[0]
)
LESSONS = {
    lesson.partition("\n")[0]: commands(lesson)
    for lesson in (ROOT / "docs/teaching.md").read_text(encoding="utf-8").split("\n## ")[1:]
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in which a user would stand: the clone, with a store of its own."""
    shutil.copytree(ROOT / "claims", tmp_path / "claims")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_of_the_tour_does_what_it_says(home: Path) -> None:
    assert len(TOUR) >= 8, "the README has lost its tour"
    for argv, code in TOUR:
        assert run_command(argv) == code, argv


@pytest.mark.root
@pytest.mark.process
@pytest.mark.skipif(LocalCluster.unavailable() is not None, reason=f"local: {LocalCluster.unavailable()}")
def test_the_tour_on_local(home: Path) -> None:
    """The same runs, of half the length, on real processes in namespaces; only what belongs to the simulator (replay) is left out."""
    for argv, code in TOUR:
        if argv[0] in ("run", "check"):
            brief = ["--time-limit", "10", "--recovery", "5"] if argv[0] == "run" else []
            words = [*("local" if word == "sim" else word for word in argv), *brief]
            tries = TRIES if (argv[0], code) == ("run", EXIT_INVALID) else 1
            assert any(run_command(words) == code for _ in range(tries)), argv


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_lesson_shows_what_it_says(home: Path, lesson: str) -> None:
    codes = {code for _, code in LESSONS[lesson]}
    assert codes == {0, 1}, "a lesson has what holds and what breaks"
    for argv, code in LESSONS[lesson]:
        assert run_command(argv) == code, argv
