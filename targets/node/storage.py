"""A node's storage in files of one directory. Satisfies ``targets.node.env.Storage``.

What is appended stays in this process until ``sync``: a page cache would survive SIGKILL, and the contract (what is not synced may be
lost) would never be put to the test.
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

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._fresh: dict[str, list[bytes]] = {}
        directory.mkdir(parents=True, exist_ok=True)

    def append(self, name: str, data: bytes) -> None:
        check_name(name)
        self._fresh.setdefault(name, []).append(bytes(data))

    def sync(self, name: str) -> None:
        check_name(name)
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
        for name in list(self._fresh):
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

    def _write(self, path: Path, data: bytes, flag: int) -> None:
        """Write all of ``data`` and wait until the disk has it."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o644)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
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
