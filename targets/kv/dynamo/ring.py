"""Consistent hashing with virtual nodes (4.2, 4.3): where on the ring a key lies, and who holds it.

Every node stands at ``vnodes`` places of a ring of hashes, so that keys, and the load of a node that is away, spread evenly. From its
place a key goes clockwise; the nodes in the order in which it meets them are its preference list, and the first n are its homes. All nodes
compute the same list from the same names.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence


def place_of(text: str) -> int:
    """A place on the ring, 0 to 2**64 - 1; the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


class Ring:
    """The places of ``nodes``. Remembers the lists that were asked for."""

    def __init__(self, nodes: Sequence[str], vnodes: int) -> None:
        places = sorted((place_of(f"{node}/{number}"), node) for node in nodes for number in range(vnodes))
        self._places = [place for place, _ in places]
        self._owners = [node for _, node in places]
        self._nodes = len(set(nodes))
        self._lists: dict[str, tuple[str, ...]] = {}

    def preference(self, slot: str) -> tuple[str, ...]:
        """All nodes, each once, in the order in which the key in that slot meets them."""
        known = self._lists.get(slot)
        if known is None:
            known = self._lists[slot] = self._walk(bisect_right(self._places, place_of(slot)))
        return known

    def _walk(self, start: int) -> tuple[str, ...]:
        met: dict[str, None] = {}
        for step in range(len(self._owners)):
            met.setdefault(self._owners[(start + step) % len(self._owners)])
            if len(met) == self._nodes:
                break
        return tuple(met)
