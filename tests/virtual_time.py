"""Generators in virtual time: a whole run without clients, loop or clock, in stock worlds, from a fixed seed.

After jepsen.generator.test. A *world* says what becomes of an invocation: it returns its completion, whose time is when it completes.

    quick           every op succeeds at once
    perfect         every op succeeds after 10 ns
    perfect_info    every op crashes after 10 ns
    imperfect       each thread's ops fail, crash and succeed in turn, after 10 ns
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.generator import EMPTY, NEMESIS_THREAD, PENDING, SLEEP, Context, Generator, gen, is_control, validate
from harness.op import Op, OpType

World = Callable[[Context, Op], Op]

# Tests pin what this seed gives.
SEED = 45100
LATENCY_NS = 10
OPS_MAX = 1_000_000
# A generator that is pending while nothing runs waits for time alone; it is asked again after this long, this many times.
POLL_NS = 1_000_000
POLLS_MAX = 100_000


def context(concurrency: int = 2, seed: int = SEED) -> Context:
    """The beginning of a run of ``concurrency`` clients."""
    return Context.start(concurrency, random.Random(seed))


class Simulation:
    """One run of a generator. ``ops`` are its lines so far, ``messages`` what it logged."""

    def __init__(self, value: Any, world: World, ctx: Context) -> None:
        self.gen: Generator = validate(gen(value))
        self.ctx = ctx
        self.ops: list[Op] = []
        self.messages: list[Any] = []
        self._world = world
        # Ordered by time, then by when they began.
        self._running: list[tuple[int, int, int, Op | None]] = []
        self._begun = 0

    def run(self, ops_max: int = OPS_MAX, poll_ns: int = POLL_NS) -> list[Op]:
        """Until the generator is exhausted, or ``ops_max`` lines are there. Raises AssertionError if it is pending for ever."""
        polls = 0
        while len(self.ops) < ops_max:
            answer = self.gen.op(self.ctx)
            if answer is None:
                self.gen = EMPTY  # as the runner does: for ever means that nobody asks again
            due_ns = self._running[0][0] if self._running else None
            if answer is not None and answer is not PENDING and (due_ns is None or answer[0].time_ns <= due_ns):
                self._invoke(*answer)
            elif due_ns is not None:
                self._complete()
            elif answer is None:
                break
            else:
                polls += 1
                assert polls <= POLLS_MAX, f"pending, but nothing runs: {self.gen!r} with {self.ctx!r}"
                self.ctx = self.ctx.at(self.ctx.time_ns + poll_ns)
                continue
            polls = 0
        return self.ops

    def _invoke(self, op: Op, rest: Generator) -> None:
        ctx = self.ctx
        thread = ctx.thread_of(op.process)
        now_ns = max(ctx.time_ns, op.time_ns)
        self.gen = rest
        if is_control(op):
            self.ctx = ctx.at(now_ns)
            if op.f == SLEEP:
                self.ctx = ctx.busy(thread, now_ns)
                self._push(now_ns + round(op.value * 1e9), thread, None)
            else:
                self.messages.append(op.value)
            return
        op = replace(op, time_ns=now_ns)
        self.ops.append(op)
        self.ctx = ctx.busy(thread, now_ns)
        self.gen = rest.update(self.ctx, op)
        completion = self._world(self.ctx, op)
        if thread == NEMESIS_THREAD:
            completion = replace(completion, type=OpType.INFO)
        self._push(completion.time_ns, thread, completion)

    def _push(self, time_ns: int, thread: int, completion: Op | None) -> None:
        self._begun += 1
        heapq.heappush(self._running, (time_ns, self._begun, thread, completion))

    def _complete(self) -> None:
        time_ns, _, thread, op = heapq.heappop(self._running)
        if op is None:  # it slept
            self.ctx = self.ctx.freed(thread, time_ns)
            return
        crashed = op.type is OpType.INFO
        self.ctx = self.ctx.crashed(thread, time_ns) if crashed else self.ctx.freed(thread, time_ns)
        self.ops.append(op)
        self.gen = self.gen.update(self.ctx, op)


def simulate(value: Any, world: World, *, concurrency: int = 2, seed: int = SEED, ops_max: int = OPS_MAX) -> list[Op]:
    """All lines of a run of ``value`` (what ``gen`` takes) in ``world``: invocations and completions."""
    return Simulation(value, world, context(concurrency, seed)).run(ops_max)


def invocations(ops: list[Op]) -> list[Op]:
    """The first line of each op: also of the nemesis's, whose lines have the same type."""
    running: set[Any] = set()
    found = []
    for op in ops:
        if op.process in running:
            running.remove(op.process)
        else:
            running.add(op.process)
            found.append(op)
    return found


def after(latency_ns: int, type_: OpType = OpType.OK) -> World:
    """The world in which every op completes with ``type_`` after ``latency_ns``."""
    return lambda _, op: replace(op, type=type_, time_ns=op.time_ns + latency_ns)


def alternating() -> World:
    """The world of ``imperfect``; made anew for each run, since it counts."""
    counts: dict[int, int] = {}

    def world(ctx: Context, op: Op) -> Op:
        thread = ctx.thread_of(op.process)
        counts[thread] = counts.get(thread, -1) + 1
        kind = (OpType.FAIL, OpType.INFO, OpType.OK)[counts[thread] % 3]
        return replace(op, type=kind, time_ns=op.time_ns + LATENCY_NS)

    return world


def quick(value: Any, **options: Any) -> list[Op]:
    """Invocations in a world without latency."""
    return invocations(simulate(value, after(0), **options))


def perfect_ops(value: Any, **options: Any) -> list[Op]:
    """Invocations and completions in a world where every op succeeds after 10 ns."""
    return simulate(value, after(LATENCY_NS), **options)


def perfect(value: Any, **options: Any) -> list[Op]:
    """As ``perfect_ops``, invocations alone."""
    return invocations(perfect_ops(value, **options))


def perfect_info(value: Any, **options: Any) -> list[Op]:
    """Invocations in a world where every op crashes after 10 ns."""
    return invocations(simulate(value, after(LATENCY_NS, OpType.INFO), **options))


def imperfect(value: Any, **options: Any) -> list[Op]:
    """Invocations and completions where threads alternately fail, crash and succeed."""
    return simulate(value, alternating(), **options)


def told(ops: list[Op], *names: str) -> list[Any]:
    """What is compared in most tests: of each op the named fields, alone or as a tuple."""
    return [getattr(op, names[0]) if len(names) == 1 else tuple(getattr(op, name) for name in names) for op in ops]
