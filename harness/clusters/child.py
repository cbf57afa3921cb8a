"""One child process on pipes: started, written to, read line by line, signalled, and always reaped.

The child leads a process group of its own, so that a signal reaches also what it started itself, and the terminal's interrupt does not
reach it. It learns of our death by the end of its input; if it cannot (it is stopped), the guardian ends it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from harness.clusters.guardian import Guardian
from harness.errors import ClusterError, TargetError

# How often a dying process is looked at, and for how long: a process after SIGKILL is gone within milliseconds unless a disk hangs.
LOOK_S, DEAD_S = 0.001, 10.0
# A process that has closed its output is ending; it is made to if it has not by then.
ENDING_S = 1.0
# What a process that does not read (it is stopped, say) may have waiting for it; beyond that the network drops, as a network does.
BUFFER_MAX = 16 * 1024 * 1024


class Child(asyncio.Protocol):
    """See the module. ``on_line`` gets each line of its output; ``on_end`` its exit status (negative: the signal) once it is reaped."""

    def __init__(self, on_line: Callable[[bytes], None], on_end: Callable[[int], None]) -> None:
        self._on_line, self._on_end = on_line, on_end
        self._rest = b""
        self._closed = asyncio.Event()  # its output has ended and was read
        self._process: subprocess.Popen[bytes]
        self._guardian: Guardian
        self._input: asyncio.WriteTransport
        self._output: asyncio.BaseTransport
        self._watcher: asyncio.Task[None]

    async def spawn(
        self, argv: Sequence[str], *, directory: Path, log: Path, env: Mapping[str, str], guardian: Guardian
    ) -> None:
        """Start it. Its standard error goes to the end of ``log``. Raises TargetError if there is no such program."""
        with log.open("ab") as errors:
            try:
                # Blocks for the milliseconds of a fork; what asyncio offers instead reaps differently from version to version.
                self._process = subprocess.Popen(  # noqa: ASYNC220
                    list(argv),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    cwd=directory,
                    env=dict(env),
                    process_group=0,
                )
            except OSError as error:
                raise TargetError(f"cannot run {argv[0]!r}: {error.strerror or error}") from error
        self._guardian = guardian
        loop = asyncio.get_running_loop()
        try:
            guardian.guard(self._process.pid)
            self._input, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, self._process.stdin)
            self._output, _ = await loop.connect_read_pipe(lambda: self, self._process.stdout)
        except BaseException:  # an interrupt, as a rule: nobody else knows of this process yet
            self._process.kill()
            self._process.wait()
            guardian.release(self._process.pid)
            raise
        self._watcher = loop.create_task(self._watch())

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        """False once it certainly cannot read another message."""
        return self._process.returncode is None and not self._input.is_closing()

    def write(self, line: bytes) -> bool:
        """Send a line; False if it was dropped, since nobody will read it or too much is waiting to be read already."""
        if not self.running or self._input.get_write_buffer_size() > BUFFER_MAX:
            return False
        self._input.write(line)
        return True

    def signal(self, number: signal.Signals) -> None:
        """To the process and all that it started; nothing if it has ended."""
        if self._process.poll() is None:  # not reaped, so its number is still its own
            with suppress(
                ProcessLookupError, PermissionError
            ):  # it has just ended: macOS permits no signal to what is dead
                os.killpg(self._process.pid, number)

    async def kill(self) -> None:
        """SIGKILL; returns when it is reaped and all that it had written has been read. Idempotent."""
        self.signal(signal.SIGKILL)
        await self._reaped(DEAD_S)
        try:
            async with asyncio.timeout(ENDING_S):
                await self._closed.wait()
        except TimeoutError:  # something that it started and that left its group still holds the pipe
            self._output.close()
        await self._watcher

    async def end(self, grace_s: float) -> bool:
        """SIGTERM, and after that long SIGKILL; returns when it is gone, as after ``kill``: whether it ended by itself."""
        self.signal(signal.SIGTERM)
        ended = True
        try:
            async with asyncio.timeout(grace_s):
                await self._closed.wait()
                await asyncio.shield(self._watcher)
        except TimeoutError:
            ended = False
        await self.kill()
        return ended

    def data_received(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._on_line(line)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    async def _watch(self) -> None:
        """See it to its end, whoever brings that about."""
        await self._closed.wait()
        try:
            await self._reaped(ENDING_S)
        except ClusterError:
            self.signal(signal.SIGKILL)
            await self._reaped(DEAD_S)
        if not self._input.is_closing():
            self._input.abort()
        self._guardian.release(self._process.pid)
        self._on_end(self._process.returncode)
        await asyncio.sleep(0)  # transports close their pipes in the loop's next round

    async def _reaped(self, patience_s: float) -> None:
        """Raises ClusterError if it lives longer than that."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + patience_s
        while self._process.poll() is None:
            if loop.time() > until_s:
                raise ClusterError(f"process {self._process.pid} still lives {patience_s:g} s after its end began")
            await asyncio.sleep(LOOK_S)
