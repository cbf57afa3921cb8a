"""What one node must not forget: values by name, durable when ``put`` returns. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from targets.kv.crdt.disk import Disk
from targets.node.env import Storage

# The journal is replaced by a checkpoint when it is so much longer than what it says.
SPARE_RECORDS, SPARE_TIMES = 1000, 2


class Kept:
    """Values are plain JSON and never changed once they were put; several that are put together are kept together or not at all."""

    def __init__(self, storage: Storage) -> None:
        self._disk = Disk(storage)
        saved, records = self._disk.recover()
        self._values: dict[str, Any] = dict(saved or {})
        for record in records:
            self._values |= record

    def put(self, values: Mapping[str, Any]) -> None:
        self._values |= values
        self._disk.append(dict(values))
        self._disk.sync()
        if self._disk.records > SPARE_RECORDS + SPARE_TIMES * len(self._values):
            self._disk.checkpoint(self._values)

    def get(self, name: str, default: Any = None) -> Any:
        return self._values.get(name, default)

    def under(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """All values whose names begin so, each with the rest of its name."""
        for name, value in self._values.items():
            if name.startswith(prefix):
                yield name[len(prefix) :], value
