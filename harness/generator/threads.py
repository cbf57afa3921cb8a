"""Who performs which ops: generators for some threads, one per thread, and limits on how many take part."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache as memoised
from typing import Any

from harness.errors import PluginError
from harness.generator.choice import any_of
from harness.generator.context import NEMESIS_THREAD, Context, lowest_bits, nth_bit
from harness.generator.core import EMPTY, PENDING, Answer, Generator, node
from harness.generator.values import gen
from harness.op import Op, Process

# A set of threads, which depends on how many there are: concurrency → mask.
ThreadMask = Callable[[int], int]


def on_threads(threads: Collection[int] | Callable[[int], bool], value: Any) -> Generator:
    """``value``, performed and heard of by the given threads alone (0..n-1, NEMESIS_THREAD): a collection, or a predicate.

    Raises PluginError, once it is asked, if there is none of them: it would be pending for ever.
    """
    inner = gen(value)
    return EMPTY if inner is EMPTY else OnThreads(_mask_of(threads), inner)


def clients(value: Any) -> Generator:
    """``value`` for the client threads alone."""
    inner = gen(value)
    return EMPTY if inner is EMPTY else OnThreads(lambda concurrency: (1 << concurrency) - 1, inner)


def nemesis(value: Any) -> Generator:
    """``value`` for the nemesis alone."""
    inner = gen(value)
    return EMPTY if inner is EMPTY else OnThreads(lambda concurrency: 1 << concurrency, inner)


def _mask_of(threads: Collection[int] | Callable[[int], bool]) -> ThreadMask:
    holds: Callable[[int], bool] = threads if callable(threads) else frozenset(threads).__contains__

    @memoised  # a pure function that is asked for the same number of threads over and over
    def mask(concurrency: int) -> int:
        chosen = sum(1 << thread for thread in range(concurrency) if holds(thread))
        return chosen | (1 << concurrency if holds(NEMESIS_THREAD) else 0)

    return mask


@node
class OnThreads:
    """See ``on_threads``. Not begun: how many threads there are is known when it is first asked or told."""

    mask: ThreadMask
    gen: Generator

    def op(self, ctx: Context) -> Answer:
        return OnMask(self.mask(ctx.concurrency), self.gen).op(ctx)

    def update(self, ctx: Context, event: Op) -> Generator:
        begun = OnMask(self.mask(ctx.concurrency), self.gen)
        changed = begun.update(ctx, event)
        return self if changed is begun else changed


@node
class OnMask:
    """``gen``, performed and heard of by the threads of ``mask`` alone."""

    mask: int
    gen: Generator

    def op(self, ctx: Context) -> Answer:
        if not self.mask & ctx.threads:
            raise PluginError(
                f"a generator is for threads {list(ctx.threads_in(self.mask))}, but here are only {list(ctx.all_threads())}: "
                "nobody could ever perform its ops"
            )
        answer = self.gen.op(ctx.restrict(self.mask))
        if answer is PENDING or answer is None:
            return answer
        op, rest = answer
        return op, (EMPTY if rest is EMPTY else OnMask(self.mask, rest))

    def update(self, ctx: Context, event: Op) -> Generator:
        if not self.mask & ctx.bit_of(event.process):
            return self
        inner = self.gen.update(ctx.restrict(self.mask), event)
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else OnMask(self.mask, inner)


def reserve(*shares: tuple[int, Any], rest: Any) -> Generator:
    """``reserve((5, writes), (10, cas), rest=reads)``: 5 threads for writes, 10 for cas, all others for reads.

    So that one kind of op cannot tie up every thread. Threads are taken in ascending order, the nemesis last. Ties between the
    generators are broken by how many threads each has. Raises PluginError, once it is asked, if there are too few threads.
    """
    counts = tuple(count for count, _ in shares)
    if any(count < 1 for count in counts):
        raise PluginError(f"reserve needs at least one thread for each generator, not {counts}")
    return Reserve(counts, tuple(gen(value) for _, value in shares), gen(rest))


@node
class Reserve:
    """Not begun: which threads there are is known when it is first asked."""

    counts: tuple[int, ...]
    gens: tuple[Generator, ...]
    rest: Generator

    def op(self, ctx: Context) -> Answer:
        return self._begun(ctx).op(ctx)

    def update(self, ctx: Context, event: Op) -> Generator:
        return self._begun(ctx).update(ctx, event)

    def _begun(self, ctx: Context) -> Generator:
        left = ctx.threads
        if left.bit_count() <= sum(self.counts):
            raise PluginError(
                f"reserve of {self.counts} threads and at least one for the rest needs {sum(self.counts) + 1} threads, "
                f"but here are {left.bit_count()}: raise the concurrency"
            )
        masks = []
        for count in self.counts:
            masks.append(lowest_bits(left, count))
            left ^= masks[-1]
        masks.append(left)
        parts = [
            EMPTY if inner is EMPTY else OnMask(mask, inner)
            for mask, inner in zip(masks, (*self.gens, self.rest), strict=True)
        ]
        return any_of(*parts, weights=[mask.bit_count() for mask in masks])


def each_thread(value: Any) -> Generator:
    """``value`` for every thread by itself, from its beginning; each copy sees one thread, and hears of that thread's events."""
    inner = gen(value)
    return EMPTY if inner is EMPTY else Each(inner, False, (), (), -1)


def each_process(value: Any) -> Generator:
    """As ``each_thread``, but a thread whose process crashed begins anew with its next process."""
    inner = gen(value)
    return EMPTY if inner is EMPTY else Each(inner, True, (), (), -1)


