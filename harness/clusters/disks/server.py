"""The server of one node's disk: ``python -m harness.clusters.disks.server CONTROL PLACE SOURCE``, or ``serve`` in a process that is there.

One process, one loop: requests of the kernel from /dev/fuse, questions of the controller from a local socket, answers that take time. It
stands in the directory that keeps what is durable, over which its own file system is mounted, so that what is left after the run is just
what the disk held. It ends when the controller's socket closes, however that comes about, and takes its mount with it.

Standard library alone. It must never touch a path below its own mount: it would wait for itself.
"""

from __future__ import annotations

import errno
import heapq
import os
import random
import resource
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.clusters.disks import protocol as fuse
from harness.clusters.disks.files import Files, Later, Request
from harness.clusters.namespaces import kernel, wire
from harness.effects import DiskFault

AGAIN = (errno.EINTR, errno.EAGAIN, errno.ENOENT)  # ENOENT: the request was interrupted (fuse(4))
OPEN_FILES_MAX = 65536


def device() -> int:
    """A new connection to the kernel's FUSE. Raises OSError."""
    return os.open(fuse.DEVICE, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)


def mount(connection: int, place: str, source: str) -> None:
    """Lay the file system of that connection over a directory. Raises OSError."""
    options = (
        f"fd={connection},rootmode=40000,user_id={os.geteuid()},group_id={os.getegid()},allow_other,default_permissions"
    )
    kernel.mount(source, place, "fuse", flags=kernel.NO_SUID | kernel.NO_DEVICES, options=options)


