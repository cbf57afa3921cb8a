"""The simulator's disks: what is durable stays, what is not may go in each way that a disk knows."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.sim_disk import FATES, Disk, Mount
from targets.node import records

STEPS = st.lists(st.tuples(st.sampled_from(["append", "sync", "replace", "crash"]), st.binary(max_size=4)), max_size=30)


@given(STEPS, st.integers())
def test_a_disk_against_two_strings(steps: list[tuple[str, bytes]], seed: int) -> None:
    """The twin holds one string of durable bytes and one of fresh ones."""
    disk, dice = Disk(), random.Random(seed)
    durable, fresh = b"", b""
    for action, data in steps:
        match action:
            case "append":
                disk.append("a", data)
                fresh += data
            case "sync":
                disk.sync("a")
                durable, fresh = durable + fresh, b""
            case "replace":
                disk.replace("a", data)
                durable, fresh = data, b""
            case _:
                disk.crash(dice)
                left = disk.read("a")
                assert left.startswith(durable)
                rest = left[len(durable) :]
                assert fresh.startswith(rest) or rest == bytes(len(fresh))
                durable, fresh = left, b""
        assert disk.read("a") == durable + fresh


def test_a_crash_does_each_thing_that_it_can() -> None:
    seen = set()
    for seed in range(60):
        disk = Disk()
        disk.append("log", b"synced")
        disk.sync("log")
        disk.append("log", b"fresh")
        seen |= set(disk.crash(random.Random(seed)).values())
        assert disk.read("log").startswith(b"synced")
        assert disk.crash(random.Random(seed)) == {}
    assert seen == set(FATES)


def test_records_survive_every_fate() -> None:
    for seed in range(60):
        disk = Disk()
        disk.append("log", records.frame(b"one"))
        disk.sync("log")
        disk.append("log", records.frame(b"two"))
        fate = disk.crash(random.Random(seed))["log"]
        payloads, taken = records.unframe(disk.read("log"))
        assert payloads[0] == b"one"
        assert len(payloads) == 1 or fate in ("kept", "torn")
        assert taken <= len(disk.read("log"))


def test_files_are_apart_and_an_unknown_one_is_empty() -> None:
    disk = Disk()
    disk.append("a", b"1")
    disk.append("b", b"2")
    disk.sync("a")
    assert (disk.read("a"), disk.read("b"), disk.read("c")) == (b"1", b"2", b"")
    assert set(disk.crash(random.Random(0))) == {"b"}


def test_names_are_checked() -> None:
    disk = Disk()
    for call in (
        lambda: disk.append("a/b", b""),
        lambda: disk.replace("", b""),
        lambda: disk.read("../x"),
        lambda: disk.sync(".a"),
    ):
        with pytest.raises(ValueError, match="no name for a file"):
            call()


def test_a_detached_mount_reaches_nothing() -> None:
    disk = Disk()
    mount = Mount(disk)
    mount.append("a", b"1")
    mount.sync("a")
    mount.detach()
    mount.append("a", b"2")
    mount.sync("a")
    mount.replace("b", b"3")
    assert mount.read("a") == b"2"
    assert (disk.read("a"), disk.read("b")) == (b"1", b"")
