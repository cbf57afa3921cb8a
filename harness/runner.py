"""The one loop of a run: it asks the generator, sends ops to clients and nemesis, and records what happens.

Rules, each with its reason:

* completions are taken before the next op is asked for: an op that is invoked before a completion is recorded would look concurrent with
  it (jepsen.generator.interpreter calls this false concurrency);
* the invocation is in the journal before the request leaves: a crash of the controller loses no op that may have taken effect;
* a thread whose op ended ``info`` goes on as a new process (its number + concurrency): the old process never returns;
* an op that the generator gives for later is thrown away and asked for again when time or an event comes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from harness.generator import EMPTY, LOG, NEMESIS_THREAD, PENDING, Context, Generator, is_control
from harness.journal import HistoryJournal
from harness.op import Op, OpType

# While the generator has nothing to give although threads may be free, it is asked again this often: it may wait for time alone.
PENDING_POLL_S = 0.01


class Invoker(Protocol):
    """One thread's hands: a client's worker, or the injector for the nemesis."""

    async def invoke(self, op: Op) -> Op: ...


class Runner:
    """Runs ``generator`` to its end over ``invokers`` (thread → invoker). ``observe`` sees every recorded op.

    The history's time begins at ``began_s`` of the loop's time, or now.
    """

    def __init__(
        self,
        *,
        generator: Generator,
        context: Context,
        invokers: Mapping[int, Invoker],
        journal: HistoryJournal,
        observe: Callable[[Op], None] | None = None,
        began_s: float | None = None,
    ) -> None:
        self._generator = generator
        self._context = context
        self._invokers = invokers
        self._journal = journal
        self._observe = observe
        self._done: deque[tuple[int, Op]] = deque()
        self._running = 0
        self._index = 0
        self._waiter: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time() if began_s is None else began_s

    def now_ns(self) -> int:
        """Nanoseconds since the run began."""
        return int((self._loop.time() - self._began_s) * 1e9)

    async def run(self) -> None:
        """Until the generator is exhausted and every op has completed. What an invoker raises ends the run."""
        async with asyncio.TaskGroup() as group:
            while True:
                while self._done:
                    self._complete(*self._done.popleft())
                now_ns = self.now_ns()
                self._context = self._context.at(now_ns)
                asked = self._generator.op(self._context)
                if asked is None:
                    if not self._running:
                        break
                    self._generator = EMPTY
                    await self._wait(None)
                elif asked is PENDING:
                    await self._wait(PENDING_POLL_S)
                elif asked[0].time_ns > now_ns:
                    await self._wait((asked[0].time_ns - now_ns) / 1e9)
                else:
                    self._invoke(group, *asked)
        self._journal.flush()

    def _control(self, group: asyncio.TaskGroup, op: Op, rest: Generator) -> None:
        """Ops for the runner itself; they reach no client, no history and no update (see ``generator.sequence.sleep``)."""
        self._generator = rest
        if op.f == LOG:
            logging.getLogger(__name__).info("%s", op.value)
            return
        thread = self._context.thread_of(op.process)
        self._context = self._context.busy(thread, self._context.time_ns)
        self._running += 1
        group.create_task(self._carry_out(thread, _Sleeper(), op))

    def _invoke(self, group: asyncio.TaskGroup, op: Op, rest: Generator) -> None:
        if is_control(op):
            self._control(group, op, rest)
            return
        now_ns = self._context.time_ns
        thread = self._context.thread_of(op.process)
        invoker = self._invokers[thread]
        node = op.node if thread == NEMESIS_THREAD else getattr(invoker, "node", None)
        op = op.stamped(self._index, now_ns, node)
        self._record(op)
        self._context = self._context.busy(thread, now_ns)
        self._generator = rest.update(self._context, op)
        self._running += 1
        group.create_task(self._carry_out(thread, invoker, op))

    async def _carry_out(self, thread: int, invoker: Invoker, op: Op) -> None:
        self._done.append((thread, await invoker.invoke(op)))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _complete(self, thread: int, op: Op) -> None:
        now_ns = self.now_ns()
        self._running -= 1
        if is_control(op):
            self._context = self._context.freed(thread, now_ns)
            return
        op = op.stamped(self._index, now_ns, op.node)
        self._record(op)
        next_context = self._context.crashed if op.type is OpType.INFO else self._context.freed
        self._context = next_context(thread, now_ns)
        self._generator = self._generator.update(self._context, op)

    def _record(self, op: Op) -> None:
        self._journal.record(op)
        self._index += 1
        if self._observe is not None:
            self._observe(op)

    async def _wait(self, timeout_s: float | None) -> None:
        """Until something completed, or ``timeout_s`` passed. What was recorded meanwhile goes to the disk first."""
        if self._done:
            return
        self._journal.flush()
        waiter = self._waiter = self._loop.create_future()
        timer = None if timeout_s is None else self._loop.call_later(timeout_s, _wake, waiter)
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()


class _Sleeper:
    """Does nothing for as long as the op says."""

    async def invoke(self, op: Op) -> Op:
        await asyncio.sleep(op.value)
        return op


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
