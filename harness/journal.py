"""What is written while a run goes on: the history and the fault journal, both safe against ``kill -9`` at any moment.

Both are files of JSON lines that are only ever appended to. A line handed to ``write(2)`` survives the death of the controller; what
a fault does to a cluster must even survive the machine, so the fault journal is synced line by line.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness.errors import ClusterError
from harness.formats import jsonl, load_history
from harness.op import NEMESIS, Op, OpType

FAULT_JOURNAL_VERSION = 1
# Completions wait in memory for the next invocation at most this long (in lines): losing one on a crash only turns ok into info.
BUFFERED_LINES_MAX = 64
SIMULATED_LINES_MAX = 1_000
CONTROLLER_DIED = "the controller died before the operation completed"


class Appender:
    """An append-only file of lines. Raises ClusterError, naming the file, when the disk refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _explained(path):
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def write(self, data: bytes) -> None:
        with _explained(self._path):
            while data:
                data = data[os.write(self._fd, data) :]

    def sync(self) -> None:
        with _explained(self._path):
            os.fsync(self._fd)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class HistoryJournal:
    """Records ops as they happen. An invocation is with the kernel before ``record`` returns, with all lines before it.

    ``durable`` is false where no request leaves this process (the simulator): there a death of the controller leaves nothing in doubt, and
    the seed repeats what was lost. Then lines are written by the thousand.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._file = Appender(path)
        self._durable = durable
        self._buffer: list[bytes] = [jsonl.HEADER]

    def record(self, op: Op) -> None:
        self._buffer.append(jsonl.encode_op(op))
        if self._durable:
            if op.type is OpType.INVOKE or op.process == NEMESIS or len(self._buffer) >= BUFFERED_LINES_MAX:
                self._write()
        elif len(self._buffer) >= SIMULATED_LINES_MAX:
            self._write()

    def flush(self) -> None:
        """There is time: what is waiting goes to the kernel."""
        if self._durable:
            self._write()

    def _write(self) -> None:
        if self._buffer:
            self._file.write(b"".join(self._buffer))
            self._buffer.clear()

    def close(self) -> None:
        self._write()
        self._file.close()


class FaultJournal:
    """Intent, applied, verified, healed: one synced line each, before and after touching anything.

    ``durable`` is false where faults touch nothing outside this process (the simulator): then there is nothing to heal after a crash.
    """

    def __init__(self, path: Path, now_ns: Callable[[], int], *, durable: bool = True) -> None:
        self._file = Appender(path)
        self._now_ns = now_ns
        self._durable = durable
        self._write({"splitbrain": "faults", "version": FAULT_JOURNAL_VERSION})

    def record(self, state: str, fault_id: int, **fields: Any) -> None:
        self._write({"time": self._now_ns(), "state": state, "id": fault_id, **fields})

    def close(self) -> None:
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")
        if self._durable:
            self._file.sync()


def recover_history(path: Path) -> int:
    """Make the history of a run whose controller died whole again; returns how many open ops became info. Idempotent.

    A torn last line is cut off. Every client op that never completed gets an ``info`` completion: it may have taken effect. A controller
    that died before its first operation leaves a history without any.
    """
    with path.open("rb+") as file:
        data = file.read()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            file.truncate(whole)
        if not whole:
            file.seek(0)
            file.write(jsonl.HEADER)
    history = load_history(path)
    last_ns = int(history.time_ns[-1]) if len(history) else 0
    calls = history.calls()
    open_ops = [calls.op(row) for row in range(len(calls)) if calls.completion(row) is None]
    appender = Appender(path)
    for number, op in enumerate(open_ops):
        line = replace(op.info(CONTROLLER_DIED), index=len(history) + number, time_ns=last_ns)
        appender.write(jsonl.encode_op(line))
    appender.sync()
    appender.close()
    return len(open_ops)


class _explained:  # noqa: N801 - reads as a word: "with _explained(path)"
    """Turns what the disk says into one sentence."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            advice = "the disk is full: free some space or choose another --store" if full else error.strerror
            raise ClusterError(f"cannot write {self._path}: {advice}") from error