@node
class Each:
    """``gens`` by the position of the thread's bit (empty before it has begun); ``alive`` is a mask of those not known to be exhausted.

    ``processes`` is whom they are for, if ``per_process``.
    """

    fresh: Generator
    per_process: bool
    gens: tuple[Generator, ...]
    processes: tuple[int, ...]
    alive: int

    def op(self, ctx: Context) -> Answer:
        gens, alive = self._begun(ctx)
        best: tuple[Op, Generator] | None = None
        best_index = 0
        pending = False
        waiting = ctx.free & alive
        while waiting:  # in random order, so that the first that could begin now is as fair a choice as any
            index = nth_bit(waiting, int(ctx.rng.random() * waiting.bit_count()))
            bit = 1 << index
            waiting ^= bit
            answer = gens[index].op(ctx.restrict(bit))
            if answer is PENDING:
                pending = True
            elif answer is None:
                alive &= ~bit
            elif best is None or answer[0].time_ns < best[0].time_ns:
                best, best_index = answer, index
                if answer[0].time_ns <= ctx.time_ns:
                    break
        if best is not None:
            return best[0], self._after(best_index, best[1], gens, alive, ctx)
        # A busy process may crash, and be followed by another.
        busy = ctx.threads & ~ctx.free & (-1 if self.per_process else alive)
        return PENDING if pending or busy else None

    def update(self, ctx: Context, event: Op) -> Generator:
        bit = ctx.bit_of(event.process)
        # Of a process that has just crashed nobody is left to hear it.
        if not bit & ctx.threads or (self.per_process and not ctx.is_current(event.process)):
            return self
        gens, alive = self._begun(ctx)
        if not bit & alive:
            return self
        index = bit.bit_length() - 1
        changed = gens[index].update(ctx.restrict(bit), event)
        return self if changed is gens[index] else self._after(index, changed, gens, alive, ctx)

    def _begun(self, ctx: Context) -> tuple[tuple[Generator, ...], int]:
        """A generator for every thread, fresh ones for processes that are new, and who is alive."""
        if not self.gens:
            return (self.fresh,) * (len(ctx.processes) + 1), self.alive
        if not self.per_process or ctx.processes is self.processes:
            return self.gens, self.alive
        gens, alive = list(self.gens), self.alive
        for thread, (old, new) in enumerate(zip(self.processes, ctx.processes, strict=True)):
            if old != new:
                gens[thread] = self.fresh
                alive |= 1 << thread
        return tuple(gens), alive

    def _after(
        self, index: int, changed: Generator, gens: tuple[Generator, ...], alive: int, ctx: Context
    ) -> Generator:
        """This, with ``changed`` for the thread of that bit."""
        if changed is EMPTY:
            alive &= ~(1 << index)
            if not alive & ctx.threads and not self.per_process:
                return EMPTY
        gens = (*gens[:index], changed, *gens[index + 1 :])
        return Each(self.fresh, self.per_process, gens, ctx.processes, alive)


def process_limit(count: int, value: Any) -> Generator:
    """``value`` for at most ``count`` processes, ever; then it ends.

    Each crash brings a new process, whose ops are concurrent with the crashed one's for ever: this bounds what a checker must consider.
    Counted are all processes that could have been chosen, not only those that were: else it would trickle on with the last two. Where
    there are more threads than ``count``, the first ``count`` take part.
    """
    inner = gen(value)
    return EMPTY if inner is EMPTY or count <= 0 else ProcessLimit(count, inner, 0, frozenset(), ())


@node
class ProcessLimit:
    """``seen`` are the processes offered so far (never iterated); ``snapshot`` tells cheaply whether there can be new ones."""

    count: int
    gen: Generator
    mask: int
    seen: frozenset[Process]
    snapshot: tuple[int, ...]

    def op(self, ctx: Context) -> Answer:
        mask = self.mask or lowest_bits(ctx.threads, self.count)
        ctx = ctx.restrict(mask)
        seen = self.seen
        if ctx.processes is not self.snapshot:
            seen = seen.union(ctx.all_processes())
            if len(seen) > self.count:
                return None
        answer = self.gen.op(ctx)
        if answer is PENDING or answer is None:
            return answer
        op, rest = answer
        return op, (EMPTY if rest is EMPTY else ProcessLimit(self.count, rest, mask, seen, ctx.processes))

    def update(self, ctx: Context, event: Op) -> Generator:
        mask = self.mask or lowest_bits(ctx.threads, self.count)
        if not mask & ctx.bit_of(event.process):
            return self
        inner = self.gen.update(ctx.restrict(mask), event)
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else ProcessLimit(self.count, inner, mask, self.seen, self.snapshot)


def concurrency_limit(count: int, value: Any) -> Generator:
    """``value``, pending while ``count`` or more of its threads are busy, with whatever op."""
    inner = gen(value)
    return EMPTY if inner is EMPTY or count <= 0 else ConcurrencyLimit(count, inner)


@node
class ConcurrencyLimit:
    """See ``concurrency_limit``."""

    count: int
    gen: Generator

    def op(self, ctx: Context) -> Answer:
        if (ctx.threads & ~ctx.free).bit_count() >= self.count:
            return PENDING
        answer = self.gen.op(ctx)
        if answer is PENDING or answer is None:
            return answer
        return answer[0], (EMPTY if answer[1] is EMPTY else ConcurrencyLimit(self.count, answer[1]))

    def update(self, ctx: Context, event: Op) -> Generator:
        inner = self.gen.update(ctx, event)
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else ConcurrencyLimit(self.count, inner)
