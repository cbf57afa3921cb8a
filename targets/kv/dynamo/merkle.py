"""Merkle trees over the keys that two nodes share (4.7): equal at the top means equal everywhere, and a difference is found in a few steps.

A key lies in one of 256 leaves by its hash; the hash of a leaf is that of its keys with the digests of their copies; a branch has 16
leaves, the root 16 branches. A path is a list of up to two numbers from 0 to 15. Pure: tables in, tables out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from targets.kv.dynamo.ring import place_of

FANOUT, DEPTH = 16, 2
EMPTY = ""  # the hash of a part without keys

Path = tuple[int, ...]


def path_of(slot: str) -> Path:
    """The leaf of the key in that slot."""
    place = place_of(f"leaf/{slot}")
    return place % FANOUT, place // FANOUT % FANOUT


class Tree:
    """The tree of ``digests``: slot → digest of the copy."""

    def __init__(self, digests: Mapping[str, str]) -> None:
        self._leaves: dict[Path, dict[str, str]] = {}
        for slot, digest in sorted(digests.items()):
            self._leaves.setdefault(path_of(slot), {})[slot] = digest
        self._hashes: dict[Path, str] = {path: _hash(*leaf.items()) for path, leaf in self._leaves.items()}
        for level in range(DEPTH - 1, -1, -1):
            parents: dict[Path, list[tuple[int, str]]] = {}
            for path in sorted(path for path in self._hashes if len(path) == level + 1):
                parents.setdefault(path[:level], []).append((path[-1], self._hashes[path]))
            self._hashes |= {path: _hash(*children) for path, children in parents.items()}

    def hash(self, path: Path) -> str:
        return self._hashes.get(path, EMPTY)

    def children(self, path: Path) -> list[str]:
        """The hashes of the parts of ``path``, which is no leaf."""
        return [self.hash((*path, child)) for child in range(FANOUT)]

    def leaf(self, path: Path) -> Mapping[str, str]:
        """Slot → digest of the keys in that leaf."""
        return self._leaves.get(path, {})


def _hash(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()
