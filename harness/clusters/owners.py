"""Who a callback of the virtual-time loop belongs to: handles, owners, and tasks that know neither address nor collector.

Only ``virtual_loop`` makes these.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar, copy_context
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# The task list of an owner is first cleared of finished tasks at this length, then whenever it has doubled.
TASKS_KEPT = 64

# Clean-up that waits for something is told to end at each thing that it waits for; nothing sane waits for more things than this.
CLOSE_TRIES = 100

# The owner on whose behalf code now runs; unset: the root.
OWNER: ContextVar[Any] = ContextVar("splitbrain_owner", default=None)


class Handle(list[Any]):
    """A scheduled callback: [when, sequence number, callback, arguments, context, owner]. A list, so that the heap compares in C."""

    __slots__ = ()

    def cancel(self) -> None:
        self[2] = None

    def cancelled(self) -> bool:
        return self[2] is None

    def when(self) -> float:
        return float(self[0])


class Owner:
    """A simulated process: all of its callbacks stop with it. Made by ``VirtualTimeLoop.owner``."""

    __slots__ = ("context", "name", "on_error", "parked", "stopped", "tasks", "tasks_max")

    def __init__(self, name: str, on_error: Callable[[BaseException], None] | None) -> None:
        self.name, self.on_error = name, on_error
        self.context = copy_context()
        self.context.run(OWNER.set, self)
        self.stopped = False  # paused or dead
        self.parked: deque[Handle] | None = deque()  # None: dead
        self.tasks: list[OwnedTask[Any]] = []  # strong references: a waiting task must not be collected
        self.tasks_max = TASKS_KEPT

    @property
    def dead(self) -> bool:
        return self.parked is None

    def keep(self, task: OwnedTask[Any]) -> None:
        self.tasks.append(task)
        if len(self.tasks) > self.tasks_max:
            self.tasks = [kept for kept in self.tasks if not kept.done()]
            self.tasks_max = max(TASKS_KEPT, 2 * len(self.tasks))


class OwnedTask(asyncio.Task[T], Generic[T]):
    """A task that hashes by its number: ``TaskGroup`` cancels in the order of a set, which must not depend on addresses."""

    def __init__(self, coro: Coroutine[Any, Any, T], *, number: int, **kwargs: Any) -> None:
        self._number = number
        super().__init__(coro, **kwargs)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


def close_task(task: asyncio.Task[Any]) -> None:
    """Free a task that will never run again. Its clean-up may insist on waiting: it is told to end until it does.

    What the clean-up of a dead process raises is heard by nobody.
    """
    # asyncio would report a bug where a process was killed
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - only asyncio knows it, on purpose
    _discard(task.get_coro())


def _discard(coro: Any) -> None:
    if inspect.getcoroutinestate(coro) == inspect.CORO_CREATED:
        # Python warns of a coroutine that was never awaited; one that wraps another holds it in its arguments.
        for value in coro.cr_frame.f_locals.values():
            if inspect.iscoroutine(value):
                _discard(value)
    for _ in range(CLOSE_TRIES):
        with suppress(Exception):
            coro.close()
            return
