"""The messages of FUSE between the kernel and a file system's server, as tables and small encoders: include/uapi/linux/fuse.h, 7.31.

A request is a header (length, opcode, unique, node, uid, gid, pid) and a body; an answer is a header (length, -errno, unique) and a body.
All numbers are of this machine's byte order.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from struct import Struct

MAJOR, MINOR = 7, 31
DEVICE = "/dev/fuse"
WRITE_MAX = 1 << 20
PAGES_MAX = WRITE_MAX // 4096
REQUEST_MAX = WRITE_MAX + 4096  # a write with its headers

REQUEST = Struct("=IIQQIIIHH")  # length, opcode, unique, node, uid, gid, pid, and two that are unused
REPLY = Struct("=IiQ")
ROOT = 1

# Opcodes that are served, by the name of what serves them. All others are answered with ENOSYS, which the kernel takes for good: extended
# attributes, locks (it keeps them itself), lseek to holes, copies within the file system, flush at a close.
OPCODES: Mapping[int, str] = {
    1: "lookup",
    3: "getattr",
    4: "setattr",
    5: "readlink",
    6: "symlink",
    8: "mknod",
    9: "mkdir",
    10: "unlink",
    11: "rmdir",
    12: "rename",
    13: "link",
    14: "open",
    15: "read",
    16: "write",
    17: "statfs",
    18: "release",
    20: "fsync",
    26: "init",
    27: "opendir",
    28: "readdir",
    29: "releasedir",
    30: "fsyncdir",
    35: "create",
    43: "fallocate",
    45: "rename2",
}
FORGET, INTERRUPT, DESTROY, BATCH_FORGET = 2, 36, 38, 42  # these are not answered
NOTIFY_INODE = 2

# What is asked of the kernel in INIT: reads side by side, writes of more than a page, look-ups side by side, WRITE_MAX.
ASYNC_READ, BIG_WRITES, PARALLEL_DIROPS, MAX_PAGES = 1 << 0, 1 << 5, 1 << 18, 1 << 22
WANTED = ASYNC_READ | BIG_WRITES | PARALLEL_DIROPS | MAX_PAGES

# Bodies of requests.
INIT_IN = Struct("=IIII")  # major, minor, readahead, flags
GETATTR_IN = Struct("=IIQ")
SETATTR_IN = Struct("=IIQQQQQQIIIIIIII")
MKNOD_IN = Struct("=IIII")  # mode, rdev, umask, padding
MKDIR_IN = Struct("=II")
RENAME_IN = Struct("=Q")
RENAME2_IN = Struct("=QII")  # new directory, flags, padding
LINK_IN = Struct("=Q")
OPEN_IN = Struct("=II")
CREATE_IN = Struct("=IIII")  # flags, mode, umask, open flags
READ_IN = Struct("=QQIIQII")  # handle, offset, size, ...
WRITE_IN = Struct("=QQIIQII")
RELEASE_IN = Struct("=QIIQ")
FSYNC_IN = Struct("=QII")
FALLOCATE_IN = Struct("=QQQII")  # handle, offset, length, mode, padding
FORGET_IN = Struct("=Q")
BATCH_FORGET_IN = Struct("=II")
FORGET_ONE = Struct("=QQ")

# Bodies of answers.
INIT_OUT = Struct("=IIIIHHIIHHI28x")
ATTR = Struct("=6Q10I")
ATTR_OUT = Struct("=QII")
ENTRY_OUT = Struct("=QQQQII")
OPEN_OUT = Struct("=QIi")
WRITE_OUT = Struct("=II")
STATFS_OUT = Struct("=QQQQQIIII24x")
DIRENT = Struct("=QQII")
NOTIFY_INODE_OUT = Struct("=Qqq")

# SETATTR: which fields are meant.
MODE, UID, GID, SIZE, ATIME, MTIME, ATIME_NOW, MTIME_NOW = 1, 2, 4, 8, 16, 32, 128, 256
NOREPLACE = 1  # a flag of rename2
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16  # modes of fallocate(2)

BLOCK = 512
NANO = 10**9


def init_out(minor: int, readahead: int, flags: int) -> bytes:
    """What this server is able to do."""
    return INIT_OUT.pack(MAJOR, min(minor, MINOR), readahead, flags & WANTED, 64, 48, WRITE_MAX, 1, PAGES_MAX, 0, 0)


def attributes(found: os.stat_result, size: int, mtime_ns: int) -> bytes:
    """A file's attributes, with the size and time that its unsynced data give it."""
    return ATTR.pack(
        found.st_ino,
        size,
        -(-size // BLOCK),
        found.st_atime_ns // NANO,
        mtime_ns // NANO,
        found.st_ctime_ns // NANO,
        found.st_atime_ns % NANO,
        mtime_ns % NANO,
        found.st_ctime_ns % NANO,
        found.st_mode,
        found.st_nlink,
        found.st_uid,
        found.st_gid,
        found.st_rdev & 0xFFFFFFFF,
        4096,
        0,
    )


def entries(listed: Iterable[tuple[int, int, str, int]], room: int) -> bytes:
    """As many directory entries (inode, offset of the next, name, mode) as there is room for."""
    out = b""
    for inode, following, name, mode in listed:
        raw = os.fsencode(name)
        entry = DIRENT.pack(inode, following, len(raw), stat.S_IFMT(mode) >> 12) + raw
        entry += bytes(-len(entry) % 8)
        if len(out) + len(entry) > room:
            break
        out += entry
    return out


def names(data: bytes) -> list[str]:
    """The names at the end of a request, each ended by a zero byte."""
    return [os.fsdecode(name) for name in data.split(b"\0")[:-1]]
