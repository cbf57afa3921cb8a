"""Keys that are searched ahead, in processes of their own: the answers of one process after the other, sooner.

What a search finds depends on its key and its limits alone. So keys whose limits are known before the others are done can be searched
at the same time; a process is forked, searches some of them, and tells how far each came. Whoever asked uses an answer only if the limits
turn out to be those, and searches by itself what nobody told: how many processes there are, and whether they live, changes nothing.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from checkers.kernels.engine import Engine
from checkers.linearizable.limits import Limits

# From so many operations, times the factor of the round, a fork (some milliseconds, and memory that both touch is copied) pays for itself,
# if each process has so many searches: of two searches of 50,000 operations each in its own process, both took twice as long as here.
FORK_FROM_OPS, TASKS_EACH = 100_000, 2
PROCESSES_MAX = 8
# A remembered configuration takes at most about so much: the tables of all processes together keep to the limit.
_BYTES_PER_CONFIG = 256


@runtime_checkable
class Task(Protocol):
    """A key to be searched."""

    def attempt(self, limits: Limits, run: Engine) -> None:
        """See ``check.Case``."""
        ...

    def may_go_apart(self) -> bool:
        """Whether ``progress`` is all that attempts leave behind for those that follow."""
        ...

    def progress(self) -> Any:
        """What attempts have changed."""
        ...

    def resume(self, progress: Any) -> None:
        """As if the attempts that led to ``progress`` had been made here."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A key that was searched within ``limits``, with its progress; None if nobody told."""

    task: Task
    limits: Limits
    progress: Any

    def resume(self, limits: Limits) -> bool:
        """Let the key be where a search within ``limits`` takes it; False, and nothing done, if that was not the search."""
        if self.progress is None or self.limits != limits:
            return False
        self.task.resume(self.progress)
        return True


def usable_processes() -> int:
    """How many searches can run at once here; 1 where nothing can be forked safely."""
    if not sys.platform.startswith("linux") or threading.active_count() > 1:
        return 1
    return min(len(os.sched_getaffinity(0)), PROCESSES_MAX)


def search_ahead(tasks: Sequence[Task], limits: Sequence[Limits], run: Engine, processes: int) -> list[Ahead]:
    """Every task, searched within its limits; none at all where one process is as good."""
    room = min((limit.bytes // (limit.configs * _BYTES_PER_CONFIG) for limit in limits), default=0)
    workers = min(processes, len(tasks), room)
    if workers < 2:
        return []
    found: list[Any] = [None] * len(tasks)
    children = [_start(tasks[k::workers], limits[k::workers], run) for k in range(workers)]
    try:
        for k, (_, reading) in enumerate(children):
            answers = _read(reading)
            if len(answers) == len(found[k::workers]):
                found[k::workers] = answers
    except BaseException:
        for child, _ in children:
            os.kill(child, signal.SIGKILL)
        raise
    finally:
        for child, _ in children:
            os.waitpid(child, 0)
    told = zip(tasks, limits, found, strict=True)
    return [Ahead(task=task, limits=limit, progress=progress) for task, limit, progress in told]


def _start(tasks: Sequence[Task], limits: Sequence[Limits], run: Engine) -> tuple[int, int]:
    """The process that searches these, and where it tells."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        os.close(reading)
        answers = [_attempted(task, limit, run) for task, limit in zip(tasks, limits, strict=True)]
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump(answers, pipe)
    finally:
        os._exit(0)


def _attempted(task: Task, limits: Limits, run: Engine) -> Any:
    try:
        task.attempt(limits, run)
    except Exception:  # noqa: BLE001 - it comes up again where it can be told
        return None
    return task.progress()


def _read(reading: int) -> list[Any]:
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    with suppress(pickle.UnpicklingError, EOFError):
        answers: list[Any] = pickle.loads(told)  # noqa: S301 - written by our own child
        return answers
    return []
