"""An asyncio event loop on virtual time: nothing waits, time jumps to the next timer. The heart of the sim cluster.

What runs on it is ordinary asyncio code (tasks, futures, ``sleep``, ``timeout``, ``TaskGroup``, ``Queue``, ``asyncio.Runner``), and a
run is a function of that code alone: no clock, no descriptor, no thread, and no help from the garbage collector is involved.

Every callback has an owner: a simulated process, or the root (the harness). The owner travels in a context variable, so whatever
a callback schedules, and every task that it starts, belongs to the same owner, whoever wakes it later. Killing an owner
drops its callbacks for good, with no ``finally`` block run (as SIGKILL does); pausing it parks them until it is resumed (as SIGSTOP).

Times are seconds since the loop was made. Must not know of networks or nodes.
"""

# ruff: noqa: SLF001 - an event loop in Python has to use what asyncio keeps for event loops
from __future__ import annotations

import asyncio
import sys
from asyncio import events
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import suppress
from contextvars import Context
from heapq import heappop, heappush
from typing import Any

from harness.clusters.owners import OWNER, TASKS_KEPT, Handle, OwnedTask, Owner, close_task

# Rounds of callbacks at one instant of virtual time. No program of ours comes near it; an endless loop reaches it within seconds.
ROUNDS_MAX = 1_000_000


class DeadlockError(RuntimeError):
    """Nothing can ever happen again, and what was waited for has not happened."""


class LivelockError(RuntimeError):
    """Callbacks follow each other for ever while no time passes."""


class UnhandledError(RuntimeError):
    """A task failed and nobody ever asked for its result."""


