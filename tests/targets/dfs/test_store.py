"""A data node's chunks on its disk: what comes back is what was written last, or it is damage."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from targets.dfs.gfs.bugs import Bugs
from targets.dfs.gfs.chunk import Corrupt, Replica
from targets.dfs.gfs.config import Config
from targets.dfs.gfs.store import Store
from targets.node.storage import FileStorage


def store(directory: Path, **options: Any) -> Store:
    env: Any = SimpleNamespace(storage=FileStorage(directory), log=lambda event, **fields: None)
    return Store(env, Config.of(options), Bugs())


def test_a_write_that_the_disk_has_lost_is_damage(tmp_path: Path) -> None:
    disk = store(tmp_path)
    disk.put(1, Replica(7, 0, b"old"))
    before = (tmp_path / "chunk-1").read_bytes()
    disk.write(1, 1, 3, b" and new")
    (tmp_path / "chunk-1").write_bytes(before)
    with pytest.raises(Corrupt, match="chunk 1: an older state came back"):
        disk.read(1)
    assert 1 in disk.bad
    assert 1 not in disk.known


def test_what_was_written_last_comes_back_also_after_a_crash(tmp_path: Path) -> None:
    disk = store(tmp_path)
    disk.put(1, Replica(7, 0, b"old"))
    disk.write(1, 1, 3, b" and new")
    assert disk.read(1) == store(tmp_path).read(1) == Replica(7, 1, b"old and new")
