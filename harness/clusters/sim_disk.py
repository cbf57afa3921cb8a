"""The disks of the simulator: named files in memory that know which of their bytes are durable, and that fail as they are told.

Satisfies ``targets.node.env.Storage``. A crash loses what was not synced, or, by the dice, keeps a part of it that may end in the
middle of a record: what a page cache does. Faults are those of real disks, by the same names and the same rules (``disks``).
"""

from __future__ import annotations

import random
from collections.abc import Callable

from harness.clusters.disks import damage, fates
from harness.clusters.disks.rules import Rules, matches, refusal
from harness.effects import FSYNC, KEPT, LOST, READ, TORN, WRITE, ZEROED, DiskFault, Unsynced
from targets.node.storage import check_name

# What a crash does to unsynced bytes when only one node crashes, each as likely as the others.
FATES = (LOST, KEPT, TORN, ZEROED)


class _File:
    """``durable`` is on the disk, ``fresh`` are the writes that are not, ``size`` counts both."""

    __slots__ = ("durable", "fresh", "size")

    def __init__(self, data: bytes = b"") -> None:
        self.durable, self.fresh, self.size = bytearray(data), list[fates.Write](), len(data)

    def sync(self) -> None:
        fates.apply(self.durable, self.fresh)
        self.fresh.clear()

    def content(self) -> bytes:
        if not self.fresh:
            return bytes(self.durable)
        image = bytearray(self.durable)
        fates.apply(image, self.fresh)
        return bytes(image)


class Disk:
    """One node's files over all of its lives. ``dice`` are for its faults; ``stall(delay_s)`` is told when an fsync takes longer."""

    def __init__(
        self, dice: random.Random | None = None, stall: Callable[[float], None] = lambda _delay_s: None
    ) -> None:
        self._dice, self._stall = dice or random.Random(0), stall
        self.rules = Rules(self._dice)
        self._files: dict[str, _File] = {}

    def append(self, name: str, data: bytes) -> None:
        check_name(name)
        file = self._files.get(name)
        if file is None:
            file = self._files[name] = _File()
        writes = self._met(WRITE, name, file.size, data) if self.rules.faults else [(file.size, bytes(data))]
        file.fresh.extend(writes)
        file.size += len(data)

    def sync(self, name: str) -> None:
        check_name(name)
        file = self._files.get(name)
        if file is not None and file.fresh:
            self._fsync(name)
            file.sync()

    def read(self, name: str) -> bytes:
        check_name(name)
        if self.rules.faults and (error := refusal(self.rules.meet(READ, name), name)):
            raise error
        file = self._files.get(name)
        return file.content() if file is not None else b""

    def replace(self, name: str, data: bytes) -> None:
        check_name(name)
        image = bytearray()
        fates.apply(image, self._met(WRITE, name, 0, data) if self.rules.faults else [(0, bytes(data))])
        self._fsync(name)
        self._files[name] = _File(bytes(image))

    def _met(self, operation: str, name: str, at: int, data: bytes) -> list[fates.Write]:
        """What becomes of a write. Raises OSError."""
        fault = self.rules.meet(operation, name)
        if error := refusal(fault, name):
            raise error
        if fault is not None and fault.action == "torn-write":
            return damage.torn(at, data, self._dice)
        if fault is not None and fault.action == "misdirected-write":
            return damage.astray(at, data, at, self._dice)
        return [(at, bytes(data))]

    def _fsync(self, name: str) -> None:
        fault = self.rules.meet(FSYNC, name) if self.rules.faults else None
        if error := refusal(fault, name):
            raise error
        if fault is not None:
            self._stall(fault.delay_s)

    def settle(self) -> None:
        """All that was appended is durable: what a program that is given time to end sees to."""
        for file in self._files.values():
            file.sync()

    def damage(self, fault: DiskFault) -> None:
        """Do it to a file that the fault is about, the larger the likelier; to none if all of them are empty."""
        there = sorted(name for name, file in self._files.items() if file.durable and matches(fault, name))
        self.rules.hits[fault] = 0
        if not there:
            return
        images = [self._files[name].durable for name in there]
        (image,) = self._dice.choices(images, [len(image) for image in images])
        if fault.action == "truncate":
            del image[damage.cut(len(image), self._dice) :]
            self.rules.hits[fault] = 1
            return
        for byte, mask in damage.flip(len(image), fault.count or 1, self._dice):
            image[byte] ^= mask
            self.rules.hits[fault] += 1

    def crash(self, dice: random.Random) -> dict[str, str]:
        """What is left when this node alone crashes, by chance. Returns the fate of each file that had unsynced bytes."""
        return {found.path: fate for fate, found in self._crash(dice, None)}

    def lose_power(self, dice: random.Random, fate: str) -> list[Unsynced]:
        """The same fate for all files; what each had to lose, and what it has kept of that."""
        return [found for _, found in self._crash(dice, fate)]

    def _crash(self, dice: random.Random, fate: str | None) -> list[tuple[str, Unsynced]]:
        found = []
        for name, file in sorted(self._files.items()):
            if file.fresh:
                chosen = fate or dice.choice(FATES)
                left, written = fates.survivors(chosen, file.fresh, dice), fates.size(file.fresh)
                kept = 0 if chosen == ZEROED else fates.size(left)
                found.append((chosen, Unsynced(path=name, written=written, kept=kept)))
                fates.apply(file.durable, left)
                file.fresh.clear()
                file.size = len(file.durable)
        return found


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
