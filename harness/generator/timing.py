"""When ops happen: rates, limits of time, schedules that rotate, and waiting for something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from typing import Any

from harness.errors import PluginError
from harness.generator.context import Context
from harness.generator.core import EMPTY, PENDING, Answer, Generator, node, to_ns
from harness.generator.values import gen
from harness.op import Op

# A generator whose ops always fall behind every window of cycle_times would be asked for ever.
WINDOWS_MAX = 10_000


def stagger(mean_s: float, value: Any) -> Generator:
    """``value``, its ops at random intervals, uniform between 0 and 2·``mean_s`` seconds: about one per ``mean_s``.

    The rate is that of all threads together. An op that came late (all threads were busy, or the runner was) does not slow down those
    after it, unless it was later than 2·``mean_s``: a long standstill is not made up for by a burst.
    """
    inner = gen(value)
    _check_seconds("stagger", mean_s)
    return EMPTY if inner is EMPTY else Stagger(to_ns(2 * mean_s), None, inner, [])


def _check_seconds(what: str, seconds: float) -> None:
    if not seconds >= 0:
        raise PluginError(f"{what} needs a number of seconds that is not negative, not {seconds!r}")


def _not_before(time_ns: int, inner: Generator, ctx: Context) -> Answer:
    """The answer of ``inner`` for the time when it may act; its op is not before that."""
    answer = inner.op(ctx if time_ns <= ctx.time_ns else ctx.at(time_ns))
    if answer is PENDING or answer is None or answer[0].time_ns >= time_ns:
        return answer
    return replace(answer[0], time_ns=time_ns), answer[1]


@node
class Stagger:
    """``next_ns`` is the earliest time of the next op; None: at once.

    The last answer is remembered, since a run asks several times before the time has come: it holds as long as the inside would be asked
    the very same question, which is the case until a thread begins or ends an op. Two branches of a run (clients and nemesis, say)
    thus do not cost each other an op for each of their events.
    """

    width_ns: int
    next_ns: int | None
    gen: Generator
    memory: list[tuple[Context, Answer]]

    def op(self, ctx: Context) -> Answer:
        planned_ns, memory = self.next_ns, self.memory
        if planned_ns is None:
            return self._ask(ctx.time_ns, ctx)
        if ctx.time_ns > planned_ns:
            return self._ask(planned_ns, ctx)
        if memory:
            asked, answer = memory[0]
            if asked.free == ctx.free and asked.threads == ctx.threads and asked.processes is ctx.processes:
                return answer
            memory.clear()
        answer = self._ask(planned_ns, ctx)
        memory.append((ctx, answer))
        return answer

    def _ask(self, planned_ns: int, ctx: Context) -> Answer:
        answer = _not_before(planned_ns, self.gen, ctx)
        if answer is PENDING or answer is None or answer[1] is EMPTY:
            return answer
        op, rest = answer
        since_ns = max(planned_ns, op.time_ns - self.width_ns)
        return op, Stagger(self.width_ns, since_ns + int(ctx.rng.random() * self.width_ns), rest, [])

    def update(self, ctx: Context, event: Op) -> Generator:
        inner = self.gen.update(ctx, event)
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else Stagger(self.width_ns, self.next_ns, inner, [])


def delay(seconds: float, value: Any) -> Generator:
    """``value``, its ops exactly ``seconds`` apart, of all threads together; a late op shifts those after it."""
    inner = gen(value)
    _check_seconds("delay", seconds)
    return EMPTY if inner is EMPTY else Delay(to_ns(seconds), 0, inner)


@node
class Delay:
    """See ``delay``."""

    apart_ns: int
    next_ns: int
    gen: Generator

    def op(self, ctx: Context) -> Answer:
        answer = _not_before(self.next_ns, self.gen, ctx)
        if answer is PENDING or answer is None or answer[1] is EMPTY:
            return answer
        op, rest = answer
        return op, Delay(self.apart_ns, op.time_ns + self.apart_ns, rest)

    def update(self, ctx: Context, event: Op) -> Generator:
        inner = self.gen.update(ctx, event)
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else Delay(self.apart_ns, self.next_ns, inner)


def time_limit(seconds: float, value: Any) -> Generator:
    """``value`` for ``seconds`` from the time of its first op; then it ends, also if it is pending.

    Not earlier: an op that would come too late does not end it, since a sooner one may come up, of a thread that is busy now. (Jepsen's
    ends there: the nemesis's next op beyond the end, and all clients stuck in a partition for a moment, and the run is over.)
    """
    inner = gen(value)
    return EMPTY if inner is EMPTY or not seconds > 0 else TimeLimit(to_ns(seconds), None, inner)


@node
class TimeLimit:
    """``end_ns`` is None until the first op."""

    length_ns: int
    end_ns: int | None
    gen: Generator

    def op(self, ctx: Context) -> Answer:
        end_ns = self.end_ns
        if end_ns is not None and ctx.time_ns >= end_ns:
            return None
        answer = self.gen.op(ctx)
        if answer is PENDING or answer is None:
            return answer
        op, rest = answer
        if end_ns is None:
            end_ns = op.time_ns + self.length_ns
        elif op.time_ns >= end_ns:
            return PENDING
        return op, (EMPTY if rest is EMPTY else TimeLimit(self.length_ns, end_ns, rest))

    def update(self, ctx: Context, event: Op) -> Generator:
        inner = self.gen.update(ctx, event)
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else TimeLimit(self.length_ns, self.end_ns, inner)


def cycle_times(*windows: tuple[float, Any]) -> Generator:
    """``cycle_times((5, writes), (10, reads))``: writes for 5 s, then reads for 10 s, then writes again, and so on.

    A generator goes on in its next window where it stopped in its last; all hear of every event. The first window begins with the
    first op. It ends when the one whose turn it is has ended.
    """
    for seconds, _ in windows:
        if not seconds > 0:
            raise PluginError(f"a window of cycle_times must last longer than 0 s, not {seconds!r}")
    lengths = tuple(to_ns(seconds) for seconds, _ in windows)
    ends = tuple(accumulate(lengths))
    return CycleTimes(lengths, ends, None, tuple(gen(value) for _, value in windows)) if windows else EMPTY


@node
class CycleTimes:
    """``ends_ns`` are the ends of the windows, counted from the beginning of a round; the first round began at ``begin_ns``."""

    lengths_ns: tuple[int, ...]
    ends_ns: tuple[int, ...]
    begin_ns: int | None
    gens: tuple[Generator, ...]

    def op(self, ctx: Context) -> Answer:
        begin_ns = ctx.time_ns if self.begin_ns is None else self.begin_ns
        into_ns = (ctx.time_ns - begin_ns) % self.ends_ns[-1]
        turn = next(i for i, end_ns in enumerate(self.ends_ns) if into_ns < end_ns)
        end_ns = ctx.time_ns - into_ns + self.ends_ns[turn]
        for _ in range(WINDOWS_MAX):
            # A window to come is asked as if its time had come.
            start_ns = end_ns - self.lengths_ns[turn]
            answer = _not_before(max(start_ns, ctx.time_ns), self.gens[turn], ctx)
            if answer is PENDING or answer is None:
                return answer
            op, rest = answer
            if op.time_ns < end_ns:
                gens = (*self.gens[:turn], rest, *self.gens[turn + 1 :])
                return op, CycleTimes(self.lengths_ns, self.ends_ns, begin_ns, gens)
            turn = (turn + 1) % len(self.gens)
            end_ns += self.lengths_ns[turn]
        raise PluginError(f"no op fell into its window in {WINDOWS_MAX} windows of cycle_times: they are too short")

    def update(self, ctx: Context, event: Op) -> Generator:
        gens = tuple(inner.update(ctx, event) for inner in self.gens)
        if all(new is old for new, old in zip(gens, self.gens, strict=True)):
            return self
        return CycleTimes(self.lengths_ns, self.ends_ns, self.begin_ns, gens)


def pending_until(condition: Callable[[Context], bool], value: Any) -> Generator:
    """``value``, pending until ``condition(ctx)`` holds; once an op was taken, the condition is not asked again."""
    inner = gen(value)
    return EMPTY if inner is EMPTY else PendingUntil(condition, inner)


@node
class PendingUntil:
    """See ``pending_until``."""

    condition: Callable[[Context], bool]
    gen: Generator

    def op(self, ctx: Context) -> Answer:
        return self.gen.op(ctx) if self.condition(ctx) else PENDING

    def update(self, ctx: Context, event: Op) -> Generator:
        inner = self.gen.update(ctx, event)
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else PendingUntil(self.condition, inner)


def after_event(matches: Callable[[Op], bool], value: Any) -> Generator:
    """``value``, pending until an event for which ``matches(event)`` holds; also one that came before its turn in a sequence."""
    inner = gen(value)
    return EMPTY if inner is EMPTY else AfterEvent(matches, inner)


@node
class AfterEvent:
    """See ``after_event``."""

    matches: Callable[[Op], bool]
    gen: Generator

    def op(self, ctx: Context) -> Answer:
        return PENDING

    def update(self, ctx: Context, event: Op) -> Generator:
        inner = self.gen.update(ctx, event)
        if self.matches(event) or inner is EMPTY:
            return inner
        return self if inner is self.gen else AfterEvent(self.matches, inner)
