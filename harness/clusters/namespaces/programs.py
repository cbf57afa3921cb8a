"""What runs in a place: one program at a time, on pipes, started, written to, read line by line, ended.

Its init in the place does the work; this is the controller's side of it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from harness.clusters.namespaces import wire
from harness.clusters.namespaces.conversation import Conversation
from harness.errors import TargetError

# What a program that does not read (it is stopped, say) may have waiting for it; beyond that questions are dropped.
BUFFER_MAX = 16 * 1024 * 1024


async def init_of(place: Conversation) -> int:
    """The number of the place's init as we see it. Raises ClusterError, OSError."""
    _, (descriptor,) = await place.call("self")
    try:
        return _number_of(descriptor)
    finally:
        os.close(descriptor)


def _number_of(process: int) -> int:
    """Of the process of that descriptor: pidfd_open(2)."""
    lines = Path(f"/proc/self/fdinfo/{process}").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pid:"))


class Program(asyncio.Protocol):
    """See the module. ``on_line`` gets each line of its output, ``on_end`` its exit status (negative: the signal)."""

    def __init__(self, place: Conversation, on_line: Callable[[bytes], None], on_end: Callable[[int], None]) -> None:
        self.pid = 0  # in its place
        self._place, self._on_line, self._on_end = place, on_line, on_end
        self._rest = b""
        self._over = asyncio.Event()
        self._closed = asyncio.Event()  # its output has ended and was read
        self._input: asyncio.WriteTransport | None = None
        self._output: asyncio.ReadTransport | None = None
        self._ended: dict[int, int] = {}  # programs that have ended, this one or one before, and their status
        place.on_news = self._news

    async def spawn(self, argv: Sequence[str], log: Path) -> None:
        """Start it. Its standard error goes to the end of ``log``. Raises TargetError if there is no such program."""
        theirs, ours = _pipe()
        result, output = _pipe()
        try:
            with log.open("ab") as errors, theirs, output:
                self.pid = await self._start(argv, (theirs, output, errors))
            loop = asyncio.get_running_loop()
            self._input, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, ours)
            self._output, _ = await loop.connect_read_pipe(lambda: self, result)
        except BaseException:  # an interrupt, as a rule: the place will end what was started
            self.close()
            ours.close()
            result.close()
            raise
        self._settle()

    async def _start(self, argv: Sequence[str], files: Sequence[IO[bytes]]) -> int:
        """Its process number in the place. Raises TargetError."""
        try:
            answer, _ = await self._place.call("spawn", [file.fileno() for file in files], argv=list(argv))
        except OSError as error:
            raise TargetError(f"cannot run {argv[0]!r}: {error.strerror or error}") from error
        pid: int = answer["pid"]
        return pid

    @property
    def running(self) -> bool:
        """False once it certainly cannot read another line."""
        return not self._over.is_set() and self._input is not None and not self._input.is_closing()

    def write(self, line: bytes) -> None:
        """Send a line to its standard input; dropped if nobody will read it, or too much is waiting to be read already."""
        if self._input is not None and self.running and self._input.get_write_buffer_size() <= BUFFER_MAX:
            self._input.write(line)

    async def signal(self, number: signal.Signals) -> None:
        """To it and all that it started; after SIGKILL they are dead and reaped when this returns."""
        await self._place.call("signal", number=int(number))

    async def end(self, grace_s: float) -> bool:
        """SIGTERM, and after that long SIGKILL; returns when it is gone, as after ``kill``: whether it ended by itself."""
        await self.signal(signal.SIGTERM)
        ended = True
        try:
            async with asyncio.timeout(grace_s):
                await self._over.wait()
        except TimeoutError:
            ended = False
        await self.kill()  # also what it had started, and has not ended itself
        return ended

    async def runs(self) -> bool | None:
        """Whether it is not stopped; None if it has ended."""
        answer, _ = await self._place.call("runs", pid=self.pid)
        runs: bool | None = answer["runs"]
        return runs

    async def kill(self) -> None:
        """SIGKILL; returns when it is reaped and all that it had written has been read. Idempotent."""
        await self.signal(signal.SIGKILL)
        await self._over.wait()
        await self._closed.wait()

    def close(self) -> None:
        """Let go of it: its pipes are closed, and its end is nobody's news any more. Whoever ends its place ends it."""
        self._over.set()
        for transport in (self._input, self._output):
            if transport is not None and not transport.is_closing():
                transport.close()

    def data_received(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._on_line(line)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    def _news(self, message: wire.Message, descriptors: list[int]) -> None:
        for descriptor in descriptors:
            os.close(descriptor)
        if "ended" in message:
            self._ended[message["ended"]] = message["status"]
            self._settle()

    def _settle(self) -> None:
        """Its end may be heard of before its start is."""
        if self.pid in self._ended and not self._over.is_set():
            self._over.set()
            if self._input is not None and not self._input.is_closing():
                self._input.abort()
            self._on_end(self._ended[self.pid])


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    reading, writing = os.pipe()
    return os.fdopen(reading, "rb", 0), os.fdopen(writing, "wb", 0)
