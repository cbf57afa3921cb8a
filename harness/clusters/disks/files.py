"""What a mounted disk does: one method per operation of FUSE, over the backing directory in which this process is.

Data are unsynced until an fsync (``pages``); names, owners and modes are durable at once, as with a file system that journals them.
A method gets its request and returns the body of the answer. Raises OSError, whose number is the answer then.
"""

from __future__ import annotations

import errno
import os
import random
import stat
import time
from dataclasses import dataclass
from typing import Any

from harness.clusters.disks import damage, pages
from harness.clusters.disks import protocol as fuse
from harness.clusters.disks.fates import Write
from harness.clusters.disks.inodes import Inode, Inodes
from harness.clusters.disks.rules import Rules, matches, refusal
from harness.effects import FSYNC, READ, WRITE, DiskFault, Unsynced

ZEROS_MAX = 16 << 20  # a longer hole is not punched: callers fall back to writing


@dataclass(frozen=True, slots=True)
class Request:
    """One request: who asks about which inode, and the body."""

    node: int
    uid: int
    gid: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that takes time: after ``delay_s``, what ``act`` returns."""

    delay_s: float
    inode: Inode


class Files:
    """The operations, by the names in ``protocol.OPCODES``."""

    def __init__(self, dice: random.Random) -> None:
        self.inodes, self.rules, self._dice = Inodes(), Rules(dice), dice
        self._listings: dict[int, list[tuple[int, int, str, int]]] = {}
        self._last = 0

    # Names

    def lookup(self, request: Request) -> bytes:
        directory = self.inodes[request.node]
        (name,) = fuse.names(request.body)
        return self._entry(directory, name)

    def _entry(self, directory: Inode, name: str) -> bytes:
        found = os.lstat(self.inodes.child(directory, name))
        inode = self.inodes.found(directory, name, found)
        # Nothing is cached: what a fault does to a file is seen at once.
        return fuse.ENTRY_OUT.pack(inode.number, 0, 0, 0, 0, 0) + self._attributes(inode, found)

    def _attributes(self, inode: Inode, found: os.stat_result) -> bytes:
        size = found.st_size if inode.size is None else inode.size
        return fuse.attributes(found, size, found.st_mtime_ns if inode.mtime_ns is None else inode.mtime_ns)

    def _stat(self, inode: Inode) -> os.stat_result:
        return os.fstat(inode.descriptor) if inode.descriptor is not None else os.lstat(self.inodes.path(inode))

    def _made(self, request: Request, directory: Inode, name: str) -> bytes:
        """What has just been made belongs to who asked for it."""
        path = self.inodes.child(directory, name)
        if (request.uid, request.gid) != (os.geteuid(), os.getegid()):
            os.lchown(path, request.uid, request.gid)
        return self._entry(directory, name)

    def _room(self, path: str) -> None:
        """Raises ENOSPC if there is none for a new name."""
        if error := refusal(self.rules.meet_new(), path):
            raise error

    def mknod(self, request: Request) -> bytes:
        mode, device, _, _ = fuse.MKNOD_IN.unpack_from(request.body)
        directory, (name,) = self.inodes[request.node], fuse.names(request.body[fuse.MKNOD_IN.size :])
        path = self.inodes.child(directory, name)
        self._room(path)
        os.mknod(path, mode, device)
        return self._made(request, directory, name)

    def mkdir(self, request: Request) -> bytes:
        mode, _ = fuse.MKDIR_IN.unpack_from(request.body)
        directory, (name,) = self.inodes[request.node], fuse.names(request.body[fuse.MKDIR_IN.size :])
        path = self.inodes.child(directory, name)
        self._room(path)
        os.mkdir(path, mode)
        return self._made(request, directory, name)

    def symlink(self, request: Request) -> bytes:
        directory, (name, target) = self.inodes[request.node], fuse.names(request.body)
        path = self.inodes.child(directory, name)
        self._room(path)
        os.symlink(target, path)
        return self._made(request, directory, name)

    def readlink(self, request: Request) -> bytes:
        return os.fsencode(os.readlink(self.inodes.path(self.inodes[request.node])))

    def link(self, request: Request) -> bytes:
        (of,) = fuse.LINK_IN.unpack_from(request.body)
        directory, (name,) = self.inodes[request.node], fuse.names(request.body[fuse.LINK_IN.size :])
        path = self.inodes.child(directory, name)
        self._room(path)
        os.link(self.inodes.path(self.inodes[of]), path, follow_symlinks=False)
        return self._entry(directory, name)

    def unlink(self, request: Request) -> bytes:
        directory, (name,) = self.inodes[request.node], fuse.names(request.body)
        self._keep(directory, name)
        os.unlink(self.inodes.child(directory, name))
        self.inodes.gone(directory, name)
        return b""

    def rmdir(self, request: Request) -> bytes:
        directory, (name,) = self.inodes[request.node], fuse.names(request.body)
        os.rmdir(self.inodes.child(directory, name))
        self.inodes.gone(directory, name)
        return b""

    def rename(self, request: Request) -> bytes:
        (into,) = fuse.RENAME_IN.unpack_from(request.body)
        return self._rename(request, into, fuse.names(request.body[fuse.RENAME_IN.size :]))

    def rename2(self, request: Request) -> bytes:
        into, flags, _ = fuse.RENAME2_IN.unpack_from(request.body)
        old, new = fuse.names(request.body[fuse.RENAME2_IN.size :])
        if flags & ~fuse.NOREPLACE:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if flags and os.path.lexists(self.inodes.child(self.inodes[into], new)):
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
        return self._rename(request, into, [old, new])

    def _rename(self, request: Request, into: int, names: list[str]) -> bytes:
        source, goal = (self.inodes[request.node], names[0]), (self.inodes[into], names[1])
        self._keep(*goal)
        os.rename(self.inodes.child(*source), self.inodes.child(*goal))
        self.inodes.moved(source, goal)
        return b""

    def _keep(self, directory: Inode, name: str) -> None:
        """What loses its name stays reachable for those who have it open."""
        inode = self.inodes.at(directory, name)
        if inode is not None and inode.handles:
            self.inodes.descriptor(inode)

    # Attributes

    def getattr(self, request: Request) -> bytes:
        inode = self.inodes[request.node]
        return fuse.ATTR_OUT.pack(0, 0, 0) + self._attributes(inode, self._stat(inode))

    def setattr(self, request: Request) -> bytes:
        valid, _, _, size, _, atime, mtime, _, atime_ns, mtime_ns, _, mode, _, uid, gid, _ = (
            fuse.SETATTR_IN.unpack_from(request.body)
        )
        inode = self.inodes[request.node]
        at: Any = inode.descriptor if inode.descriptor is not None else self.inodes.path(inode)
        follow: dict[str, Any] = {} if inode.descriptor is not None else {"follow_symlinks": False}
        if valid & fuse.MODE:
            os.chmod(at, stat.S_IMODE(mode))
        if valid & (fuse.UID | fuse.GID):
            os.chown(at, uid if valid & fuse.UID else -1, gid if valid & fuse.GID else -1, **follow)
        if valid & fuse.SIZE:
            self._truncate(inode, size)
        if valid & (fuse.ATIME | fuse.MTIME):
            found, now = self._stat(inode), time.time_ns()
            wanted = [found.st_atime_ns, found.st_mtime_ns if inode.mtime_ns is None else inode.mtime_ns]
            if valid & fuse.ATIME:
                wanted[0] = now if valid & fuse.ATIME_NOW else atime * fuse.NANO + atime_ns
            if valid & fuse.MTIME:
                wanted[1] = now if valid & fuse.MTIME_NOW else mtime * fuse.NANO + mtime_ns
            os.utime(at, ns=(wanted[0], wanted[1]), **follow)
            inode.mtime_ns = wanted[1] if inode.dirty else None
        return self.getattr(request)

    def _truncate(self, inode: Inode, size: int) -> None:
        path = self._shown(inode)
        if error := refusal(self.rules.meet(WRITE, path), path):
            raise error
        opened = inode.descriptor is not None
        pages.write(inode, self.inodes.descriptor(inode), [(size, None)])
        if not opened:
            self.inodes.tidy(inode)

    def _shown(self, inode: Inode) -> str:
        """The path that rules go by; "" for a file that has lost its name."""
        return self.inodes.path(inode) if inode.links else ""

    def statfs(self, request: Request) -> bytes:
        found = os.statvfs(".")
        free, available = (0, 0) if self.rules.full else (found.f_bfree, found.f_bavail)
        return fuse.STATFS_OUT.pack(
            found.f_blocks, free, available, found.f_files, found.f_ffree, found.f_bsize, 255, found.f_frsize, 0
        )

    # Content

    def open(self, request: Request) -> bytes:
        inode = self.inodes[request.node]
        self.inodes.descriptor(inode)
        inode.handles += 1
        return fuse.OPEN_OUT.pack(0, 0, 0)

    def create(self, request: Request) -> bytes:
        flags, mode, _, _ = fuse.CREATE_IN.unpack_from(request.body)
        directory, (name,) = self.inodes[request.node], fuse.names(request.body[fuse.CREATE_IN.size :])
        path = self.inodes.child(directory, name)
        self._room(path)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | flags & os.O_EXCL, mode)
        try:
            entry = self._made(request, directory, name)
        except BaseException:
            os.close(descriptor)
            raise
        inode = self.inodes[fuse.ENTRY_OUT.unpack_from(entry)[0]]
        if inode.descriptor is None:
            inode.descriptor = descriptor
        else:
            os.close(descriptor)
        inode.handles += 1
        return entry + fuse.OPEN_OUT.pack(0, 0, 0)

    def release(self, request: Request) -> bytes:
        inode = self.inodes[request.node]
        inode.handles -= 1
        self.inodes.tidy(inode)
        return b""

    def read(self, request: Request) -> bytes:
        _, at, count, *_ = fuse.READ_IN.unpack_from(request.body)
        inode = self.inodes[request.node]
        if self.rules.faults:
            path = self._shown(inode)
            if error := refusal(self.rules.meet(READ, path), path):
                raise error
        return pages.read(inode, self.inodes.descriptor(inode), at, count)

    def write(self, request: Request) -> bytes:
        _, at, count, *_ = fuse.WRITE_IN.unpack_from(request.body)
        inode, data = self.inodes[request.node], request.body[fuse.WRITE_IN.size : fuse.WRITE_IN.size + count]
        descriptor = self.inodes.descriptor(inode)
        pages.write(inode, descriptor, self._fated(inode, descriptor, at, data) if self.rules.faults else [(at, data)])
        return fuse.WRITE_OUT.pack(count, 0)

    def _fated(self, inode: Inode, descriptor: int, at: int, data: bytes) -> list[Write]:
        """What becomes of a write on a disk with faults. Raises OSError."""
        path = self._shown(inode)
        fault = self.rules.meet(WRITE, path)
        if error := refusal(fault, path):
            raise error
        if fault is not None and fault.action == "torn-write":
            return damage.torn(at, data, self._dice)
        if fault is not None and fault.action == "misdirected-write":
            return damage.astray(at, data, pages.length(inode, descriptor), self._dice)
        return [(at, data)]

    def fallocate(self, request: Request) -> bytes:
        _, at, count, mode, _ = fuse.FALLOCATE_IN.unpack_from(request.body)
        inode = self.inodes[request.node]
        descriptor, path = self.inodes.descriptor(inode), self._shown(inode)
        if error := refusal(self.rules.meet(WRITE, path), path):
            raise error
        size, keep = pages.length(inode, descriptor), bool(mode & fuse.KEEP_SIZE)
        if mode & ~(fuse.KEEP_SIZE | fuse.PUNCH_HOLE | fuse.ZERO_RANGE) or (
            count > ZEROS_MAX and mode & ~fuse.KEEP_SIZE
        ):
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        writes: list[Write] = []
        if mode & (fuse.PUNCH_HOLE | fuse.ZERO_RANGE) and at < size:
            writes.append((at, bytes(min(count, size - at))))
        if not keep and at + count > size:
            writes.append((at + count, None))
        if writes:
            pages.write(inode, descriptor, writes)
        return b""

    def fsync(self, request: Request) -> bytes | Later:
        inode = self.inodes[request.node]
        if self.rules.faults:
            path = self._shown(inode)
            fault = self.rules.meet(FSYNC, path)
            if error := refusal(fault, path):
                raise error
            if fault is not None:
                return Later(fault.delay_s, inode)
        self.sync(inode)
        return b""

    def sync(self, inode: Inode) -> None:
        """All of the file is durable."""
        if inode.dirty:
            pages.sync(inode, self.inodes.descriptor(inode))

    # Directories

    def opendir(self, request: Request) -> bytes:
        self.inodes[request.node].handles += 1
        self._last += 1
        self._listings[self._last] = []
        return fuse.OPEN_OUT.pack(self._last, 0, 0)

    def readdir(self, request: Request) -> bytes:
        handle, offset, room, *_ = fuse.READ_IN.unpack_from(request.body)
        if not offset:  # from its beginning, perhaps again
            self._listings[handle] = self._list(self.inodes[request.node])
        return fuse.entries(self._listings[handle][offset:], room)

    def _list(self, inode: Inode) -> list[tuple[int, int, str, int]]:
        listed = [(inode.key[1], 1, ".", stat.S_IFDIR), (inode.key[1], 2, "..", stat.S_IFDIR)]
        with os.scandir(self.inodes.path(inode)) as found:
            for entry in found:
                what = entry.stat(follow_symlinks=False)
                listed.append((what.st_ino, len(listed) + 1, entry.name, what.st_mode))
        return listed

    def releasedir(self, request: Request) -> bytes:
        handle, *_ = fuse.RELEASE_IN.unpack_from(request.body)
        self._listings.pop(handle, None)
        return self.release(request)

    def fsyncdir(self, request: Request) -> bytes:
        return b""

    # Faults

    def crash(self, fate: str) -> list[Unsynced]:
        """The power goes: see ``pages.crash``. Whoever had files open must be dead."""
        lost = []
        for inode in self.inodes.dirty():
            lost.append(pages.crash(inode, self.inodes.path(inode), fate, self._dice))
            self.inodes.tidy(inode)
        return lost

    def unsynced(self) -> list[Unsynced]:
        """What a crash may take now."""
        return [
            Unsynced(path=self.inodes.path(inode), written=inode.logged, kept=inode.logged)
            for inode in self.inodes.dirty()
        ]

    def settle(self) -> None:
        """All is durable."""
        for inode in self.inodes.dirty():
            self.sync(inode)
            self.inodes.tidy(inode)

    def damage(self, fault: DiskFault) -> list[int]:
        """Damage what is durable of a file that the fault is about, the larger the likelier; the inodes whose content is another now."""
        self.rules.hits[fault] = 0
        there = [(path, size) for path, size in _regular(".") if size and matches(fault, path)]
        if not there:
            return []
        ((path, size),) = self._dice.choices(there, [size for _, size in there])
        with open(path, "r+b", buffering=0) as file:
            if fault.action == "truncate":
                file.truncate(damage.cut(size, self._dice))
                self.rules.hits[fault] = 1
            for at, mask in damage.flip(size, fault.count or 1, self._dice) if fault.action == "bit-flip" else ():
                (byte,) = os.pread(file.fileno(), 1, at)
                os.pwrite(file.fileno(), bytes([byte ^ mask]), at)
                self.rules.hits[fault] += 1
            found = os.fstat(file.fileno())
        known = self.inodes.known((found.st_dev, found.st_ino))
        return [known.number] if known is not None else []


def _regular(directory: str) -> list[tuple[str, int]]:
    """(path, size) of all regular files below the backing directory, in order."""
    found = []
    for above, _, names in os.walk(directory):
        for name in names:
            path = os.path.normpath(os.path.join(above, name))
            what = os.lstat(path)
            if stat.S_ISREG(what.st_mode):
                found.append((path, what.st_size))
    return sorted(found)
