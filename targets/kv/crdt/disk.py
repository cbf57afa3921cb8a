"""What survives a crash: a checkpoint, and a journal of the records behind it.

A checkpoint is on the disk before the journal is emptied. A crash between the two leaves records that the checkpoint already holds (a join
would not mind them, a sum would): so records are numbered, a checkpoint says which it holds, and these are not read again.
"""

from __future__ import annotations

import json
from typing import Any

from targets.node.env import Storage
from targets.node.records import frame, unframe

JOURNAL, CHECKPOINT = "journal", "checkpoint"


class Disk:
    """One node's journal. ``records`` counts those behind the checkpoint."""

    def __init__(self, storage: Storage, *, torn_tail_kept: bool = False) -> None:
        self._storage, self._torn_tail_kept = storage, torn_tail_kept
        self.records = 0
        self._number = 0

    def recover(self) -> tuple[Any, list[Any]]:
        """The checkpoint (None: there is none) and the records behind it, oldest first. A torn tail is cut off."""
        saved, data = self._storage.read(CHECKPOINT), self._storage.read(JOURNAL)
        payloads, taken = unframe(data)
        if taken < len(data) and not self._torn_tail_kept:
            self._storage.replace(JOURNAL, data[:taken])
        self.records = len(payloads)
        held, state = json.loads(saved) if saved else (0, None)
        numbered = [json.loads(payload) for payload in payloads]
        self._number = max([held, *(number for number, _ in numbered)])
        return state, [record for number, record in numbered if number > held]

    def append(self, record: Any) -> None:
        """Write a record; it is durable after ``sync``."""
        self._number += 1
        self._storage.append(JOURNAL, frame(_packed([self._number, record])))
        self.records += 1

    def sync(self) -> None:
        self._storage.sync(JOURNAL)

    def checkpoint(self, state: Any) -> None:
        """Durable when this returns: ``state`` instead of all records so far."""
        self._storage.replace(CHECKPOINT, _packed([self._number, state]))
        self._storage.replace(JOURNAL, b"")
        self.records = 0


def _packed(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