class Server:
    """See the module. ``control`` is this end of the conversation with the controller."""

    def __init__(self, connection: int, control: socket.socket, seed: str) -> None:
        self._connection, self._control = connection, control
        self._files = Files(random.Random(seed))
        self._buffer = bytearray(fuse.REQUEST_MAX)
        self._serve: Mapping[int, Callable[[Request], bytes | Later]] = {
            code: getattr(self._files, name) for code, name in fuse.OPCODES.items() if name != "init"
        }
        self._actions: Mapping[str, Callable[[wire.Message], Mapping[str, Any]]] = {
            "break": self._break,
            "damage": self._damage,
            "hits": self._hits,
            "crash": self._crash,
        }
        self._late: list[tuple[float, int, Later]] = []  # (when, the request's number, what then)

    def serve(self) -> None:
        """Until the controller's end is closed, or the mount is gone. A mistake of ours is told to the controller before it is raised."""
        try:
            self._loop()
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            told = f"{type(error).__name__}: {error} ({Path(where.filename).name}, line {where.lineno})"
            wire.send(self._control, {"error": told, "errno": None})
            raise

    def _loop(self) -> None:
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        poll.register(self._control, select.POLLIN)
        while True:
            wait_ms = max(0.0, self._late[0][0] - time.monotonic()) * 1000 if self._late else None
            ready = dict(poll.poll(wait_ms))
            if self._connection in ready and not self._requests():
                return
            self._overdue()
            if self._control.fileno() in ready and not self._asked():
                return

    # The kernel

    def _requests(self) -> bool:
        """Serve what is there; False when the file system is mounted nowhere any more."""
        while True:
            try:
                count = os.readv(self._connection, [self._buffer])
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    return True
                if error.errno in AGAIN:
                    continue
                return False
            _, code, unique, node, uid, gid, _, _, _ = fuse.REQUEST.unpack_from(self._buffer)
            body = bytes(memoryview(self._buffer)[fuse.REQUEST.size : count])
            self._one(code, unique, Request(node, uid, gid, body))
            if self._late:
                self._overdue()

    def _one(self, code: int, unique: int, request: Request) -> None:
        if code in (fuse.FORGET, fuse.BATCH_FORGET, fuse.INTERRUPT, fuse.DESTROY):
            self._forget(code, request)
            return
        try:
            answer = self._init(request) if fuse.OPCODES.get(code) == "init" else self._served(code, request)
            if isinstance(answer, Later):
                heapq.heappush(self._late, (time.monotonic() + answer.delay_s, unique, answer))
            else:
                self._reply(unique, answer)
        except OSError as error:
            self._reply(unique, b"", error.errno or errno.EIO)

    def _served(self, code: int, request: Request) -> bytes | Later:
        serve = self._serve.get(code)
        if serve is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        return serve(request)

    def _init(self, request: Request) -> bytes:
        _, minor, readahead, flags = fuse.INIT_IN.unpack_from(request.body)
        return fuse.init_out(minor, readahead, flags)

    def _forget(self, code: int, request: Request) -> None:
        if code == fuse.FORGET:
            self._files.inodes.forget(request.node, *fuse.FORGET_IN.unpack_from(request.body))
        elif code == fuse.BATCH_FORGET:
            many, _ = fuse.BATCH_FORGET_IN.unpack_from(request.body)
            end = fuse.BATCH_FORGET_IN.size + many * fuse.FORGET_ONE.size
            for node, count in fuse.FORGET_ONE.iter_unpack(request.body[fuse.BATCH_FORGET_IN.size : end]):
                self._files.inodes.forget(node, count)

    def _reply(self, unique: int, body: bytes, number: int = 0) -> None:
        with suppress(OSError):  # who asked has been killed meanwhile
            os.writev(self._connection, [fuse.REPLY.pack(fuse.REPLY.size + len(body), -number, unique), body])

    def _overdue(self) -> None:
        """Answer those whose time has come."""
        while self._late and self._late[0][0] <= time.monotonic():
            _, unique, late = heapq.heappop(self._late)
            try:
                self._files.sync(late.inode)
                self._reply(unique, b"")
            except OSError as error:
                self._reply(unique, b"", error.errno or errno.EIO)

    def _stale(self, inodes: Sequence[int]) -> None:
        """Have the kernel forget what it has read of these. In a thread: it may wait for a request that is to be served here."""

        def tell() -> None:
            for inode in inodes:
                body = fuse.NOTIFY_INODE_OUT.pack(inode, 0, 0)
                head = fuse.REPLY.pack(fuse.REPLY.size + len(body), fuse.NOTIFY_INODE, 0)
                with suppress(OSError):  # the kernel has forgotten it already
                    os.writev(self._connection, [head, body])

        if inodes:
            threading.Thread(target=tell, daemon=True).start()

    # The controller

    def _asked(self) -> bool:
        request, descriptors = wire.receive(self._control)
        for descriptor in descriptors:
            os.close(descriptor)
        if request is None:
            return False
        try:
            answer = self._actions[request["do"]](request)
        except OSError as error:
            answer = {"error": error.strerror or str(error), "errno": error.errno}
        wire.send(self._control, {"id": request["id"], **answer})
        return True

    def _break(self, request: wire.Message) -> Mapping[str, Any]:
        self._files.rules.set([_fault(fields) for fields in request["faults"]])
        return {}

    def _damage(self, request: wire.Message) -> Mapping[str, Any]:
        self._stale(self._files.damage(_fault(request["fault"])))
        return {}

    def _hits(self, request: wire.Message) -> Mapping[str, Any]:
        return {"hits": self._files.rules.hits[_fault(request["fault"])]}

    def _crash(self, request: wire.Message) -> Mapping[str, Any]:
        """An fsync that was being waited for has not happened."""
        late, self._late = self._late, []
        for _, unique, _ in late:
            self._reply(unique, b"", errno.EIO)
        return {"files": [asdict(file) for file in self._files.crash(request["fate"])]}


def _fault(fields: Mapping[str, Any]) -> DiskFault:
    return DiskFault(**{**fields, "operations": tuple(fields["operations"])})


def settle_in(directory: str) -> None:
    """Stand in the directory that keeps the data; what is made there gets just the mode that was asked for."""
    os.chdir(directory)
    os.umask(0)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES_MAX, most) if most > 0 else OPEN_FILES_MAX, most))


def main(control: socket.socket, place: str, source: str) -> int:
    """Mount over ``place``, serve, unmount. Says "born" or what went wrong."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's interrupt is the controller's business
    try:
        settle_in(place)
        connection = device()
        mount(connection, place, source)
    except OSError as error:
        wire.send(control, {"error": error.strerror or str(error), "errno": error.errno})
        return 1
    try:
        wire.send(control, {"born": place})
        Server(connection, control, source).serve()
    finally:
        kernel.unmount(place)
    return 0


if __name__ == "__main__":
    sys.exit(main(socket.socket(fileno=int(sys.argv[1])), sys.argv[2], sys.argv[3]))
