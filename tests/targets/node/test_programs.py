"""Programs are found by name or by path, and a wrong name says what would be right."""

from __future__ import annotations

import pytest

from targets.node.echo import Echo
from targets.node.programs import PROGRAMS, load


def test_by_name_and_by_path() -> None:
    assert load("echo") is Echo
    assert load("targets.node.echo:Echo") is Echo


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_every_program_of_the_table_exists(name: str) -> None:
    assert callable(load(name))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ecco", "known are .*echo"),
        ("targets.nowhere:Echo", "cannot import 'targets.nowhere'"),
        ("targets.node.echo:Ecco", "has no 'Ecco'"),
    ],
)
def test_what_is_wrong_with_a_name(name: str, words: str) -> None:
    with pytest.raises(LookupError, match=words):
        load(name)
