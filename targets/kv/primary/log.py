"""The log on the disk: entries numbered from 1, each with the epoch of the primary that wrote it; the oldest replaced by a checkpoint.

One file of records (``targets.node.records``), appended to. A record whose index the log already has replaces the entry there and all
behind it, so cutting off a tail needs no record of its own. Must not know what commands mean.

Two logs that have the same epoch at an index are equal up to it: an epoch has one primary, which writes each index once, and a backup
takes entries only behind one that agrees.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from targets.node.env import Storage
from targets.node.records import frame, unframe

Entry = list[Any]  # [epoch, command]; a list, as it comes out of a message
EPOCH, COMMAND = 0, 1

FILE = "log"
BASE = "base"  # the record ["base", index, epoch] begins a log whose entries up to index are gone; others are [index, epoch, command]
_encode = json.JSONEncoder(separators=(",", ":")).encode


class Log:
    """The entries, on the disk and in memory. ``base_index`` and ``base_epoch`` are those of the last entry that is gone."""

    def __init__(self, storage: Storage, note: Callable[..., None]) -> None:
        self._storage = storage
        self.base_index, self.base_epoch = 0, 0
        self.entries: list[Entry] = []
        self._load(note)
        self.synced_index = self.last_index

    @property
    def last_index(self) -> int:
        return self.base_index + len(self.entries)

    @property
    def end(self) -> tuple[int, int]:
        """(epoch, index) of the last entry. The greater of two ends is that of the log that is more complete."""
        return (self.entries[-1][EPOCH] if self.entries else self.base_epoch), self.last_index

    def epoch_at(self, index: int) -> int | None:
        """The epoch of the entry at ``index``; None if it is not in the log (not yet, or not any more)."""
        offset = index - self.base_index
        if offset <= 0:
            return self.base_epoch if offset == 0 else None
        epoch: int | None = self.entries[offset - 1][EPOCH] if offset <= len(self.entries) else None
        return epoch

    def command_at(self, index: int) -> Any:
        return self.entries[index - self.base_index - 1][COMMAND]

    def slice(self, start: int, count: int) -> list[Entry]:
        """Up to ``count`` entries from ``start`` on."""
        offset = start - self.base_index - 1
        return self.entries[offset : offset + count]

    def first_of_epoch(self, index: int) -> int:
        """The first index that the log still has whose entry is of the same epoch as the entry at ``index``."""
        epoch = self.epoch_at(index)
        while index > self.base_index + 1 and self.epoch_at(index - 1) == epoch:
            index -= 1
        return index

    def agreeing(self, prev: int, entries: Sequence[Entry]) -> int:
        """How many of ``entries``, which stand behind ``prev``, the log has already."""
        known = 0
        while known < len(entries) and self.epoch_at(prev + 1 + known) == entries[known][EPOCH]:
            known += 1
        return known

    def put(self, first: int, entries: Sequence[Entry]) -> None:
        """Make ``entries`` the log from ``first`` on; what stood there is gone. Durable only after ``sync``."""
        del self.entries[first - self.base_index - 1 :]
        self.synced_index = min(self.synced_index, first - 1)
        self.entries.extend(entries)
        self._storage.append(FILE, _records(first, entries))

    def sync(self) -> None:
        """All entries are durable when this returns."""
        if self.synced_index < self.last_index:
            self._storage.sync(FILE)
            self.synced_index = self.last_index

    def shorten(self, index: int) -> None:
        """Forget the entries up to ``index``, which a checkpoint holds."""
        epoch = self.epoch_at(index)
        if index <= self.base_index or epoch is None:
            return
        del self.entries[: index - self.base_index]
        self.base_index, self.base_epoch = index, epoch
        self._rewrite()

    def restart_at(self, index: int, epoch: int) -> None:
        """Forget everything: the log goes on behind a checkpoint that ends at (``index``, ``epoch``)."""
        self.base_index, self.base_epoch, self.entries = index, epoch, []
        self._rewrite()

    def _rewrite(self) -> None:
        base = frame(_encode([BASE, self.base_index, self.base_epoch]).encode())
        self._storage.replace(FILE, base + _records(self.base_index + 1, self.entries))
        self.synced_index = self.last_index

    def _load(self, note: Callable[..., None]) -> None:
        data = self._storage.read(FILE)
        payloads, taken = unframe(data)
        for payload in payloads:
            index, epoch, command = json.loads(payload)
            if index == BASE:
                self.base_index, self.base_epoch, self.entries = epoch, command, []
            else:
                del self.entries[index - self.base_index - 1 :]
                self.entries.append([epoch, command])
        if taken < len(data):
            note("torn-tail", file=FILE, kept=taken, dropped=len(data) - taken)
            # Whatever is appended behind a torn record would never be read again: it goes before anything new comes.
            self._storage.replace(FILE, data[:taken])


def _records(first: int, entries: Iterable[Entry]) -> bytes:
    return b"".join([frame(_encode([index, *entry]).encode()) for index, entry in enumerate(entries, first)])
