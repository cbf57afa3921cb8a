"""What a copy of a key is: a *cell*, JSON, which only its kind can read. Two kinds: ``siblings`` and ``stamps``.

``merge`` is a join: of any cells, in any order, however often, all replicas come to the same cell. That is what lets messages be lost,
doubled and late, and every repair be nothing but another merge.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Protocol

Cell = dict[str, Any]
Context = Any  # JSON: what a client has seen of a key; null is nothing

_encode = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


class Kind(Protocol):
    """How cells of one kind are made and read. Cells are never changed."""

    def write(self, cell: Cell | None, context: Context, value: Any, *, dead: bool) -> Cell:
        """The cell after a write at this node by a client that has seen ``context``; ``cell`` is this node's copy, None if it has none.

        ``dead``: the write is a deletion; what it leaves behind, so that older copies are known to be older, is a tombstone.
        """
        ...

    def merge(self, one: Cell, other: Cell) -> Cell:
        """What both say together: ``one`` itself if ``other`` adds nothing."""
        ...

    def values(self, cell: Cell) -> list[Any]:
        """The values that stand side by side, null for a deletion beside others; none if nothing but a deletion is left."""
        ...

    def context(self, cell: Cell) -> Context:
        """What a client has seen that has read this cell."""
        ...

    def covers(self, cell: Cell | None, context: Context) -> bool:
        """Whether the cell knows all that ``context`` knows."""
        ...

    def seen(self, cell: Cell | None, context: Context) -> None:
        """This node has heard of that."""
        ...

    def must_stay(self, cell: Cell) -> bool:
        """Whether this node needs its copy even if it is not the key's home and all homes have it."""
        ...


def slot_of(key: Any) -> str:
    """A text that two JSON scalars share iff they are equal: 1, 1.0 and true are three, although Python calls them equal."""
    return json.dumps(key)


def digest_of(cell: Cell) -> str:
    """Equal for equal cells, and for no others."""
    return hashlib.blake2b(_encode(cell).encode(), digest_size=8).hexdigest()
