"""Disks that fail: unsynced data against plain strings; and, where the kernel's FUSE is there, a mounted disk against a directory."""

from __future__ import annotations

import errno
import mmap
import os
import random
import shutil
import stat
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.clusters.disks import damage, doctor, fates, pages
from harness.clusters.disks.inodes import Inode
from harness.clusters.disks.rules import Rules
from harness.effects import CRASH_FATES, KEPT, LOST, REORDERED, TORN, DiskFault
from tests.mounted import disk, mounted

offsets = st.integers(min_value=0, max_value=3 * pages.PAGE)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), offsets, st.binary(min_size=1, max_size=2 * pages.PAGE)),
        st.tuples(st.just("cut"), offsets, st.just(b"")),
        st.tuples(st.sampled_from(["sync", "read", *CRASH_FATES]), offsets, st.just(b"")),
    ),
    max_size=20,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, st.integers())
def test_unsynced_data_against_two_strings(tmp_path: Path, script: list[tuple[str, int, bytes]], seed: int) -> None:
    """The twin holds what is durable, and the writes since."""
    backing, dice = tmp_path / "file", random.Random(seed)
    backing.write_bytes(b"")
    inode = Inode(2, (1, 1))
    inode.descriptor = os.open(backing, os.O_RDWR)
    durable, writes = bytearray(), list[fates.Write]()
    for action, at, data in script:
        seen = bytearray(durable)
        fates.apply(seen, writes)
        match action:
            case "write":
                pages.write(inode, inode.descriptor, [(at, data)])
                writes.append((at, data))
            case "cut":
                pages.write(inode, inode.descriptor, [(at, None)])
                writes.append((at, None))
            case "sync":
                pages.sync(inode, inode.descriptor)
                durable, writes = seen, []
            case "read":
                assert pages.read(inode, inode.descriptor, at, 5000) == seen[at : at + 5000]
            case fate:
                state = dice.getstate()
                told = pages.crash(inode, "file", fate, dice)
                dice.setstate(state)
                fates.apply(durable, fates.survivors(fate, writes, dice))
                assert told.written == fates.size(writes) >= told.kept
                writes = []
        seen = bytearray(durable)
        fates.apply(seen, writes)
        assert pages.length(inode, inode.descriptor) == len(seen)
        assert pages.read(inode, inode.descriptor, 0, 1 << 20) == seen
        assert backing.read_bytes() == durable
    os.close(inode.descriptor)


def test_each_fate_is_what_its_name_says() -> None:
    writes: list[fates.Write] = [(at, bytes([at])) for at in range(20)]
    assert fates.survivors(LOST, writes, random.Random(1)) == []
    assert fates.survivors(KEPT, writes, random.Random(1)) == writes
    seen = {name: set[tuple[int, ...]]() for name in (TORN, REORDERED)}
    for seed in range(100):
        for name, kept in seen.items():
            kept.add(tuple(at for at, _ in fates.survivors(name, writes, random.Random(seed))))
    assert all(kept == tuple(range(len(kept))) for kept in seen[TORN])
    assert len(seen[TORN]) > 10
    assert any(kept != tuple(range(len(kept))) for kept in seen[REORDERED])
    assert all(list(kept) == sorted(kept) for kept in seen[REORDERED])


@given(st.integers(min_value=1, max_value=2000), st.integers(min_value=1, max_value=64), st.integers())
def test_as_many_bits_flip_as_are_asked_for(length: int, bits: int, seed: int) -> None:
    flips = damage.flip(length, bits, random.Random(seed))
    image = bytearray(length)
    for at, mask in flips:
        image[at] ^= mask
    assert sum(byte.bit_count() for byte in image) == min(bits, 8 * length)


def test_rules_go_by_path_operation_count_and_chance() -> None:
    fault = DiskFault(action="eio", path="wal/*", operations=("fsync",), count=2)
    half = DiskFault(action="enospc", probability=0.5)
    rules = Rules(random.Random(1))
    rules.set([fault])
    met = [
        rules.meet("fsync", "wal/a"),
        rules.meet("read", "wal/a"),
        rules.meet("fsync", "log"),
        rules.meet("fsync", "wal/b"),
    ]
    assert met == [fault, None, None, fault]
    assert rules.meet("fsync", "wal/a") is None
    rules.set([fault, half])
    assert rules.hits[fault] == 2, "it goes on counting"
    assert 400 < sum(rules.meet("write", "x") is half for _ in range(1000)) < 600


