"""A node's storage in files of one directory. Satisfies ``targets.node.env.Storage``.

What is appended stays in this process until ``sync``: a page cache would survive SIGKILL, and the contract (what is not synced may be
lost) would never be put to the test. On a disk that can fail it goes ``through`` to the system at once: that disk does it.
"""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TEMPORARY = ".new"


@functools.lru_cache(maxsize=256)  # every append and sync asks, of a handful of names
def check_name(name: str) -> None:
    """Raises ValueError if a file may not be called that: names are plain, so that they mean the same on every system."""
    if not _NAME.fullmatch(name) or name.endswith(_TEMPORARY):
        raise ValueError(
            f"{name!r} is no name for a file of a node: letters, digits, '.', '_', '-', at most 100, first a letter or digit, "
            f"not ending in {_TEMPORARY!r}"
        )


class FileStorage:
    """Files below ``directory``, which is made if it is not there. Raises OSError as the disk does."""

    def __init__(self, directory: Path, *, through: bool = False) -> None:
        self._directory, self._through = directory, through
        self._open: dict[str, int] = {}  # files that have been appended to, if it goes through
        self._new: set[str] = set()  # of those, the ones whose name may not be durable yet
        self._fresh: dict[str, list[bytes]] = {}
        directory.mkdir(parents=True, exist_ok=True)

    def append(self, name: str, data: bytes) -> None:
        check_name(name)
        if not self._through:
            self._fresh.setdefault(name, []).append(bytes(data))
            return
        descriptor = self._open.get(name)
        if descriptor is None:
            path = self._directory / name
            self._new |= set() if path.exists() else {name}
            descriptor = self._open[name] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        _write_all(descriptor, data)

    def sync(self, name: str) -> None:
        check_name(name)
        if self._through:
            if name in self._open:
                os.fsync(self._open[name])
            if name in self._new:
                self._sync_directory()
                self._new.discard(name)
            return
        fresh = self._fresh.get(name)
        if not fresh:
            return
        path = self._directory / name
        new = not path.exists()
        self._write(path, b"".join(fresh), os.O_APPEND)
        if new:
            self._sync_directory()
        del self._fresh[name]

    def settle(self) -> None:
        """All that was appended is durable: what a node that is given time to end sees to."""
        for name in [*self._fresh, *self._open]:
            self.sync(name)

    def read(self, name: str) -> bytes:
        check_name(name)
        try:
            kept = (self._directory / name).read_bytes()
        except FileNotFoundError:
            kept = b""
        return b"".join((kept, *self._fresh.get(name, ())))

    def replace(self, name: str, data: bytes) -> None:
        check_name(name)
        temporary = self._directory / (name + _TEMPORARY)
        self._write(temporary, data, os.O_TRUNC)
        temporary.replace(self._directory / name)
        self._sync_directory()
        self._fresh.pop(name, None)
        if name in self._open:
            os.close(self._open.pop(name))  # it is another file now

    def _write(self, path: Path, data: bytes, flag: int) -> None:
        """Write all of ``data`` and wait until the disk has it."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o644)
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _sync_directory(self) -> None:
        """A new name is durable only when its directory is (fsync(2), notes)."""
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
