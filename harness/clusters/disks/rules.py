"""Which operations on a disk a fault hits: by path, by kind of operation, by chance, and up to a count."""

from __future__ import annotations

import errno
import fnmatch
import os
import random
from collections import Counter
from collections.abc import Mapping, Sequence

from harness.effects import DISK_ACTIONS, DiskFault

FULL = "full"
_NUMBERS: Mapping[str, int] = {"eio": errno.EIO, "enospc": errno.ENOSPC, FULL: errno.ENOSPC}


class Rules:
    """The faults of one disk. ``hits`` counts, also for damage that others have done."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.faults: tuple[DiskFault, ...] = ()
        self.hits: Counter[DiskFault] = Counter()

    def set(self, faults: Sequence[DiskFault]) -> None:
        """These hold from now on; what is new among them starts counting."""
        for fault in faults:
            if fault not in self.faults:
                self.hits[fault] = 0
        self.faults = tuple(faults)

    @property
    def full(self) -> bool:
        """Whether there is no room left."""
        return any(fault.action == FULL for fault in self.faults)

    def meet(self, operation: str, path: str) -> DiskFault | None:
        """The fault that hits this operation on the file of this path, if one does. It is counted."""
        for fault in self.faults:
            if self._hits(fault, operation, path):
                self.hits[fault] += 1
                return fault
        return None

    def meet_new(self) -> DiskFault | None:
        """The fault by which there is no room for a new name, if there is one. It is counted."""
        fault = next((fault for fault in self.faults if fault.action == FULL), None)
        if fault is not None:
            self.hits[fault] += 1
        return fault

    def _hits(self, fault: DiskFault, operation: str, path: str) -> bool:
        if operation not in (fault.operations or DISK_ACTIONS[fault.action]):
            return False
        if fault.action == FULL:
            return True
        if not fnmatch.fnmatchcase(path, fault.path) or (fault.count and self.hits[fault] >= fault.count):
            return False
        return fault.probability >= 1 or self._dice.random() < fault.probability


def refusal(fault: DiskFault | None, path: str) -> OSError | None:
    """The error that this fault is to a program; None if it is none, or if there is no fault."""
    number = _NUMBERS.get(fault.action) if fault is not None else None
    return OSError(number, os.strerror(number), path) if number is not None else None


def matches(fault: DiskFault, path: str) -> bool:
    """Whether the fault is about the file of this path."""
    return fnmatch.fnmatchcase(path, fault.path)
