"""A disk on which a crash may come between any two of a program's calls, and may keep any of the writes that were not synced."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.clusters.disks import fates


class Tape:
    """A storage of which every call is written down, with what the program had promised by then (``promised``, which the test sets).

    Satisfies ``targets.node.env.Storage``.
    """

    def __init__(self, content: Mapping[str, bytes] | None = None) -> None:
        self.promised: Any = None
        self._calls: list[tuple[str, str, bytes, Any]] = []
        self._durable = dict(content or {})  # before the first call
        self.content = dict(self._durable)

    def append(self, name: str, data: bytes) -> None:
        self._note("append", name, data)
        self.content[name] = self.read(name) + data

    def sync(self, name: str) -> None:
        self._note("sync", name, b"")

    def replace(self, name: str, data: bytes) -> None:
        self._note("replace", name, data)
        self.content[name] = data

    def read(self, name: str) -> bytes:
        return self.content.get(name, b"")

    def _note(self, call: str, name: str, data: bytes) -> None:
        self._calls.append((call, name, data, self.promised))

    def crashes(self) -> Iterator[tuple[Tape, Any]]:
        """Every disk that a crash may leave, and what had been promised by then: before each call and after the last, with nothing,
        half and all of each write that is not synced.
        """
        durable, unsynced = dict(self._durable), dict[str, list[fates.Write]]()
        for call, name, data, promised in [*self._calls, ("", "", b"", self.promised)]:
            for kept in itertools.product(*(_kept(name, write) for name in unsynced for write in unsynced[name])):
                yield Tape(_with(durable, kept)), promised
            there, waiting = durable.get(name, b""), unsynced.setdefault(name, [])
            if call == "append":
                waiting.append((len(there) + fates.size(waiting), data))
            elif call:
                image = {name: data} if call == "replace" else _with(durable, [(name, write) for write in waiting])
                durable, unsynced[name] = durable | image, []


def _kept(name: str, write: fates.Write) -> list[tuple[str, fates.Write | None]]:
    """What may be left of a write to this file."""
    at, data = write
    assert data, "appended, and not empty"
    return [(name, None), (name, (at, data[: len(data) // 2])), (name, write)]


def _with(durable: Mapping[str, bytes], writes: Iterable[tuple[str, fates.Write | None]]) -> dict[str, bytes]:
    """These files with these writes of (name, write) done to them."""
    images = {name: bytearray(data) for name, data in durable.items()}
    for name, write in writes:
        if write is not None:
            fates.apply(images.setdefault(name, bytearray()), [write])
    return {name: bytes(image) for name, image in images.items()}
