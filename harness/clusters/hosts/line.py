"""The channel to the agent on a host, for an event loop: questions and answers, one JSON object per line; lines of the node's between.

Paramiko blocks, so each host has two threads: one that reads, one that writes. What they have in common with the loop are queues.
"""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import paramiko

from harness.clusters.hosts.connection import PIECE, Connection
from harness.errors import ClusterError

# An agent answers within milliseconds; it kills and ends within seconds. A host that swaps takes longer.
ANSWER_S = 30.0
ENDED_S = 10.0


class AgentLine:
    """``on_line`` hears the node's lines, ``on_end`` its status, ``on_lost`` why nothing can be asked any more. All in the loop."""

    def __init__(
        self,
        channel: paramiko.Channel,
        name: str,
        log: Path,
        *,
        on_line: Callable[[bytes], None],
        on_end: Callable[[int], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self.name, self.why_lost = name, ""
        self._channel, self._log = channel, log
        self._on_line, self._on_end, self._on_lost = on_line, on_end, on_lost
        self._loop = asyncio.get_running_loop()
        self._asked = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._write)]
        for thread in self._threads:
            thread.start()

    async def ask(self, do: str, patience_s: float = ANSWER_S, **fields: Any) -> dict[str, Any]:
        """The agent's answer. Raises ClusterError."""
        if self.why_lost:
            raise ClusterError(f"{self.name}: {self.why_lost}")
        self._asked += 1
        number = self._asked
        waiter = self._waiting[number] = self._loop.create_future()
        try:
            self._send({"id": number, "do": do, **fields})
            async with asyncio.timeout(patience_s):
                answer: dict[str, Any] = await waiter
        except TimeoutError:
            raise ClusterError(f"{self.name}: the agent did not answer {do!r} within {patience_s:g} s") from None
        finally:
            self._waiting.pop(number, None)
        if "error" in answer:
            raise ClusterError(f"{self.name}: {answer['error']}")
        return answer

    def write(self, line: str) -> None:
        """A line for the node's standard input."""
        self._send({"write": line})

    def _send(self, message: Mapping[str, Any]) -> None:
        self._outgoing.put(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def end(self) -> None:
        """No more is sent: the agent heals everything and ends. Idempotent."""
        self._on_line, self._on_end, self._on_lost = (lambda _: None), (lambda _: None), (lambda _: None)
        self._outgoing.put(None)

    async def ended(self) -> int:
        """The agent's exit status, when it has ended; -1 if it cannot be known. After ``end``."""
        for thread in self._threads:
            await asyncio.to_thread(thread.join, ENDED_S)
        return self._channel.exit_status if self._channel.exit_status_ready() else -1

    # Threads

    def _write(self) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):  # the reader tells of it
            while (data := self._outgoing.get()) is not None:
                self._channel.sendall(data)
            self._channel.shutdown_write()

    def _read(self) -> None:
        rest, why = b"", "the connection is lost"
        with self._log.open("ab") as log, suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.set_combine_stderr(False)
            while data := self._channel.recv(PIECE):
                self._hear_errors(log)
                *lines, rest = (rest + data).split(b"\n")
                self._tell(self._heard, lines)
            self._channel.status_event.wait(1.0)
            self._hear_errors(log)
            if self._channel.exit_status_ready():
                why = f"the agent ended with status {self._channel.exit_status} (see {self._log})"
        self._outgoing.put(None)
        self._tell(self.lose, why)

    def _hear_errors(self, log: IO[bytes]) -> None:
        while self._channel.recv_stderr_ready():
            log.write(self._channel.recv_stderr(PIECE))

    def _tell(self, function: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to hear it
            self._loop.call_soon_threadsafe(function, *arguments)

    # In the loop

    def _heard(self, lines: list[bytes]) -> None:
        for line in lines:
            message = json.loads(line)
            if "line" in message:
                self._on_line(message["line"].encode())
            elif "ended" in message:
                self._on_end(message["ended"])
            else:
                waiter = self._waiting.get(message["id"])
                if waiter is not None and not waiter.done():
                    waiter.set_result(message)

    def lose(self, why: str) -> None:
        """Nothing can be asked any more. Idempotent."""
        if self.why_lost:
            return
        self.why_lost = why
        self._outgoing.put(None)
        self._channel.close()
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_result({"error": why})
        self._on_lost(why)


def open_agent(connection: Connection, runtime: str, lease_s: float) -> paramiko.Channel:
    """A channel to a new agent there. Raises ClusterError."""
    host = connection.host
    argv = [host.python, "-S", "-m", "harness.clusters.hosts.agent", host.data, repr(lease_s)]
    return connection.open(argv, {"PYTHONPATH": runtime})
