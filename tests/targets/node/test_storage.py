"""Files of a node on a real disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from targets.node.storage import FileStorage, check_name


def test_what_was_synced_is_there_for_the_next_life(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "data")
    storage.append("log", b"one")
    storage.append("log", b"two")
    storage.sync("log")
    storage.append("log", b"three")
    assert storage.read("log") == b"onetwothree"
    assert FileStorage(tmp_path / "data").read("log") == b"onetwo"


def test_appending_goes_on_where_it_stood(tmp_path: Path) -> None:
    for life in range(3):
        storage = FileStorage(tmp_path)
        storage.append("log", str(life).encode())
        storage.sync("log")
        storage.sync("log")
    assert FileStorage(tmp_path).read("log") == b"012"


def test_replacing_is_durable_at_once_and_forgets_what_was_not_synced(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    storage.append("state", b"old")
    storage.sync("state")
    storage.append("state", b"unsynced")
    storage.replace("state", b"new")
    assert storage.read("state") == b"new"
    storage.append("state", b"er")
    storage.sync("state")
    assert FileStorage(tmp_path).read("state") == b"newer"
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_a_leftover_of_an_interrupted_replace_does_no_harm(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    storage.replace("state", b"good")
    (tmp_path / "state.new").write_bytes(b"half a fi")
    storage = FileStorage(tmp_path)
    assert storage.read("state") == b"good"
    storage.replace("state", b"better")
    assert FileStorage(tmp_path).read("state") == b"better"


def test_an_unknown_file_is_empty(tmp_path: Path) -> None:
    assert FileStorage(tmp_path).read("nothing") == b""


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "/a", "a\\b", "a\n", "a" * 101, "state.new", "ä"])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name for a file"):
        check_name(name)


@pytest.mark.parametrize("name", ["log", "a", "snapshot-12.json", "A_b.c", "a" * 100])
def test_names_that_are_fine(name: str) -> None:
    check_name(name)
