"""Paths, files, chunks and their versions: the state that edits make, the same on every metadata server. Pure.

Edits are lists: a name and its arguments. They are decided when they are applied, so the journal's order is that of the namespace, and a
rename happens at one moment. Where replicas are is no part of it: data nodes tell that (GFS 2.6.2).

``version`` of a chunk counts its leases; a replica whose version is less than ``safe`` has missed changes (GFS 4.5). They differ after a
repair, which ends a lease by a new version and changes nothing: replicas of the version before are as good.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Edit = list[Any]
Result = dict[str, Any]
ABSENT, EXISTS = "absent", "exists"


@dataclass(slots=True)
class Chunk:
    """A part of a file. Version 0: it has never been written to."""

    file: int
    version: int = 0
    safe: int = 0


class Namespace:
    """See the module."""

    def __init__(self) -> None:
        self.load({"paths": {}, "files": [], "chunks": [], "next": 1})
        self._edits: dict[str, Callable[..., Result]] = {
            "begin": lambda: {"ok": True},
            "create": self._create,
            "delete": self._delete,
            "rename": self._rename,
            "unlink": self._unlink,
            "link": self._link,
            "allocate": self._allocate,
            "version": self._version,
        }

    def apply(self, edit: Edit) -> Result:
        """Carry out one edit: {"ok": ...}, or {"error": "absent" or "exists"}."""
        return self._edits[edit[0]](*edit[1:])

    def chunks_of(self, path: str) -> list[int] | None:
        """The chunks of the file in order; None if there is no such file."""
        file = self.paths.get(path)
        return None if file is None else self.files[file]

    def dump(self) -> dict[str, Any]:
        """All of it, as JSON."""
        chunks = [[number, chunk.file, chunk.version, chunk.safe] for number, chunk in self.chunks.items()]
        files = [[number, list(chunks)] for number, chunks in self.files.items()]
        return {"paths": dict(self.paths), "files": files, "chunks": chunks, "next": self._next}

    def load(self, state: dict[str, Any]) -> None:
        """Become what ``dump`` gave."""
        self.paths: dict[str, int] = dict(state["paths"])
        self.files: dict[int, list[int]] = {number: list(chunks) for number, chunks in state["files"]}
        self.chunks = {number: Chunk(file, version, safe) for number, file, version, safe in state["chunks"]}
        self._next: int = state["next"]

    def _fresh(self) -> int:
        self._next += 1
        return self._next - 1

    def _create(self, path: str) -> Result:
        if path in self.paths:
            return {"error": EXISTS}
        self.paths[path] = file = self._fresh()
        self.files[file] = []
        return {"ok": file}

    def _delete(self, path: str) -> Result:
        file = self.paths.pop(path, None)
        if file is None:
            return {"error": ABSENT}
        for chunk in self.files.pop(file):
            del self.chunks[chunk]
        return {"ok": True}

    def _rename(self, old: str, new: str) -> Result:
        if old not in self.paths:
            return {"error": ABSENT}
        if new in self.paths:
            return {"error": EXISTS}
        self.paths[new] = self.paths.pop(old)
        return {"ok": True}

    def _unlink(self, old: str, new: str) -> Result:
        """The first half of a rename that is not atomic: see the bug of that name."""
        if old not in self.paths:
            return {"error": ABSENT}
        if new in self.paths:
            return {"error": EXISTS}
        return {"ok": self.paths.pop(old)}

    def _link(self, path: str, file: int) -> Result:
        self.paths[path] = file
        return {"ok": True}

    def _allocate(self, file: int, index: int) -> Result:
        """The chunk of this index of the file, made if it is the next one."""
        chunks = self.files.get(file)
        if chunks is None or index > len(chunks):
            return {"error": ABSENT}
        if index == len(chunks):
            chunk = self._fresh()
            chunks.append(chunk)
            self.chunks[chunk] = Chunk(file)
        return {"ok": chunks[index]}

    def _version(self, number: int, version: int, safe: int) -> Result:
        chunk = self.chunks.get(number)
        if chunk is None or version <= chunk.version:
            return {"error": ABSENT}
        chunk.version, chunk.safe = version, safe
        return {"ok": True}
