"""The inodes of a mounted disk: what the kernel knows by number, by which names it is found, and what of it is not synced.

One inode per file of the backing directory, whatever its names, so that hard links share their data. An inode is remembered as long as
the kernel knows it, a program has it open, or it holds unsynced data.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from harness.clusters.disks.fates import Write
from harness.clusters.disks.protocol import ROOT

PAGE = 4096
Key = tuple[int, int]  # device and inode number
Place = tuple["Inode", str]  # a name in a directory


class Inode:
    """``number`` is the kernel's; ``links`` are the places where it is found: (directory's inode, name); ``known`` is how many others are
    found by way of it.

    Of a regular file that is open or dirty: ``descriptor`` of the backing file; ``log``, its writes since the last fsync, in order;
    ``pages``, what they have made of the pages that they touched; ``base``, up to where the backing file counts where there is no page;
    ``size`` and ``mtime_ns`` as they are with them, None if there are none.
    """

    __slots__ = (
        "base",
        "descriptor",
        "handles",
        "key",
        "known",
        "links",
        "log",
        "logged",
        "lookups",
        "mtime_ns",
        "number",
        "pages",
        "size",
    )

    def __init__(self, number: int, key: Key) -> None:
        self.number, self.key = number, key
        self.links: set[Place] = set()
        self.lookups = self.handles = self.known = 0
        self.descriptor: int | None = None
        self.log: list[Write] = []
        self.logged = 0  # bytes in the log
        self.pages: dict[int, bytearray] = {}
        self.base = 0
        self.size: int | None = None
        self.mtime_ns: int | None = None

    @property
    def dirty(self) -> bool:
        return bool(self.log)

    def clean(self) -> None:
        """Nothing is unsynced any more."""
        self.log, self.logged = [], 0
        self.pages.clear()
        self.size = self.mtime_ns = None


class Inodes:
    """The table. Paths are relative to the backing directory, in which this process must be."""

    def __init__(self) -> None:
        found = os.stat(".")
        self.root = Inode(ROOT, (found.st_dev, found.st_ino))
        self.root.lookups = 1
        self._by_number: dict[int, Inode] = {ROOT: self.root}
        self._by_key: dict[Key, Inode] = {self.root.key: self.root}
        self._at: dict[Place, Inode] = {}
        self._last = ROOT

    def __getitem__(self, number: int) -> Inode:
        """Raises OSError (ESTALE) for one that the kernel cannot know."""
        inode = self._by_number.get(number)
        if inode is None:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return inode

    def path(self, inode: Inode) -> str:
        """One of its paths. Raises OSError (ENOENT) if it has none any more."""
        parts: list[str] = []
        while inode is not self.root:
            if not inode.links:
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
            inode, name = next(iter(inode.links)) if len(inode.links) == 1 else min(inode.links, key=_name)
            parts.append(name)
        return "/".join(reversed(parts)) or "."

    def child(self, directory: Inode, name: str) -> str:
        """The path of that name in a directory."""
        above = self.path(directory)
        return name if above == "." else f"{above}/{name}"

    def found(self, directory: Inode, name: str, what: os.stat_result) -> Inode:
        """The inode of what lies there, which the kernel has looked up once more."""
        key = (what.st_dev, what.st_ino)
        inode = self._by_key.get(key)
        if inode is None:
            self._last += 1
            inode = self._by_key[key] = self._by_number[self._last] = Inode(self._last, key)
        inode.lookups += 1
        place = (directory, name)
        if self._at.get(place) is not inode:
            self.gone(*place)
            if stat.S_ISDIR(what.st_mode):  # has one name
                for other in list(inode.links):
                    self._drop(other)
            self._put(place, inode)
        return inode

    def at(self, directory: Inode, name: str) -> Inode | None:
        """The inode of that name, if it is remembered."""
        return self._at.get((directory, name))

    def known(self, key: Key) -> Inode | None:
        """The inode of that file of the backing directory, if it is remembered."""
        return self._by_key.get(key)

    def moved(self, source: Place, goal: Place) -> None:
        """What was at ``source`` is at ``goal``, in place of what was there."""
        if source == goal or self._at.get(source) is self._at.get(goal) is not None:
            return  # two names of one file: rename(2) leaves both
        self.gone(*goal)
        inode = self._drop(source)
        if inode is not None:
            self._put(goal, inode)

    def gone(self, directory: Inode, name: str) -> None:
        """Nothing lies there any more."""
        inode = self._drop((directory, name))
        if inode is not None and not inode.links:
            # Another file may get its number: who has it open still reaches it by the kernel's.
            self._by_key.pop(inode.key, None)
            self.tidy(inode)

    def _put(self, place: Place, inode: Inode) -> None:
        self._at[place] = inode
        inode.links.add(place)
        place[0].known += 1

    def _drop(self, place: Place) -> Inode | None:
        inode = self._at.pop(place, None)
        if inode is not None:
            inode.links.discard(place)
            place[0].known -= 1
        return inode

    def forget(self, number: int, count: int) -> None:
        """The kernel knows it so many times less."""
        inode = self._by_number.get(number)
        if inode is not None and inode is not self.root:
            inode.lookups -= count
            self.tidy(inode)

    def tidy(self, inode: Inode) -> None:
        """Let go of what nobody needs any more."""
        if inode.handles:
            return
        if not inode.links:
            inode.clean()  # it has no name and nobody has it open: its data are gone
        if inode.descriptor is not None and not inode.dirty:
            os.close(inode.descriptor)
            inode.descriptor = None
        if inode.lookups <= 0 and not inode.dirty and not inode.known:
            self._by_number.pop(inode.number, None)
            if self._by_key.get(inode.key) is inode:
                del self._by_key[inode.key]
            for place in list(inode.links):
                self._drop(place)
                self.tidy(place[0])

    def dirty(self) -> Iterator[Inode]:
        """Those with unsynced data, in the order of their paths."""
        named = [inode for inode in self._by_number.values() if inode.dirty and inode.links]
        return iter(sorted(named, key=self.path))

    def descriptor(self, inode: Inode) -> int:
        """Of the backing file; opened if it is not. Raises OSError."""
        if inode.descriptor is None:
            path = self.path(inode)
            with suppress(PermissionError):
                inode.descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
                return inode.descriptor
            inode.descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        return inode.descriptor


def _name(link: Place) -> str:
    return link[1]
