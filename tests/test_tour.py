"""The tour of the README: every command is run, in order, and ends with the exit code that the README names."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli.main import run_command
from harness.clusters.local import LocalCluster

ROOT = Path(__file__).resolve().parents[1]
_LINE = re.compile(r"^    splitbrain (?P<argv>.*?)(?:\s+# exit (?P<code>\d+).*)?$", re.MULTILINE)


def commands() -> Iterator[tuple[list[str], int]]:
    """The commands of the tour with their exit codes (0 where none is named)."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tour = text.partition("## A tour in ten minutes\n")[2].partition("\n## ")[0]
    for found in _LINE.finditer(tour):
        yield found["argv"].split(), int(found["code"] or 0)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in which a user would stand: the clone, with a store of its own."""
    shutil.copytree(ROOT / "claims", tmp_path / "claims")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def walk(change: dict[str, str]) -> None:
    told = list(commands())
    assert len(told) >= 8, "the README has lost its tour"
    for argv, code in told:
        assert run_command([change.get(word, word) for word in argv]) == code, argv


def test_every_command_of_the_tour_does_what_it_says(home: Path) -> None:
    walk({})


@pytest.mark.root
@pytest.mark.process
@pytest.mark.skipif(LocalCluster.unavailable() is not None, reason=f"local: {LocalCluster.unavailable()}")
def test_the_tour_on_local(home: Path) -> None:
    """The same runs, of half the length, on real processes in namespaces; only what belongs to the simulator (replay) is left out."""
    for argv, code in commands():
        if argv[0] in ("run", "check"):
            brief = ["--time-limit", "10", "--recovery", "5"] if argv[0] == "run" else []
            assert run_command([*("local" if word == "sim" else word for word in argv), *brief]) == code, argv
