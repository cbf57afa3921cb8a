"""The chunks on the disk of one data node: a file for each, and one that says which there are and whose orders are still obeyed.

What is read is verified each time, so that damage is found where it lies (GFS 5.2). Of a chunk that is damaged the file stays, until
a good replica takes its place: nobody reads it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from targets.dfs.gfs.bugs import Bugs
from targets.dfs.gfs.chunk import Corrupt, Replica, decode, encode, overwritten
from targets.dfs.gfs.config import Config
from targets.node.env import Env
from targets.node.records import Damaged, frame, whole

INDEX = "chunks"


@dataclass(slots=True)
class Known:
    """What is known of a replica without reading it. ``end``: of its data."""

    version: int
    serial: int
    end: int


class Store:
    """See the module. ``when_bad(chunk)`` is called when damage is found."""

    def __init__(self, env: Env, config: Config, bugs: Bugs) -> None:
        self._env, self._storage, self._bugs = env, env.storage, bugs
        self._checked = config.checksums and not bugs.checksum_skipped
        self.known: dict[int, Known] = {}
        self.bad: set[int] = set()
        self.epoch = 0  # of the latest active server that gave an order
        self.changes = 0  # a number that grows with each change of what is here
        self.when_bad: Callable[[int], None] = _nothing
        self._dropped_files: set[int] = set()
        if not config.replaced:
            self._load()

    def obey(self, epoch: int) -> None:
        """An order of this epoch came: none of an earlier one is obeyed any more."""
        self.epoch = epoch
        self._save()

    def read(self, chunk: int) -> Replica:
        """What the disk gives back. Raises Corrupt, also for a chunk that is known to be bad."""
        if chunk in self.bad:
            raise Corrupt(f"chunk {chunk} is damaged")
        try:
            return self._verified(chunk)
        except Corrupt as corrupt:
            self._env.log("corrupt", chunk=chunk, why=str(corrupt))
            self.bad.add(chunk)
            self.known.pop(chunk, None)
            self.changes += 1
            self.when_bad(chunk)
            raise

    def _verified(self, chunk: int) -> Replica:
        """What the disk gives back. Raises Corrupt, also for what is whole and is not what was written last: a write that was lost."""
        replica, known = decode(chunk, self._storage.read(_file(chunk)), checked=self._checked), self.known.get(chunk)
        if self._checked and known is not None and (replica.version, replica.serial) != (known.version, known.serial):
            raise Corrupt(f"chunk {chunk}: an older state came back than what was written last")
        return replica

    def put(self, chunk: int, replica: Replica) -> None:
        """The chunk is this from now on, durably."""
        new = chunk not in self.known and chunk not in self.bad
        self._write(chunk, replica)
        self.bad.discard(chunk)
        self.changes += 1
        if new:
            self._save()

    def adopt(self, chunk: int, version: int) -> None:
        """The replica is of this version from now on. Raises Corrupt."""
        self.put(chunk, Replica(version, 0, self.read(chunk).data))

    def write(self, chunk: int, serial: int, offset: int, piece: bytes) -> None:
        """Change the chunk's data under its version. Raises Corrupt."""
        old = self.read(chunk)
        version = self.known[chunk].version
        self._write(chunk, Replica(version, serial, overwritten(old.data, offset, piece)))

    def drop(self, chunk: int) -> None:
        """The chunk is not here any more."""
        self.known.pop(chunk, None)
        self.bad.discard(chunk)
        self.changes += 1
        self._save()
        self._storage.replace(_file(chunk), b"")

    def _write(self, chunk: int, replica: Replica) -> None:
        data = encode(chunk, replica)
        self._storage.replace(_file(chunk), data)
        self.known[chunk] = Known(replica.version, replica.serial, len(replica.data))

    def _save(self) -> None:
        index = {"epoch": self.epoch, "chunks": sorted({*self.known, *self.bad})}
        self._storage.replace(INDEX, frame(json.dumps(index, separators=(",", ":")).encode()))

    def _load(self) -> None:
        try:
            payload = whole(self._storage.read(INDEX))
        except Damaged as damage:
            self._env.log("damaged", file=INDEX, why=str(damage))  # what was here is lost: others have it
            return
        index: dict[str, Any] = json.loads(payload) if payload else {"epoch": 0, "chunks": []}
        self.epoch = index["epoch"]
        for chunk in index["chunks"]:
            try:
                replica = decode(chunk, self._storage.read(_file(chunk)), checked=self._checked)
                self.known[chunk] = Known(replica.version, replica.serial, len(replica.data))
            except Corrupt as corrupt:
                self._env.log("corrupt", chunk=chunk, why=str(corrupt))
                self.bad.add(chunk)


def _file(chunk: int) -> str:
    return f"chunk-{chunk}"


def _nothing(_chunk: int) -> None:
    """What is called until the node has put its parts together."""
