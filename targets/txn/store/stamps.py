"""The order of time: a counter that is replicated. Whoever asks later gets more. A snapshot has a stamp, and so has every commit.

(Percolator, OSDI'10, section 2.3, has such an oracle.)
"""

from __future__ import annotations

from typing import Any

from targets.node.env import Body


class Stamps:
    """A ``targets.kv.raft.machine.StateMachine`` with the one command ["stamp"]."""

    def __init__(self) -> None:
        self._latest = 0

    def apply(self, _command: list[Any]) -> Body:
        """The next stamp."""
        self._latest += 1
        return {"stamp": self._latest}

    def dump(self) -> dict[str, Any]:
        return {"latest": self._latest}

    def load(self, dump: dict[str, Any]) -> None:
        self._latest = dump["latest"]