class VirtualTimeLoop(asyncio.AbstractEventLoop):
    """See the module. A callback that raises ends the run with that error, or goes to its owner's ``on_error``."""

    def __init__(self) -> None:
        self._now = 0.0
        self._ready: deque[Handle] = deque()
        self._timers: list[Handle] = []
        self._sequence = 0
        self._tasks_made = 0
        self._stopping = self._running = self._closed = self._debug = False
        self._owners: list[Owner] = []
        self._root = Owner("root", None)
        self._generators: list[tuple[AsyncGenerator[Any, Any], Owner]] = []
        self._generators_max = TASKS_KEPT
        self._handler: Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object] | None = None
        self._unhandled: list[str] = []

    # Time and scheduling

    def time(self) -> float:
        return self._now

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Handle:  # type: ignore[override]  # a list serves as asyncio.Handle
        if context is None:
            owner = OWNER.get() or self._root
            context = owner.context
        else:
            owner = context.get(OWNER) or self._root
        handle = Handle((0.0, 0, callback, args, context, owner))
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]  # there are no threads here

    def call_later(  # type: ignore[override]  # a list serves as asyncio.TimerHandle
        self, delay_s: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        return self.call_at(self._now + delay_s, callback, *args, context=context)

    def call_at(  # type: ignore[override]  # a list serves as asyncio.TimerHandle
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        if context is None:
            owner = OWNER.get() or self._root
            context = owner.context
        else:
            owner = context.get(OWNER) or self._root
        self._sequence += 1
        handle = Handle((when, self._sequence, callback, args, context, owner))
        heappush(self._timers, handle)
        return handle

    def call_as(self, owner: Owner, when: float, callback: Callable[..., object], *args: Any) -> Handle:
        """Run ``callback`` at ``when`` as a callback of ``owner``: how anything reaches a simulated process from outside."""
        self._sequence += 1
        handle = Handle((when, self._sequence, callback, args, owner.context, owner))
        heappush(self._timers, handle)
        return handle

    def call_as_root(self, when: float, callback: Callable[..., object], *args: Any) -> Handle:
        """Run ``callback`` at ``when`` as the harness, whoever asks: what leaves a simulated process."""
        return self.call_as(self._root, when, callback, *args)

    # Owners

    def owner(self, name: str, on_error: Callable[[BaseException], None]) -> Owner:
        """A new simulated process. ``on_error`` is called with what one of its callbacks raised (not with what its tasks raised)."""
        owner = Owner(name, on_error)
        self._owners.append(owner)
        return owner

    def kill(self, owner: Owner) -> None:
        """None of the owner's callbacks ever runs again; its tasks stand where they are. Idempotent."""
        owner.stopped, owner.parked = True, None
        for task in owner.tasks:
            asyncio.tasks._unregister_task(task)  # asyncio.Runner would wait for it for ever

    def pause(self, owner: Owner) -> None:
        """Park the owner's callbacks as they come due. A dead owner stays dead."""
        owner.stopped = True

    def resume(self, owner: Owner) -> None:
        """Run what was parked, in the order in which it came due, and go on."""
        if owner.parked is None or not owner.stopped:
            return
        owner.stopped = False
        self._ready.extend(owner.parked)
        owner.parked.clear()

    def bury(self, owner: Owner) -> None:
        """Kill the owner and free what its tasks hold. Their ``finally`` blocks run now: the owner must be mute by then."""
        self.kill(owner)
        tasks, owner.tasks = owner.tasks, []
        for task in tasks:
            if not task.done():
                owner.context.run(close_task, task)  # what its clean-up schedules is a dead owner's, too
            task._log_traceback = False
        self._owners = [other for other in self._owners if other is not owner]

    # Tasks and futures

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None, **_: Any
    ) -> OwnedTask[Any]:
        owner = (context.get(OWNER) if context is not None else OWNER.get()) or self._root
        self._tasks_made += 1
        number = self._tasks_made
        task = OwnedTask(coro, number=number, loop=self, name=name or f"{owner.name}/{number}", context=context)
        if owner.dead:
            asyncio.tasks._unregister_task(task)
            close_task(task)
        owner.keep(task)
        return task

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # mypy takes no Any for the variadic types of the original
        """There are no threads: the function runs at once, and takes no virtual time."""
        future: asyncio.Future[Any] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to who awaits the future
            future.set_exception(error)
        return future

    # Running

    def run_until_complete(self, future: Any) -> Any:
        """Run until the awaitable is done and return its result.

        Raises what it raised, DeadlockError, LivelockError, what a callback of the root raised, or UnhandledError when it succeeded
        but a task failed unnoticed.
        """
        main = asyncio.ensure_future(future, loop=self)
        main.add_done_callback(self._stop_running, context=self._root.context)
        try:
            self.run_forever()
        except BaseException:
            if main.done() and not main.cancelled():
                main.exception()  # retrieved: the error that stopped the loop is the one to show
            raise
        finally:
            main.remove_done_callback(self._stop_running)
        unhandled = self._take_unhandled(main)
        error = main.exception()
        if error is not None:
            for text in unhandled:
                error.add_note(text)
        elif unhandled:
            raise UnhandledError("; ".join(unhandled))
        return main.result()

    def run_forever(self) -> None:
        if self._running or events._get_running_loop() is not None:
            raise RuntimeError("this event loop, or another one, is already running here")
        if self._closed:
            raise RuntimeError("this event loop is closed")
        self._running, self._stopping = True, False
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._keep_generator, finalizer=None)
        events._set_running_loop(self)
        try:
            self._spin()
        finally:
            events._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)
            self._running = False

    def stop(self) -> None:
        self._stopping = True

    def _stop_running(self, _main: asyncio.Future[Any]) -> None:
        self._stopping = True

    def _spin(self) -> None:  # noqa: C901 - see below
        """Run what is due, instant after instant, until told to stop. One function, since every message passes through it."""
        ready, timers, owner, rounds = self._ready, self._timers, self._root, 0
        while not self._stopping:
            try:
                for _ in range(len(ready)):
                    _, _, callback, args, context, owner = handle = ready.popleft()
                    if owner.stopped:
                        if owner.parked is not None:
                            owner.parked.append(handle)
                    elif callback is not None:
                        context.run(callback, *args)
            except BaseException as error:
                if not _blamed(owner, error):
                    raise
            rounds += 1
            if rounds > ROUNDS_MAX:
                raise LivelockError(self._livelock(owner))
            if ready or self._stopping:
                continue
            while timers:
                handle = heappop(timers)
                if handle[2] is not None and handle[5].parked is not None:  # neither cancelled nor a dead owner's
                    if handle[0] > self._now:
                        self._now, rounds = handle[0], 0
                    ready.append(handle)
                    break
            else:
                raise DeadlockError(self._deadlock())

    def _livelock(self, owner: Owner) -> str:
        return f"{owner.name} keeps the loop busy at {self._now:.6f} s: {ROUNDS_MAX} rounds and no time passed"

    def _deadlock(self) -> str:
        parked = [owner.name for owner in self._owners if owner.parked]
        note = f" ({', '.join(parked)} would go on if resumed)" if parked else ""
        return f"nothing is due any more at {self._now:.6f} s, and the main task is still waiting{note}"

    # Errors

    def set_exception_handler(self, handler: Any) -> None:
        self._handler = handler

    def get_exception_handler(self) -> Any:
        return self._handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._unhandled.append(f"{context['message']}: {error!r}" if error else str(context["message"]))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self._handler is None:
            self.default_exception_handler(context)
        else:
            self._handler(self, context)

    def _take_unhandled(self, main: asyncio.Future[Any]) -> list[str]:
        """The failures that nobody asked for, those included that the collector would report at a time of its own choice."""
        for owner in (self._root, *self._owners):
            for task in owner.tasks:
                if task is not main and task.done() and task._log_traceback:
                    message = f"a task of {owner.name} failed and nobody asked for its result"
                    self.call_exception_handler({"message": message, "exception": task.exception(), "task": task})
        unhandled, self._unhandled = self._unhandled, []
        return unhandled

    # The rest of what asyncio and its Runner ask of a loop

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed

    def get_debug(self) -> bool:
        return self._debug

    def set_debug(self, enabled: bool) -> None:
        self._debug = enabled

    def _keep_generator(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._generators.append((generator, OWNER.get() or self._root))
        if len(self._generators) > self._generators_max:
            self._generators = [kept for kept in self._generators if kept[0].ag_frame is not None]  # type: ignore[attr-defined]  # typeshed has it on types.AsyncGeneratorType alone
            self._generators_max = max(TASKS_KEPT, 2 * len(self._generators))

    async def shutdown_asyncgens(self) -> None:
        """Close the asynchronous generators that were left half way. Only now, since when the collector runs is no one's choice."""
        generators, self._generators = self._generators, []
        for generator, owner in generators:
            if owner.dead:
                _exhaust(generator)
                continue
            try:
                await generator.aclose()
            except Exception as error:  # noqa: BLE001 - surfaces at the end of the run
                self.call_exception_handler({"message": f"closing {generator!r}", "exception": error})

    async def shutdown_default_executor(self, timeout_s: float | None = None) -> None:
        """Nothing to do: there never is one."""

    def close(self) -> None:
        if self._running:
            raise RuntimeError("a running event loop cannot be closed")
        for owner in self._owners:
            self.bury(owner)
        self._ready.clear()
        self._timers.clear()
        self._closed = True


def _blamed(owner: Owner, error: BaseException) -> bool:
    """Hand the error of a callback to its owner; False if it is not its own: the root's, or an interrupt by the user."""
    if owner.on_error is None or isinstance(error, KeyboardInterrupt):
        return False
    owner.on_error(error)
    return True


def _exhaust(generator: AsyncGenerator[Any, Any]) -> None:
    """Free a generator of a dead process. What its clean-up raises is heard by nobody."""
    closing: Generator[Any, Any, None] = generator.aclose().__await__()
    with suppress(Exception):
        closing.send(None)
    with suppress(Exception):
        closing.close()
