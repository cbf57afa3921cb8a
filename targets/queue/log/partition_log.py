"""The log of one partition on one node's disk: messages at ascending offsets, each with the epoch of the leader that took it.

A record is ``[offset, epoch, producer, key, value]``; ``producer`` is ``[id, epoch, sequence]`` or null. Offsets are dense until messages
are compacted. ``epochs`` remembers where each leader's epoch began (KIP-101's leader epoch cache), also when its messages are gone.

The file is append-only; what removes messages (truncation, retention, compaction) replaces it whole, beginning with a head.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from targets.node.env import Storage
from targets.node.records import frame, unframe

Record = list[Any]
OFFSET, EPOCH, PRODUCER, KEY, VALUE = range(5)


class PartitionLog:
    """``records`` from ``start`` to ``end`` (the offset that the next message gets). A tail that a crash tore is cut off."""

    def __init__(self, storage: Storage, partition: str) -> None:
        self._storage, self._file = storage, f"p.{partition}"
        self.records: list[Record] = []
        self.start = self.end = 0
        self._epochs: list[tuple[int, int]] = []  # (epoch, its first offset), ascending
        self._load()

    @property
    def last_epoch(self) -> int:
        """The epoch of the latest message; 0 if there is none."""
        return self._epochs[-1][0] if self._epochs else 0

    def append(self, records: Sequence[Record]) -> None:
        """Add ``records`` at the end. Durable after ``sync``."""
        self._take(records)
        self._storage.append(self._file, b"".join(_framed(record) for record in records))

    def sync(self) -> None:
        self._storage.sync(self._file)

    def since(self, offset: int, records_max: int) -> list[Record]:
        """The first ``records_max`` messages from ``offset`` on."""
        place = self._place(offset)
        return self.records[place : place + records_max]

    def end_of(self, epoch: int) -> tuple[int, int]:
        """The largest epoch up to ``epoch`` that this log knows (0 if none), and the offset at which it ended here.

        KIP-101, OffsetsForLeaderEpoch; with KIP-279, which adds the epoch to the answer.
        """
        found = (0, self._epochs[0][1] if self._epochs else self.end)
        for place, (known, _) in enumerate(self._epochs):
            if known > epoch:
                break
            ends = self._epochs[place + 1][1] if place + 1 < len(self._epochs) else self.end
            found = (known, ends)
        return found

    def truncate(self, end: int) -> None:
        """Forget the messages from ``end`` on; durable when this returns."""
        if end >= self.end:
            return
        del self.records[self._place(end) :]
        self._epochs = [(epoch, first) for epoch, first in self._epochs if first < end]
        self.end = max(end, self.start)
        self._rewrite()

    def restart_at(self, offset: int) -> None:
        """Forget everything: the log begins at ``offset``, since its leader has nothing older."""
        self.records, self._epochs = [], []
        self.start = self.end = offset
        self._rewrite()

    def retain(self, count: int, below: int) -> None:
        """Forget the oldest messages of those before ``below``, as long as more than ``count`` remain."""
        excess = min(len(self.records) - count, self._place(below))
        if excess > 0:
            self.start = self.records[excess][OFFSET] if excess < len(self.records) else self.end
            del self.records[:excess]
            self._rewrite()

    def compact(self, below: int) -> None:
        """Of the messages before ``below`` that have one key, keep the last; and the last of each producer, for its sequence."""
        bound = self._place(below)
        head, keys, producers = [], set(), set()
        for record in reversed(self.records[:bound]):
            producer = record[PRODUCER][0] if record[PRODUCER] is not None else None
            superseded = record[KEY] is not None and record[KEY] in keys
            if not superseded or (producer is not None and producer not in producers):
                head.append(record)
            keys.add(record[KEY])
            producers.add(producer)
        if len(head) < bound:
            self.records[:bound] = reversed(head)
            self._rewrite()

    def _place(self, offset: int) -> int:
        return bisect_left(self.records, offset, key=lambda record: record[OFFSET])

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            if record[EPOCH] > self.last_epoch:
                self._epochs.append((record[EPOCH], record[OFFSET]))
            self.end = record[OFFSET] + 1
        self.records.extend(records)

    def _rewrite(self) -> None:
        head = {"start": self.start, "end": self.end, "epochs": self._epochs}
        self._storage.replace(self._file, b"".join(map(_framed, (head, *self.records))))

    def _load(self) -> None:
        data = self._storage.read(self._file)
        payloads, taken = unframe(data)
        if taken < len(data):
            self._storage.replace(self._file, data[:taken])
        found = [json.loads(payload) for payload in payloads]
        if found and isinstance(found[0], dict):
            head = found.pop(0)
            self.start, self.end = head["start"], head["end"]
            self._epochs = [(epoch, first) for epoch, first in head["epochs"]]
        self._take(found)


def _framed(record: Any) -> bytes:
    return frame(json.dumps(record, separators=(",", ":")).encode())
