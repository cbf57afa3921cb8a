"""Generators that change what another one says or hears: its ops, its updates, how often it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.errors import PluginError
from harness.generator.context import Context
from harness.generator.core import EMPTY, PENDING, Answer, Generator, Pending, node, to_ns
from harness.generator.values import gen, positional_count
from harness.op import Op

# A filter that lets nothing of an endless generator pass would search for ever; this many refused in a row are taken as a mistake.
REFUSED_IN_A_ROW_MAX = 20_000


def map_ops(change: Callable[[Op], Op] | Callable[[Op, Context], Op], value: Any) -> Generator:
    """``value``, each op replaced by ``change(op)`` or ``change(op, ctx)``. ``change`` must leave process and time legal."""
    inner = gen(value)
    takes_context = positional_count(change, (1, 2), "the function of map_ops") == 2
    return EMPTY if inner is EMPTY else MapOps(change, takes_context, inner)


@node
class MapOps:
    """See ``map_ops``."""

    change: Callable[..., Op]
    takes_context: bool
    gen: Generator

    def op(self, ctx: Context) -> Answer:
        answer = self.gen.op(ctx)
        if answer is PENDING or answer is None:
            return answer
        op, rest = answer
        changed = self.change(op, ctx) if self.takes_context else self.change(op)
        return changed, (EMPTY if rest is EMPTY else MapOps(self.change, self.takes_context, rest))

    def update(self, ctx: Context, event: Op) -> Generator:
        inner = self.gen.update(ctx, event)
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else MapOps(self.change, self.takes_context, inner)


def f_map(names: Mapping[str, str] | Callable[[str], str], value: Any) -> Generator:
    """``value`` with its operations renamed; names that are not in a mapping stay. For a nemesis composed of several."""
    rename = names if callable(names) else lambda f: names.get(f, f)
    return map_ops(lambda op: replace(op, f=rename(op.f)), value)


def filter_ops(keep: Callable[[Op], bool], value: Any) -> Generator:
    """The ops of ``value`` for which ``keep(op)`` holds; the others are passed over as if performed."""
    inner = gen(value)
    return EMPTY if inner is EMPTY else FilterOps(keep, inner)


@node
class FilterOps:
    """See ``filter_ops``."""

    keep: Callable[[Op], bool]
    gen: Generator

    def op(self, ctx: Context) -> Answer:
        inner = self.gen
        for _ in range(REFUSED_IN_A_ROW_MAX):
            answer = inner.op(ctx)
            if answer is PENDING or answer is None:
                return answer
            op, inner = answer
            if self.keep(op):
                return op, (EMPTY if inner is EMPTY else FilterOps(self.keep, inner))
        raise PluginError(
            f"filter_ops refused {REFUSED_IN_A_ROW_MAX} ops in a row: {self.keep!r} seems to let nothing pass"
        )

    def update(self, ctx: Context, event: Op) -> Generator:
        inner = self.gen.update(ctx, event)
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else FilterOps(self.keep, inner)


def on_update(react: Callable[[OnUpdate, Context, Op], Generator], value: Any) -> Generator:
    """``value``, but what follows an event is decided by ``react(this, ctx, event)``: it returns the generator to go on with.

    To go on listening it returns ``this``, or ``this.holding(other)``; ``this.told(ctx, event)`` lets ``value`` hear of the event.
    It ends when ``value`` ends: what waits for an event must be pending until then (see ``after_event``).
    """
    inner = gen(value)
    return EMPTY if inner is EMPTY else OnUpdate(react, inner)


@node
class OnUpdate:
    """See ``on_update``."""

    react: Callable[[OnUpdate, Context, Op], Generator]
    gen: Generator

    def op(self, ctx: Context) -> Answer:
        answer = self.gen.op(ctx)
        if answer is PENDING or answer is None:
            return answer
        return answer[0], (EMPTY if answer[1] is EMPTY else OnUpdate(self.react, answer[1]))

    def update(self, ctx: Context, event: Op) -> Generator:
        return self.react(self, ctx, event)

    def holding(self, value: Any) -> OnUpdate:
        """This, with ``value`` as the generator inside."""
        return OnUpdate(self.react, gen(value))

    def told(self, ctx: Context, event: Op) -> OnUpdate:
        """This, after the generator inside has heard of ``event``."""
        inner = self.gen.update(ctx, event)
        return self if inner is self.gen else OnUpdate(self.react, inner)


def ignore_updates(value: Any) -> Generator:
    """``value``, which hears of no event: saves time where very many generators are combined and none listens."""
    inner = gen(value)
    return EMPTY if inner is EMPTY else IgnoreUpdates(inner)


@node
class IgnoreUpdates:
    """See ``ignore_updates``."""

    gen: Generator

    @property
    def deaf(self) -> bool:
        return True

    def op(self, ctx: Context) -> Answer:
        answer = self.gen.op(ctx)
        if answer is PENDING or answer is None:
            return answer
        return answer[0], (EMPTY if answer[1] is EMPTY else IgnoreUpdates(answer[1]))

    def update(self, ctx: Context, event: Op) -> Generator:
        return self


def cache(seconds: float, value: Any) -> Generator:
    """``value``, asked at most once in ``seconds`` as long as its answer is not used, for generators that are costly to ask.

    The same answer is given again, at the present time, while its process is free. Only for generators whose answer may be that old,
    and not inside ``each_thread``, whose threads would share one answer.
    """
    inner = gen(value)
    return EMPTY if inner is EMPTY else Cache(to_ns(seconds), inner)


@dataclass(slots=True)
class _Remembered:
    """The answer of one immutable generator, which its owner may forget at any time. ``until_ns`` is when it is too old."""

    answer: tuple[Op, Generator] | Pending | None = None
    free: int = 0
    until_ns: int = -1


@node
class Cache:
    """The memory belongs to this one state: what is performed, or changed by an event, leads to another state with none.

    (Jepsen keeps one memory for all states and patches it on updates; by an error there, a cached answer's rest was lost.)
    """

    period_ns: int
    gen: Generator
    memory: _Remembered = field(default_factory=_Remembered, repr=False)

    def op(self, ctx: Context) -> Answer:
        memory = self.memory
        if ctx.time_ns <= memory.until_ns:
            if memory.answer is PENDING and memory.free == ctx.free:
                return PENDING
            if isinstance(memory.answer, tuple) and ctx.is_free(memory.answer[0].process):
                op, rest = memory.answer
                return (op if op.time_ns >= ctx.time_ns else replace(op, time_ns=ctx.time_ns)), rest
        answer = self.gen.op(ctx)
        if isinstance(answer, tuple) and answer[1] is not EMPTY:
            answer = answer[0], Cache(self.period_ns, answer[1])
        memory.answer, memory.free, memory.until_ns = answer, ctx.free, ctx.time_ns + self.period_ns
        return answer

    def update(self, ctx: Context, event: Op) -> Generator:
        inner = self.gen.update(ctx, event)
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else Cache(self.period_ns, inner)
