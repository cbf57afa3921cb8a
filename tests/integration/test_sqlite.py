"""A real database on a disk that fails: over any loss of power it keeps what it has synced, and loses what it has not."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from harness.effects import LOST, REORDERED, TORN
from tests.mounted import Disk, disk, mounted

pytestmark = [mounted, pytest.mark.root]

# Commits one row after the other and says so of each, after the commit.
WRITER = """\
import sqlite3, sys
path, first, mode, sync = sys.argv[1:]
database = sqlite3.connect(path, isolation_level=None)
database.execute(f"pragma journal_mode={mode}")
database.execute(f"pragma synchronous={sync}")
database.execute("create table if not exists rows (number integer primary key, text text)")
number = int(first)
while True:
    database.execute("insert into rows values (?, ?)", (number, "x" * (number % 700)))
    print(number, flush=True)
    number += 1
"""
COMMITS = (5, 60)  # between two crashes


def commit_until_killed(path: Path, first: int, mode: str, sync: str, commits: int) -> int:
    """The last row that the writer acknowledged before it was killed."""
    argv = [sys.executable, "-c", WRITER, str(path), str(first), mode, sync]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(commits):
            writer.stdout.readline()
        writer.kill()
        lines = writer.stdout.read().splitlines()
    return int(lines[-1]) if lines else first + commits - 1


def rows(path: Path) -> set[int]:
    """The rows of a database that must be in order."""
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
        there = database.execute("select count(*) from sqlite_master where name = 'rows'").fetchone()[0]
        return {number for (number,) in database.execute("select number from rows")} if there else set()


def crashes(made: Disk, fates: list[str], mode: str, sync: str) -> tuple[int, int]:
    """Acknowledged commits, and how many of them are gone, over as many losses of power as there are fates."""
    dice, path, kept, first = random.Random(1), made.place / "database", set[int](), 0
    acknowledged = lost = 0
    for fate in fates:
        last = commit_until_killed(path, first, mode, sync, dice.randint(*COMMITS))
        made.ask("crash", fate=fate)
        acked = set(range(first, last + 1))
        acknowledged += len(acked)
        found = rows(path)
        lost += len((acked | kept) - found)
        kept, first = found, max(found | acked) + 1
        made.ask("crash", fate="kept")  # what reading it has written
    return acknowledged, lost


@pytest.mark.parametrize(("mode", "times"), [("delete", 24), ("wal", 6)])
def test_a_database_that_syncs_loses_no_acknowledged_commit(mode: str, times: int, tmp_path: Path) -> None:
    with disk(tmp_path / "disk") as made:
        acknowledged, lost = crashes(made, [(LOST, TORN, REORDERED)[n % 3] for n in range(times)], mode, "full")
    assert acknowledged >= times * COMMITS[0]
    assert lost == 0


def test_a_database_that_does_not_sync_loses_some(tmp_path: Path) -> None:
    with disk(tmp_path / "disk") as made:
        acknowledged, lost = crashes(made, [LOST] * 3, "delete", "off")
    assert 0 < lost <= acknowledged
