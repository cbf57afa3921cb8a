"""A real node: messages in on standard input, out on standard output, log lines on standard error. Runs under Maelstrom, too.

A message is one line, in JSON unless the option ``codec`` says otherwise (``targets.node.codecs``).

The node ends with status 0 when its input ends (the harness died, or wants it to) or when it is asked to by SIGTERM (what it had written
is synced first), and with status 1 and a traceback in its log when its program fails. Nothing here blocks the event loop but writing,
which a reader that never stops reading keeps short.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import signal
import stat
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from targets.node.codecs import DEFAULT, Codec, Malformed, codec_named
from targets.node.codecs.limits import MESSAGE_BYTES_MAX
from targets.node.env import Body, Env, Message
from targets.node.runtime import Runtime, World
from targets.node.storage import FileStorage
from targets.node.wallclock import Skew, WallClock

STDIN, STDOUT, STDERR = 0, 1, 2
HARNESS = "sb"  # what the harness calls itself in messages
# The status of a node whose program failed.
CRASHED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """How one node is run. ``epoch_s`` is the reading of the machine's monotonic clock from which log times count."""

    program: Callable[[Env], Any]
    data: Path
    options: Mapping[str, Any]
    seed: int | None = None  # None: no two runs alike
    incarnation: int = 0
    epoch_s: float | None = None
    skew: Skew | None = None
    through: bool = False  # see ``FileStorage``

    def dice(self, node: str) -> random.Random:
        """The same dice as in the simulator (``harness.rng``)."""
        if self.seed is None:
            return random.Random()
        return random.Random(f"splitbrain/{self.seed}/node/{node}/{self.incarnation}")


class Node(asyncio.Protocol):
    """The pipes of one node, and its runtime between them. ``pipe`` is the pipes' codec, if it is not that of all messages."""

    def __init__(self, seat: Seat, pipe: Codec | None = None) -> None:
        self._codec = codec_named(seat.options.get("codec", DEFAULT))
        self._pipe = pipe or self._codec
        self.ended = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time() if seat.epoch_s is None else seat.epoch_s
        self._rest = b""
        self._outgoing: list[bytes] = []
        self._name = ""
        self._storage = FileStorage(seat.data, through=seat.through)
        world = World(
            transmit=self._transmit,
            write=self._write,
            crashed=self._crashed,
            dice=seat.dice,
            storage=self._storage,
            clock=WallClock(time.time, seat.skew),
            options=seat.options,
            incarnation=seat.incarnation,
        )
        self._runtime = Runtime(seat.program, world)
        self._loop.set_exception_handler(self._unhandled)
        self._loop.add_signal_handler(signal.SIGTERM, self._asked_to_end)

    # What comes in

    def data_received(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self.line_received(line, self._pipe)
        if len(self._rest) > MESSAGE_BYTES_MAX:
            self._refuse(self._rest, "the line is too long")
            self._rest = b""

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def line_received(self, line: bytes, codec: Codec) -> None:
        message = self._read(line, codec)
        if message is not None:
            # Whoever writes to the pipes, a router of the harness or Maelstrom, knows who sent what.
            self._runtime.receive(message, trusted=message["src"] in (HARNESS, *self._runtime.node_ids))

    def _read(self, line: bytes, codec: Codec) -> Message | None:
        """The message of a line; None, told in the log, if it holds none."""
        if not line.strip():
            return None
        try:
            return codec.decode(line)
        except Malformed as error:
            self._refuse(line, str(error))
            return None

    def _refuse(self, line: bytes, why: str) -> None:
        self._write({"event": "malformed", "why": why, "line": line[:200].decode(errors="replace")})

    # What goes out

    def _transmit(self, dest: str, body: Body) -> None:
        if not self._outgoing:
            self._loop.call_soon(self._flush)  # one write for all messages of this round
        self._outgoing.append(self._packed(dest, body, self._pipe))

    def _packed(self, dest: str, body: Body, codec: Codec) -> bytes:
        return codec.encode({"src": self._runtime.node_id, "dest": dest, "body": body}) + b"\n"

    def _flush(self) -> None:
        data, self._outgoing = b"".join(self._outgoing), []
        _write_all(STDOUT, data)

    def _write(self, fields: Mapping[str, Any]) -> None:
        line = {"t": round(self._loop.time() - self._began_s, 6), **fields}
        _write_all(STDERR, json.dumps(line, separators=(",", ":"), default=str).encode() + b"\n")

    # How it ends

    def _asked_to_end(self) -> None:
        """There is time to clean up: nothing that was written is lost."""
        self._storage.settle()
        self._write({"event": "stop"})
        if not self.ended.done():
            self.ended.set_result(None)

    def _crashed(self, _error: BaseException) -> None:
        self._flush()  # what was sent before has left
        os._exit(CRASHED)  # as after a kill, nothing is synced or cleaned up

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback of the program failed, or a task that nobody awaits. What is cut short when the node has ended is no crash."""
        if self.ended.done():
            return
        error = context.get("exception")
        self._runtime.crash(error if error is not None else RuntimeError(context["message"]))


def _write_all(descriptor: int, data: bytes) -> None:
    """Write it all, also where the descriptor shares its mode with a standard input that does not block."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
        except BrokenPipeError:
            os._exit(0)  # nobody hears this node any more


async def _live(seat: Seat) -> None:
    node = Node(seat)
    if stat.S_ISREG(os.fstat(STDIN).st_mode):  # a file never blocks, and event loops do not take it
        node.data_received(sys.stdin.buffer.read())
        await asyncio.sleep(0)
        return
    await asyncio.get_running_loop().connect_read_pipe(lambda: node, sys.stdin.buffer)
    await node.ended


def run(seat: Seat) -> int:
    """Run one node until its input ends. Returns the exit status."""
    try:
        with asyncio.Runner() as runner:
            runner.run(_live(seat))
    except KeyboardInterrupt:
        return 130
    except Exception:  # noqa: BLE001 - said in the log like every other end
        line = {"event": "crash", "traceback": traceback.format_exc()}
        _write_all(STDERR, json.dumps(line).encode() + b"\n")
        return CRASHED
    return 0
