"""One life of a node's container: started, written to, read line by line, killed, and always seen to its end.

Its pipes go through the engine, on one connection that is ours alone: when it closes (we died), the container's input ends.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from docker.errors import APIError

from harness.clusters.containers.engine import Engine
from harness.clusters.containers.frames import ERROR, Frames
from harness.clusters.containers.group import Group
from harness.errors import ClusterError

# What a program that does not read (it is paused, say) may have waiting for it; beyond that questions are dropped.
BUFFER_MAX = 16 * 1024 * 1024
# An ended container's state is written a moment after its output ended.
LOOK_S, ENDED_S = 0.01, 20.0
# runc tries for a fifth of a second; where the machine is so busy that not all processes come to a stand meanwhile, it lets them go on.
FREEZE_TRIES, NOT_FROZEN = 20, "freeze"
STREAMS = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
# What the engine says where a container is not in the state for a request. Its status is 409 or 500, from version to version.
NOT_NOW = ("is not running", "is not paused", "is already paused", "No such container")


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a life ended. ``status`` is that of a process: 137 after SIGKILL. ``lost`` says why nothing is known of it."""

    status: int = 0
    out_of_memory: bool = False
    lost: str | None = None


class Life(asyncio.Protocol):
    """See the module. ``on_line`` gets each line of its output, ``on_end`` how it ended, once, whoever brought that about."""

    def __init__(
        self, engine: Engine, container: str, on_line: Callable[[bytes], None], on_end: Callable[[End], None]
    ) -> None:
        self._engine, self._container = engine, container
        self._on_line, self._on_end = on_line, on_end
        self._frames, self._rest = Frames(), b""
        self.group: Group | None = None  # its processes; None before it runs
        self._begun = False  # whether the launcher has its command, so that what follows is for the program
        self._ended = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport
        self._log: IO[bytes] | None = None

    async def start(
        self, argv: Sequence[str], log: Path, prepared: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Start the container and in it this command. Its standard error goes to the end of ``log``. Raises ClusterError.

        ``prepared`` is awaited when ``group`` is known, before the command has run its first instruction.
        """
        loop = asyncio.get_running_loop()
        what, client = "cannot attach to a container", self._engine.client
        sock = await self._engine.call(what, _attach, client, self._container, undo=socket.socket.close)
        self._log = log.open("ab", buffering=0)
        try:
            self._transport, _ = await loop.create_connection(lambda: self, sock=sock)
        except BaseException:
            sock.close()
            self._log.close()
            raise
        try:
            await self._engine.call("cannot start a container", self._engine.client.start, self._container)
            self.group = await self._processes()
            if prepared is not None:
                await prepared()
            self._transport.write(json.dumps(list(argv)).encode() + b"\n")
            self._begun = True
        except BaseException:
            self.close()
            raise

    @property
    def running(self) -> bool:
        """False once it certainly cannot read another line."""
        return not self._ended.is_set() and not self._transport.is_closing()

    def write(self, line: bytes) -> None:
        """Send a line to its standard input; dropped if nobody will read it, nobody can yet, or too much is waiting to be read already."""
        if self._begun and self.running and self._transport.get_write_buffer_size() <= BUFFER_MAX:
            self._transport.write(line)

    async def kill(self) -> None:
        """SIGKILL, also to one that is paused; returns when it has ended and all that it had written has been read. Idempotent."""
        if not self._ended.is_set():
            await self._tell("kill", self._engine.client.kill, "SIGKILL")
        await self._ended.wait()

    async def end(self, grace_s: float) -> bool:
        """SIGTERM, and after that long SIGKILL; returns when it has ended, as after ``kill``: whether it did so by itself."""
        if self.group is not None:  # not by way of the engine, which would let a paused container go on
            self.group.ask_to_end()
        try:
            async with asyncio.timeout(grace_s):
                await self._ended.wait()
        except TimeoutError:
            await self.kill()
            return False
        return True

    async def pause(self) -> None:
        """All its processes stand still, by the kernel's freezer. Nothing if it has ended, or does already."""
        for left in reversed(range(FREEZE_TRIES)):
            try:
                await self._tell("pause", self._engine.client.pause)
            except ClusterError as error:
                if not left or NOT_FROZEN not in str(error):
                    raise
            else:
                return

    async def resume(self) -> None:
        """Undo ``pause``; nothing if it does not stand still."""
        await self._tell("resume", self._engine.client.unpause)

    async def _tell(self, what: str, function: Callable[..., None], *args: Any) -> None:
        with suppress(_NotNow):
            await self._engine.call(f"cannot {what} a container", _if_now, function, self._container, *args)

    async def finish(self) -> None:
        """At the run's end: SIGKILL, read what it had still written, let go of it. An engine that is gone keeps nobody."""
        try:
            with suppress(ClusterError, TimeoutError):
                async with asyncio.timeout(ENDED_S):
                    await self.kill()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of it: its end is nobody's news any more. Whoever removes the container ends it."""
        self._ended.set()
        if self._watching is not None:
            self._watching.cancel()
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        try:
            frames = self._frames.feed(data)
        except ValueError:
            self._transport.abort()
            return
        for stream, piece in frames:
            if stream == ERROR:
                assert self._log is not None
                self._log.write(piece)
            else:
                self._read(piece)

    def _read(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._on_line(line)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._log is not None:
            self._log.close()
        if not self._ended.is_set():
            self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        """Its output has ended: see how it did itself."""
        try:
            end = await self._end()
        except ClusterError as error:
            end = End(lost=str(error))
        self._ended.set()
        self._on_end(end)

    async def _end(self) -> End:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + ENDED_S
        while True:
            state = await self._inspect()
            if not state["Running"]:
                return End(status=state["ExitCode"], out_of_memory=state["OOMKilled"])
            if loop.time() > until_s:
                return End(lost="the Docker engine has hung up on a container that runs")
            await asyncio.sleep(LOOK_S)

    async def _processes(self) -> Group | None:
        """None if it has ended already, of which its output tells."""
        state = await self._inspect()
        with suppress(ClusterError):
            return Group(state["Pid"], self._container) if state["Running"] else None
        return None

    async def _inspect(self) -> dict[str, Any]:
        """What the engine says of it now."""
        inspect = self._engine.client.inspect_container
        state: dict[str, Any] = (await self._engine.call("a container cannot be looked at", inspect, self._container))[
            "State"
        ]
        return state


class _NotNow(Exception):  # noqa: N818 - what happened, not whose fault it is
    """The container has ended, or is already as it should be."""


def _if_now(function: Callable[..., None], *args: Any) -> None:
    try:
        function(*args)
    except APIError as error:
        if any(words in str(error.explanation) for words in NOT_NOW):
            raise _NotNow from error
        raise


def _attach(client: Any, container: str) -> socket.socket:
    """A connection to its pipes that does not block. The SDK's own objects around it are let go."""
    wrapped = client.attach_socket(container, params=STREAMS)
    inner: socket.socket = getattr(wrapped, "_sock", wrapped)
    sock = inner.dup()
    sock.setblocking(False)
    getattr(wrapped, "_response", wrapped).close()
    return sock
