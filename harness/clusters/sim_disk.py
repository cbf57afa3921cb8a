"""The disks of the simulator: named files in memory that know which of their bytes are durable.

Satisfies ``targets.node.env.Storage``. A crash loses what was not synced, or, by the dice, keeps a part of it that may end in the
middle of a record: what a page cache does.
"""

from __future__ import annotations

import random

from targets.node.storage import check_name

# What a crash does to unsynced bytes, each as likely as the others: nothing was written back, all was, a part was (torn), or the file
# had grown but the data had not been written (zeros).
FATES = ("lost", "kept", "torn", "zeroed")


class Disk:
    """One node's files over all of its lives."""

    def __init__(self) -> None:
        self._durable: dict[str, bytearray] = {}
        self._fresh: dict[str, list[bytes]] = {}

    def append(self, name: str, data: bytes) -> None:
        check_name(name)
        self._fresh.setdefault(name, []).append(bytes(data))

    def sync(self, name: str) -> None:
        check_name(name)
        fresh = self._fresh.pop(name, None)
        if fresh:
            self._durable.setdefault(name, bytearray()).extend(b"".join(fresh))

    def read(self, name: str) -> bytes:
        check_name(name)
        return b"".join((self._durable.get(name, b""), *self._fresh.get(name, ())))

    def replace(self, name: str, data: bytes) -> None:
        check_name(name)
        self._fresh.pop(name, None)
        self._durable[name] = bytearray(data)

    def settle(self) -> None:
        """All that was appended is durable: what a program that is given time to end sees to."""
        for name in list(self._fresh):
            self.sync(name)

    def crash(self, dice: random.Random) -> dict[str, str]:
        """What is left when the power goes. Returns the fate of each file that had unsynced bytes."""
        fates = {}
        for name, parts in sorted(self._fresh.items()):
            fresh = b"".join(parts)
            fates[name] = fate = dice.choice(FATES)
            kept = {
                "lost": b"",
                "kept": fresh,
                "torn": fresh[: dice.randrange(len(fresh) + 1)],
                "zeroed": bytes(len(fresh)),
            }[fate]
            self._durable.setdefault(name, bytearray()).extend(kept)
        self._fresh.clear()
        return fates


class Mount:
    """A disk as one life of a node sees it: after ``detach`` (the life is over) nothing that it does reaches the disk."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def append(self, name: str, data: bytes) -> None:
        self._disk.append(name, data)

    def sync(self, name: str) -> None:
        self._disk.sync(name)

    def read(self, name: str) -> bytes:
        return self._disk.read(name)

    def replace(self, name: str, data: bytes) -> None:
        self._disk.replace(name, data)

    def detach(self) -> None:
        self._disk = Disk()  # which nobody else sees
