"""What is on the disk: this node's copies of keys, and its hints. One file of records, appended to, rewritten when it has grown.

Records are JSON lists: ["cell", key, cell] (the cell is whole, a later one replaces it), ["gone", key], ["hint", home, key] (this node
holds the key for that home) and ["done", home, key]. Nothing may be said of what was not synced: to a coordinator not, and to a client
not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from targets.kv.dynamo.bugs import Bugs
from targets.kv.dynamo.cells import Cell, Kind, digest_of, slot_of
from targets.kv.dynamo.config import Config
from targets.node.env import Env
from targets.node.records import frame, unframe

FILE = "cells"
CELL, GONE, HINT, DONE = "cell", "gone", "hint", "done"
COLLECT_S = 0.5  # how often tombstones are looked through
# With the bugs: so late is late enough to be lost in a crash; so soon is too soon for a node that is away.
LAZY_SYNC_S, IMPATIENT_GRACE_S = 1.0, 1.0
_encode = json.JSONEncoder(separators=(",", ":")).encode


class Store:
    """Copies by slot of the key (``cells.slot_of``): ``cells`` and ``keys``. ``hints``: home → slots that are held for it, oldest first."""

    def __init__(self, env: Env, config: Config, kind: Kind, bugs: Bugs) -> None:
        self._env, self._config, self._kind, self._bugs = env, config, kind, bugs
        self.cells: dict[str, Cell] = {}
        self.keys: dict[str, Any] = {}
        self.hints: dict[str, dict[str, None]] = {}
        self._digests: dict[str, str] = {}
        self._dead_since_s: dict[str, float] = {}
        self._dirty = self._lazy = False
        self._bytes = 0
        self._load()

    def start(self) -> None:
        self._env.call_later(COLLECT_S, self._collect)

    def get(self, key: Any) -> Cell | None:
        return self.cells.get(slot_of(key))

    def merge(self, key: Any, cell: Cell) -> Cell:
        """Take in what ``cell`` says of ``key``; return the copy that comes of it. Durable after ``sync``."""
        slot = slot_of(key)
        mine = self.cells.get(slot)
        self._kind.seen(cell, None)
        merged = cell if mine is None else self._kind.merge(mine, cell)
        if merged is not mine:
            self.put(key, merged)
        return merged

    def put(self, key: Any, cell: Cell) -> None:
        """Make ``cell`` the copy, whatever it was."""
        slot = slot_of(key)
        self._set(slot, key, cell)
        self._append([CELL, key, cell])

    def forget(self, slot: str) -> None:
        """Drop the copy."""
        self._append([GONE, self.keys[slot]])
        self._drop(slot)

    def hint(self, home: str, key: Any) -> None:
        """Remember that ``home`` is to get this node's copy of ``key``."""
        slots = self.hints.setdefault(home, {})
        if slot_of(key) not in slots:
            slots[slot_of(key)] = None
            if not self._bugs.hints_volatile:
                self._append([HINT, home, key])

    def handed_over(self, home: str, slot: str) -> None:
        """``home`` has what this node held for it."""
        if self.hints.get(home, {}).pop(slot, self) is not self:
            self._append([DONE, home, self.keys[slot]])

    def is_hinted(self, slot: str) -> bool:
        return any(slot in slots for slots in self.hints.values())

    def digest(self, slot: str) -> str:
        """Equal for equal copies."""
        found = self._digests.get(slot)
        if found is None:
            found = self._digests[slot] = digest_of(self.cells[slot])
        return found

    def sync(self) -> None:
        """All that was done is durable when this returns."""
        if self._bugs.ack_before_sync:
            if not self._lazy:
                self._lazy = True
                self._env.call_later(LAZY_SYNC_S, self._sync_late)
        elif self._dirty:
            self._sync()

    def _sync_late(self) -> None:
        self._lazy = False
        self._sync()

    def _sync(self) -> None:
        self._dirty = False
        self._env.storage.sync(FILE)
        if self._bytes > self._config.log_bytes:
            self._rewrite()

    def _append(self, record: list[Any]) -> None:
        data = frame(_encode(record).encode())
        self._env.storage.append(FILE, data)
        self._bytes += len(data)
        self._dirty = True

    def _rewrite(self) -> None:
        data = b"".join(frame(_encode(record).encode()) for record in self._records())
        self._env.storage.replace(FILE, data)
        self._bytes = (
            len(data) // 2
        )  # so that it is rewritten again when it has grown as much as it may, or by half of itself

    def _records(self) -> Iterator[list[Any]]:
        for slot, cell in self.cells.items():
            yield [CELL, self.keys[slot], cell]
        for home, slots in {} if self._bugs.hints_volatile else self.hints.items():
            for slot in slots:
                yield [HINT, home, self.keys[slot]]

    def _load(self) -> None:
        data = self._env.storage.read(FILE)
        payloads, taken = unframe(data)
        self._bytes = taken
        for payload in payloads:
            what, *rest = json.loads(payload)
            if what == CELL:
                self._set(slot_of(rest[0]), *rest)
                self._kind.seen(rest[1], None)
            elif what == GONE:
                self._drop(slot_of(rest[0]))
            elif what == HINT:
                self.hints.setdefault(rest[0], {})[slot_of(rest[1])] = None
            else:
                self.hints.setdefault(rest[0], {}).pop(slot_of(rest[1]), None)
        if taken < len(data):
            self._env.log("torn-tail", file=FILE, kept=taken, dropped=len(data) - taken)
            # Whatever is appended behind a torn record would never be read again: it goes before anything new comes.
            self._env.storage.replace(FILE, data[:taken])

    def _set(self, slot: str, key: Any, cell: Cell) -> None:
        self.cells[slot], self.keys[slot] = cell, key
        self._digests.pop(slot, None)
        if self._kind.values(cell):
            self._dead_since_s.pop(slot, None)
        else:
            self._dead_since_s.setdefault(slot, self._env.monotonic())

    def _drop(self, slot: str) -> None:
        for table in (self.cells, self._digests, self._dead_since_s):
            table.pop(slot, None)

    def _collect(self) -> None:
        """Forget deletions that are old enough for every replica to have heard of them."""
        early = self._bugs.tombstones_collected
        before_s = self._env.monotonic() - (IMPATIENT_GRACE_S if early else self._config.gc_grace_s)
        for slot, since_s in list(self._dead_since_s.items()):
            if since_s < before_s and (early or not (self._kind.must_stay(self.cells[slot]) or self.is_hinted(slot))):
                self.forget(slot)
        self.sync()
        self._env.call_later(COLLECT_S, self._collect)