def test_a_machine_without_the_device_is_told_how_to_get_it() -> None:
    def refuse(number: int) -> Callable[[str, int], int]:
        def open_device(_path: str, _flags: int) -> int:
            raise OSError(number, os.strerror(number))

        return open_device

    assert "modprobe fuse" in str(doctor.unavailable(refuse(errno.ENOENT)))
    assert "chmod 666 /dev/fuse" in str(doctor.unavailable(refuse(errno.EACCES)))
    assert doctor.lacks_of_mounts(lambda: 1000).keys() == {"disk", "power"}


names = st.sampled_from(["a", "b", "d", "d/a", "d/b", "e", "e/a"])
blocks = st.binary(min_size=1, max_size=5000)
places = st.integers(min_value=0, max_value=9000)
calls = st.lists(
    st.one_of(
        st.tuples(st.just("write"), names, places, blocks),
        st.tuples(st.just("append"), names, places, blocks),
        st.tuples(st.sampled_from(["truncate", "fallocate", "punch", "hold_write"]), names, places, blocks),
        st.tuples(st.sampled_from(["rename", "link", "symlink", "exclusive"]), names, names, blocks),
        st.tuples(
            st.sampled_from(["mkdir", "rmdir", "unlink", "read", "fsync", "stat", "list", "hold", "chmod", "utime"]),
            names,
            places,
            blocks,
        ),
    ),
    min_size=1,
    max_size=25,
)


def carry_out(root: Path, held: dict[str, int], call: tuple[Any, ...]) -> Any:
    """One operation below ``root``; what a program sees of it, errors included."""
    what, name, more, data = call
    path = root / name
    try:
        match what:
            case "write" | "append":
                flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if what == "append" else 0)
                descriptor = os.open(path, flags, 0o640)
                try:
                    return os.write(descriptor, data) if what == "append" else os.pwrite(descriptor, data, more)
                finally:
                    os.close(descriptor)
            case "exclusive":
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            case "truncate":
                os.truncate(path, more)
            case "fallocate" | "punch":
                with path.open("r+b") as file:
                    if what == "fallocate":
                        os.posix_fallocate(file.fileno(), more, len(data))
                    else:
                        file.seek(more)
                        file.write(bytes(len(data)))
            case "rename":
                path.rename(root / more)
            case "link":
                os.link(path, root / more)
            case "symlink":
                (root / more).symlink_to(Path(name).name)
            case "mkdir":
                path.mkdir()
            case "rmdir":
                path.rmdir()
            case "unlink":
                path.unlink()
            case "read":
                return path.read_bytes()
            case "fsync":
                with path.open("r+b") as file:
                    os.fsync(file.fileno())
            case "stat":
                found = path.lstat()
                size = found.st_size if stat.S_ISREG(found.st_mode) else 0
                return (stat.S_IFMT(found.st_mode), stat.S_IMODE(found.st_mode), size, found.st_nlink)
            case "list":
                return sorted(entry.name for entry in os.scandir(path))
            case "chmod":
                path.chmod(0o600 + more % 0o100)
            case "utime":
                os.utime(path, ns=(more * 10**9, more * 10**9 + 7))
                return path.stat().st_mtime_ns
            case "hold":  # open, perhaps unlinked or renamed later, still there
                if name in held:
                    os.close(held.pop(name))
                held[name] = os.open(path, os.O_RDWR)
            case "hold_write":
                if name in held:
                    os.pwrite(held[name], data, more)
                    return (os.fstat(held[name]).st_size, os.pread(held[name], 20000, 0))
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return None


def tree(root: Path) -> dict[str, Any]:
    """All that lies below ``root``."""
    return {
        str(path.relative_to(root)): path.readlink()
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in sorted(root.rglob("*"))
    }


