"""The persistent log (Figure 2, log[]): entries numbered from 1, the oldest of them replaced by a snapshot (section 7).

One file of records (``targets.node.records``), appended to. A record with an index that the log already has replaces the entry there
and all after it, so truncation needs no record of its own. Must not know what entries mean: an entry is ``[term, command]``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from targets.kv.raft.bugs import Bugs
from targets.node.env import Storage
from targets.node.records import SEAL, check, frame, seal, unframe

Entry = list[Any]  # [term, command]; a list, as it comes out of a message
TERM, COMMAND = 0, 1

FILE = "log"
BASE = "base"  # the record ["base", index, term] begins a log whose entries up to index are gone; all others are [index, term, command]
_encode = json.JSONEncoder(separators=(",", ":")).encode


class Log:
    """What is on the disk, and in memory for speed. ``base_index`` and ``base_term`` are those of the last entry that is gone.

    Raises Damaged if the disk does not give back what was synced.
    """

    def __init__(self, storage: Storage, bugs: Bugs, note: Callable[..., None]) -> None:
        self._storage, self._bugs = storage, bugs
        self.base_index, self.base_term = 0, 0
        self.entries: list[Entry] = []
        self._load(note)
        self.synced_index = self.last_index

    @property
    def last_index(self) -> int:
        return self.base_index + len(self.entries)

    @property
    def last_term(self) -> int:
        term: int = self.entries[-1][TERM] if self.entries else self.base_term
        return term

    def term_at(self, index: int) -> int | None:
        """The term of the entry at ``index``; None if it is not in the log (not yet, or not any more)."""
        offset = index - self.base_index
        if offset <= 0:
            return self.base_term if offset == 0 else None
        term: int | None = self.entries[offset - 1][TERM] if offset <= len(self.entries) else None
        return term

    def command_at(self, index: int) -> Any:
        return self.entries[index - self.base_index - 1][COMMAND]

    def slice(self, start: int, count: int) -> list[Entry]:
        """Up to ``count`` entries from ``start`` on."""
        offset = start - self.base_index - 1
        return self.entries[offset : offset + max(0, count)]

    def first_of_term(self, index: int) -> int:
        """The first index that the log still has whose entry is of the same term as the entry at ``index``."""
        term = self.term_at(index)
        while index > self.base_index + 1 and self.term_at(index - 1) == term:
            index -= 1
        return index

    def splice(self, prev: int, entries: Sequence[Entry]) -> int:
        """Put ``entries`` behind ``prev``, which the log must have. Returns the index from which on the log has changed.

        Figure 2, AppendEntries 3 and 4: "If an existing entry conflicts with a new one (same index but different
        terms), delete the existing entry and all that follow it. Append any new entries not already in the log."
        What agrees stays, and so does what follows it: the message may be an old one that was overtaken.
        """
        known = 0
        for entry in entries:
            if self.term_at(prev + 1 + known) != entry[TERM]:
                break
            known += 1
        first, fresh = prev + 1 + known, entries[known:]
        if fresh:
            del self.entries[first - self.base_index - 1 :]
            self.synced_index = min(self.synced_index, first - 1)
            self.entries.extend(fresh)
            self._storage.append(FILE, _records(first, fresh))
        return first

    def sync(self) -> None:
        """All entries are durable when this returns."""
        if self.synced_index == self.last_index:
            return
        if not self._bugs.no_fsync:
            seal(self._storage, FILE)
        self.synced_index = self.last_index

    def compact(self, index: int) -> None:
        """Forget the entries up to ``index``, which a snapshot holds."""
        term = self.term_at(index)
        if index <= self.base_index or term is None:
            return
        del self.entries[: index - self.base_index]
        self.base_index, self.base_term = index, term
        self._rewrite()

    def restart_at(self, index: int, term: int) -> None:
        """Forget everything: the log goes on behind a snapshot that ends at (``index``, ``term``)."""
        self.base_index, self.base_term, self.entries = index, term, []
        self._rewrite()

    def _rewrite(self) -> None:
        base = frame(_encode([BASE, self.base_index, self.base_term]).encode())
        self._storage.replace(FILE, base + _records(self.base_index + 1, self.entries) + SEAL)
        self.synced_index = self.last_index

    def _load(self, note: Callable[..., None]) -> None:
        data = self._storage.read(FILE)
        payloads, taken = unframe(data, checked=not self._bugs.no_checksum)
        if not self._bugs.no_checksum:
            check(data, taken)
        for payload in payloads:
            try:
                self._take(*json.loads(payload))
            except (ValueError, TypeError):
                if not self._bugs.no_checksum:
                    raise  # what cannot be read is skipped
        torn = taken < len(data)
        if torn:
            note("torn-tail", file=FILE, kept=taken, dropped=len(data) - taken)
        if torn or (data and not data.endswith(SEAL)):
            # Whatever is appended behind a torn record would never be read again: it goes before anything new comes. And what the crash
            # left of unsynced records counts from now on like what was synced.
            self._storage.replace(FILE, data[:taken] + SEAL)

    def _take(self, index: Any, term_or_index: int, command_or_term: Any) -> None:
        if index == BASE:
            self.base_index, self.base_term, self.entries = term_or_index, command_or_term, []
            return
        del self.entries[index - self.base_index - 1 :]
        self.entries.append([term_or_index, command_or_term])


def _records(first: int, entries: Iterable[Entry]) -> bytes:
    return b"".join([frame(_encode([index, *entry]).encode()) for index, entry in enumerate(entries, first)])
