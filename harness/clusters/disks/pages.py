"""The unsynced data of one file: written to memory, read back over the backing file, moved there by an fsync, lost in a crash."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence

from harness.clusters.disks import fates
from harness.clusters.disks.inodes import PAGE, Inode
from harness.effects import ZEROED, Unsynced

# More than this of one file is written back by itself, the oldest first: no machine keeps it all (vm.dirty_ratio).
UNSYNCED_MAX = 64 << 20


def length(inode: Inode, descriptor: int) -> int:
    """The file's length, unsynced data included."""
    return os.fstat(descriptor).st_size if inode.size is None else inode.size


def read(inode: Inode, descriptor: int, at: int, count: int) -> bytes:
    """Up to ``count`` bytes from ``at`` on."""
    if inode.size is None:
        return os.pread(descriptor, count, at)
    count = max(0, min(count, inode.size - at))
    found = bytearray(os.pread(descriptor, max(0, min(count, inode.base - at)), at))
    found += bytes(count - len(found))
    end = at + count
    for number in range(at // PAGE, -(-end // PAGE)):
        page = inode.pages.get(number)
        if page is not None:
            first, last = max(at, number * PAGE), min(end, (number + 1) * PAGE)
            found[first - at : last - at] = page[first - number * PAGE : last - number * PAGE]
    return bytes(found)


def write(inode: Inode, descriptor: int, writes: Sequence[fates.Write]) -> None:
    """Do these writes, which are not synced."""
    if inode.size is None:
        inode.size = inode.base = os.fstat(descriptor).st_size
    for at, data in writes:
        inode.log.append((at, data))
        if data is None:
            _cut(inode, descriptor, at)
        else:
            inode.logged += len(data)
            _lay(inode, descriptor, at, data)
    inode.mtime_ns = time.time_ns()
    if inode.logged > UNSYNCED_MAX:
        sync(inode, descriptor)


def sync(inode: Inode, descriptor: int) -> None:
    """All that was written is durable. Raises OSError; then nothing is lost, and it may be tried again."""
    land(descriptor, inode.log)
    inode.clean()


def crash(inode: Inode, path: str, fate: str, dice: random.Random) -> Unsynced:
    """The power goes: the backing file gets what ``fate`` leaves of the unsynced writes."""
    left, written = fates.survivors(fate, inode.log, dice), fates.size(inode.log)
    if left and inode.descriptor is not None:
        land(inode.descriptor, left)
    inode.clean()
    return Unsynced(path=path, written=written, kept=0 if fate == ZEROED else fates.size(left))


def land(descriptor: int, writes: Sequence[fates.Write]) -> None:
    """Do these writes to the backing file."""
    for at, data in writes:
        if data is None:
            os.ftruncate(descriptor, at)
            continue
        if not data and os.fstat(descriptor).st_size < at:
            os.ftruncate(descriptor, at)
        done = 0
        while done < len(data):
            done += os.pwrite(descriptor, memoryview(data)[done:], at + done)


def _page(inode: Inode, descriptor: int, number: int) -> bytearray:
    """A page to be changed; its content so far comes from the backing file."""
    page = inode.pages.get(number)
    if page is None:
        page = inode.pages[number] = bytearray(PAGE)
        at = number * PAGE
        there = os.pread(descriptor, max(0, min(PAGE, inode.base - at)), at)
        page[: len(there)] = there
    return page


def _lay(inode: Inode, descriptor: int, at: int, data: bytes) -> None:
    assert inode.size is not None
    done, total = 0, len(data)
    while done < total:
        number, offset = divmod(at + done, PAGE)
        count = min(PAGE - offset, total - done)
        if count == PAGE:
            inode.pages[number] = bytearray(data[done : done + PAGE])
        else:
            _page(inode, descriptor, number)[offset : offset + count] = data[done : done + count]
        done += count
    inode.size = max(inode.size, at + total)


def _cut(inode: Inode, descriptor: int, size: int) -> None:
    """The file is that long: what lies behind it, also in the backing file, is zeros if it grows again."""
    assert inode.size is not None
    if size < inode.size:
        for number in [number for number in inode.pages if number * PAGE >= size]:
            del inode.pages[number]
        if size % PAGE:
            _page(inode, descriptor, size // PAGE)[size % PAGE :] = bytes(PAGE - size % PAGE)
        inode.base = min(inode.base, size)
    inode.size = size