@mounted
@pytest.mark.root
def test_a_mounted_disk_does_what_a_directory_does(tmp_path: Path) -> None:
    with disk(tmp_path / "disk") as made:
        run = iter(range(10**6))

        @settings(max_examples=150, deadline=None, database=None)
        @given(calls)
        def same(script: list[tuple[Any, ...]]) -> None:
            number = str(next(run))
            roots = [made.place / number, tmp_path / "plain" / number]
            held: list[dict[str, int]] = [{}, {}]
            for root in roots:
                root.mkdir(parents=True)
            for call in script:
                ours, plain = (carry_out(root, open_, call) for root, open_ in zip(roots, held, strict=True))
                assert ours == plain, call
            assert tree(roots[0]) == tree(roots[1])
            for open_ in held:
                for descriptor in open_.values():
                    os.close(descriptor)
            for root in roots:
                shutil.rmtree(root)

        same()
        assert list(made.place.iterdir()) == []
        assert made.ask("crash", fate=LOST)["files"] == []


@mounted
@pytest.mark.root
def test_what_is_synced_outlives_a_crash_and_what_is_not_is_told(tmp_path: Path) -> None:
    with disk(tmp_path / "disk") as made:
        (made.place / "d").mkdir()
        with (made.place / "d" / "log").open("ab", buffering=0) as log:
            log.write(b"synced")
            os.fsync(log.fileno())
            log.write(b" and not")
        (made.place / "new").write_bytes(b"never synced")
        (made.place / "new").rename(made.place / "renamed")
        (made.place / "gone").write_bytes(b"unlinked")
        (made.place / "gone").unlink()
        files = made.ask("crash", fate=LOST)["files"]
        assert files == [
            {"path": "d/log", "written": 8, "kept": 0},
            {"path": "renamed", "written": 12, "kept": 0},
        ]
        assert (made.place / "d" / "log").read_bytes() == b"synced"
        assert (made.place / "renamed").read_bytes() == b""
    assert tree(tmp_path / "disk") == {"d": None, "d/log": b"synced", "renamed": b""}


@mounted
@pytest.mark.root
def test_shared_memory_of_a_file_and_two_programs_at_once(tmp_path: Path) -> None:
    with disk(tmp_path / "disk") as made:
        path = made.place / "shared"
        path.write_bytes(bytes(10_000))
        with path.open("r+b") as file, mmap.mmap(file.fileno(), 10_000) as memory:
            memory[5000:5005] = b"hello"
            memory.flush()
            assert path.read_bytes()[5000:5005] == b"hello"

        def append(letter: bytes) -> None:
            with (made.place / "log").open("ab", buffering=0) as log:
                for _ in range(300):
                    log.write(letter * 10)
                    os.fsync(log.fileno())

        writers = [threading.Thread(target=append, args=(letter,)) for letter in (b"a", b"b", b"c")]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        data = (made.place / "log").read_bytes()
        lines = [data[at : at + 10] for at in range(0, len(data), 10)]
        assert sorted(lines) == [letter * 10 for letter in (b"a", b"b", b"c") for _ in range(300)]


@mounted
@pytest.mark.root
def test_a_full_disk_says_so_and_extended_attributes_are_refused(tmp_path: Path) -> None:
    with disk(tmp_path / "disk") as made:
        made.break_(DiskFault(action="full"))
        with pytest.raises(OSError, match="No space left"):
            (made.place / "a").write_bytes(b"x")
        assert made.ask("hits", fault=asdict(DiskFault(action="full")))["hits"] == 1  # a program may die of that alone
        assert os.statvfs(made.place).f_bavail == 0
        made.break_()
        (made.place / "a").write_bytes(b"x")
        assert os.statvfs(made.place).f_bavail > 0
        with pytest.raises(OSError, match="not supported"):
            os.setxattr(made.place / "a", "user.x", b"1")


@mounted
@pytest.mark.root
def test_a_flipped_bit_is_seen_by_who_has_read_the_file_before(tmp_path: Path) -> None:
    with disk(tmp_path / "disk") as made, (made.place / "a").open("w+b", buffering=0) as file:
        file.write(bytes(8000))
        os.fsync(file.fileno())
        assert os.pread(file.fileno(), 8000, 0) == bytes(8000)
        made.ask("damage", fault=asdict(DiskFault(action="bit-flip", count=3)))
        for _ in range(1000):  # the kernel forgets what it has read a moment later
            if any(os.pread(file.fileno(), 8000, 0)):
                break
        assert sum(byte.bit_count() for byte in os.pread(file.fileno(), 8000, 0)) == 3
