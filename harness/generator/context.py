"""What a generator may know of the world when it is asked for an op: the time, the dice, and which threads are free.

A *thread* is a client 0..n-1 or NEMESIS_THREAD; it runs one op at a time. A *process* is the identity under which it appears in the
history: client thread t begins as process t and goes from p to p + n after each crashed (``info``) op, so t = p mod n; the nemesis is
always process NEMESIS.

Sets of threads are int bitmasks: bit t for client t, bit n for the nemesis. A context is immutable: transitions return a new one. It may
be restricted to some threads: then generators see no others, as if the run had only these. Imports op and errors alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from harness.errors import PluginError
from harness.op import NEMESIS, Process

NEMESIS_THREAD: Final = -1


class Context:
    """The world at ``time_ns`` (nanoseconds since the run began), as far as ``threads`` see it.

    ``free`` are those of ``threads`` that run no op. ``processes[t]`` is the process of client thread t (all of them, whatever the
    restriction). ``rng`` are the dice; a throw is the only effect that asking a generator may have.

    A plain class with slots: the runner makes several per op, and a frozen dataclass costs four times as much to make. ``Final``
    keeps it immutable in the eyes of mypy.
    """

    __slots__ = ("free", "nemesis_bit", "processes", "rng", "threads", "time_ns")

    def __init__(  # noqa: PLR0917 - keywords would cost as much again
        self, time_ns: int, rng: random.Random, threads: int, free: int, processes: tuple[int, ...], nemesis_bit: int
    ) -> None:
        self.time_ns: Final = time_ns
        self.rng: Final = rng
        self.threads: Final = threads
        self.free: Final = free
        self.processes: Final = processes
        self.nemesis_bit: Final = nemesis_bit

    @classmethod
    def start(cls, concurrency: int, rng: random.Random, time_ns: int = 0) -> Context:
        """The beginning of a run: ``concurrency`` client threads and the nemesis, all free. Raises PluginError below one client."""
        if concurrency < 1:
            raise PluginError(f"a run needs at least one client thread, not {concurrency}")
        everyone = (1 << (concurrency + 1)) - 1
        return cls(time_ns, rng, everyone, everyone, tuple(range(concurrency)), 1 << concurrency)

    def __repr__(self) -> str:
        free = ", ".join(map(str, self.free_threads()))
        return f"<Context at {self.time_ns} ns, free threads {{{free}}} of {self.threads.bit_count()}>"

    @property
    def concurrency(self) -> int:
        """Client threads of the run (not of the restriction)."""
        return len(self.processes)

    # Looking.

    def bit(self, thread: int) -> int:
        """The mask of one thread."""
        return self.nemesis_bit if thread == NEMESIS_THREAD else 1 << thread

    def thread_of(self, process: Process) -> int:
        """The thread that runs, or ran, ``process``. Raises PluginError for what is no process."""
        if isinstance(process, int):
            return process % len(self.processes)
        if process == NEMESIS:
            return NEMESIS_THREAD
        raise PluginError(f"{process!r} is not a process: it must be a number or {NEMESIS!r}")

    def bit_of(self, process: Process) -> int:
        """The mask of the thread that runs, or ran, ``process``."""
        if isinstance(process, int):
            return 1 << process % len(self.processes)
        return self.bit(self.thread_of(process))

    def process_of(self, thread: int) -> Process:
        """The process that ``thread`` runs now."""
        return NEMESIS if thread == NEMESIS_THREAD else self.processes[thread]

    def is_current(self, process: Process) -> bool:
        """Whether ``process`` is the present process of one of ``threads``: neither crashed nor yet to come."""
        thread = self.thread_of(process)
        return bool(self.threads & self.bit(thread)) and self.process_of(thread) == process

    def is_free(self, process: Process) -> bool:
        """Whether ``process`` could run an op now."""
        if isinstance(process, int):
            thread = process % len(self.processes)
            return bool(self.free >> thread & 1) and self.processes[thread] == process
        return process == NEMESIS and bool(self.free & self.nemesis_bit)

    def some_free_process(self) -> Process | None:
        """A free process, each with the same chance, so that no fast thread starves the others; None if there is none."""
        free = self.free
        if not free:
            return None
        count = free.bit_count()
        if count == 1:
            index = free.bit_length() - 1
        elif free & (free + 1):
            index = nth_bit(free, int(self.rng.random() * count))
        else:  # all of the lowest: the usual case while ops are quicker than their rate
            index = int(self.rng.random() * count)
        return self.processes[index] if index < len(self.processes) else NEMESIS

    def threads_in(self, mask: int) -> Iterator[int]:
        """The threads of ``mask``, clients in ascending order, then the nemesis."""
        while mask:
            low = mask & -mask
            yield NEMESIS_THREAD if low == self.nemesis_bit else low.bit_length() - 1
            mask ^= low

    def all_threads(self) -> Iterator[int]:
        return self.threads_in(self.threads)

    def free_threads(self) -> Iterator[int]:
        return self.threads_in(self.free)

    def all_processes(self) -> list[Process]:
        return [self.process_of(thread) for thread in self.all_threads()]

    def free_processes(self) -> list[Process]:
        return [self.process_of(thread) for thread in self.free_threads()]

    # Transitions.

    def restrict(self, mask: int) -> Context:
        """The same world, seen by the threads of ``mask`` alone."""
        threads = self.threads & mask
        if threads == self.threads:
            return self  # no context is changed, so none need be copied
        return Context(self.time_ns, self.rng, threads, self.free & mask, self.processes, self.nemesis_bit)

    def at(self, time_ns: int) -> Context:
        """The same world at another time."""
        if time_ns == self.time_ns:
            return self
        return Context(time_ns, self.rng, self.threads, self.free, self.processes, self.nemesis_bit)

    def busy(self, thread: int, time_ns: int) -> Context:
        """``thread`` has begun an op at ``time_ns``. Time does not go back."""
        bit = 1 << thread if thread >= 0 else self.nemesis_bit
        assert self.free & bit, f"thread {thread} began an op while it was busy"
        time_ns = max(time_ns, self.time_ns)
        return Context(time_ns, self.rng, self.threads, self.free ^ bit, self.processes, self.nemesis_bit)

    def freed(self, thread: int, time_ns: int) -> Context:
        """``thread`` has completed its op at ``time_ns``. Time does not go back."""
        bit = 1 << thread if thread >= 0 else self.nemesis_bit
        assert self.threads & ~self.free & bit, f"thread {thread} completed an op while it was free"
        time_ns = max(time_ns, self.time_ns)
        return Context(time_ns, self.rng, self.threads, self.free | bit, self.processes, self.nemesis_bit)

    def crashed(self, thread: int, time_ns: int) -> Context:
        """As ``freed``; and since the fate of its op is unknown, a client goes on under its next process."""
        after = self.freed(thread, time_ns)
        if thread == NEMESIS_THREAD:
            return after
        old = self.processes
        processes = (*old[:thread], old[thread] + len(old), *old[thread + 1 :])
        return Context(after.time_ns, self.rng, self.threads, after.free, processes, self.nemesis_bit)


def nth_bit(mask: int, n: int) -> int:
    """The position of the n-th lowest set bit of ``mask``, counted from 0; there must be more than n.

    Halving, so that runs with thousands of threads do not pay for each of them; below 16 bits counting is quicker.
    """
    base = 0
    width = mask.bit_length()
    while width > 16:
        half = width >> 1
        low = mask & ((1 << half) - 1)
        below = low.bit_count()
        if n < below:
            mask = low
        else:
            n -= below
            mask >>= half
            base += half
        width = mask.bit_length()
    while n:
        mask &= mask - 1
        n -= 1
    return base + (mask & -mask).bit_length() - 1


def lowest_bits(mask: int, count: int) -> int:
    """The ``count`` lowest set bits of ``mask``, or all if it has no more."""
    if mask.bit_count() <= count:
        return mask
    return mask & ((1 << nth_bit(mask, count)) - 1)
