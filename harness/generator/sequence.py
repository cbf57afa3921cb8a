"""One thing after another: phases, repetition, limits, alternation, and until it worked."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from harness.errors import PluginError
from harness.generator.context import Context
from harness.generator.core import EMPTY, PENDING, Answer, Generator, is_deaf, node
from harness.generator.values import Template, concat, gen
from harness.op import Op, OpType, Process

SLEEP, LOG = "sleep", "log"
_CONTROL: Final[Mapping[str, Any]] = MappingProxyType({"control": True})


def is_control(op: Op) -> bool:
    """Whether ``op`` is for the runner (see ``sleep`` and ``log``): it reaches no client, no history, and no ``update``."""
    return bool(op.extra) and op.extra.get("control") is True


def sleep(seconds: float) -> Generator:
    """One control op: the process that receives it does nothing for ``seconds`` (then it is free again, as the same process)."""
    if not seconds >= 0:
        raise PluginError(f"sleep needs a number of seconds that is not negative, not {seconds!r}")
    return Template(Op(f=SLEEP, value=seconds, extra=_CONTROL))


def log(message: str) -> Generator:
    """One control op: the runner tells ``message`` to the user, at once, occupying nobody."""
    return Template(Op(f=LOG, value=message, extra=_CONTROL))


def phases(*values: Any) -> Generator:
    """One after the other; each begins when all threads are free, so that no op of one phase overlaps one of another."""
    return concat(*(synchronize(value) for value in values))


def then(first: Any, second: Any) -> Generator:
    """``first``, then, when all threads are free, ``second``."""
    return concat(first, synchronize(second))


def synchronize(value: Any) -> Generator:
    """``value``, once all threads are free."""
    inner = gen(value)
    return EMPTY if inner is EMPTY else Synchronize(inner)


@node
class Synchronize:
    """See ``synchronize``."""

    gen: Generator

    def op(self, ctx: Context) -> Answer:
        return self.gen.op(ctx) if ctx.free == ctx.threads else PENDING

    def update(self, ctx: Context, event: Op) -> Generator:
        inner = self.gen.update(ctx, event)
        return self if inner is self.gen else synchronize(inner)


def limit(count: int, value: Any) -> Generator:
    """At most ``count`` ops of ``value``."""
    inner = gen(value)
    return EMPTY if inner is EMPTY or count <= 0 else Limit(count, inner)


def once(value: Any) -> Generator:
    """One op of ``value``."""
    return limit(1, value)


@node
class Limit:
    """See ``limit``."""

    left: int
    gen: Generator

    def op(self, ctx: Context) -> Answer:
        answer = self.gen.op(ctx)
        if answer is PENDING or answer is None:
            return answer
        op, rest = answer
        return op, (EMPTY if self.left == 1 or rest is EMPTY else Limit(self.left - 1, rest))

    def update(self, ctx: Context, event: Op) -> Generator:
        inner = self.gen.update(ctx, event)
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else Limit(self.left, inner)


def repeat(value: Any, times: int | None = None) -> Generator:
    """The first op of ``value`` again and again (``times`` times, or for ever): its state does not advance, though its dice fall anew.

    The opposite of ``once``. Updates do reach it.
    """
    inner = gen(value)
    return EMPTY if inner is EMPTY or (times is not None and times <= 0) else Repeat(times, inner)


@node
class Repeat:
    """See ``repeat``."""

    left: int | None
    gen: Generator

    @property
    def deaf(self) -> bool:
        return is_deaf(self.gen)

    def op(self, ctx: Context) -> Answer:
        answer = self.gen.op(ctx)
        if answer is PENDING or answer is None:
            return answer
        if self.left is None:
            return answer[0], self
        return answer[0], (EMPTY if self.left == 1 else Repeat(self.left - 1, self.gen))

    def update(self, ctx: Context, event: Op) -> Generator:
        inner = self.gen.update(ctx, event)
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else Repeat(self.left, inner)


def cycle(value: Any, times: int | None = None) -> Generator:
    """All of ``value``, then all of it from the beginning, ``times`` times or for ever.

    Updates reach the present round; the next one begins as ``value`` was. A round that has no op at all ends the cycle.
    """
    inner = gen(value)
    return EMPTY if inner is EMPTY or (times is not None and times <= 0) else Cycle(times, inner, inner)


@node
class Cycle:
    """``current`` is what remains of this round; ``left`` counts rounds, this one included (None: for ever)."""

    left: int | None
    original: Generator
    current: Generator

    def op(self, ctx: Context) -> Answer:
        left, answer = self.left, self.current.op(ctx)
        if answer is None and left != 1:
            left = None if left is None else left - 1
            answer = self.original.op(ctx)
        if answer is PENDING or answer is None:
            return answer
        return answer[0], _cycle_from(left, self.original, answer[1])

    def update(self, ctx: Context, event: Op) -> Generator:
        current = self.current.update(ctx, event)
        return self if current is self.current else _cycle_from(self.left, self.original, current)


def _cycle_from(left: int | None, original: Generator, current: Generator) -> Generator:
    """A Cycle that goes on to the next round, if there is one, as soon as this one is known to be over."""
    if current is not EMPTY:
        return Cycle(left, original, current)
    if left == 1:
        return EMPTY
    return Cycle(None if left is None else left - 1, original, original)


def flip_flop(*values: Any) -> Generator:
    """An op of the first, then one of the second, and so on in turn, until the one whose turn it is has none."""
    gens = tuple(map(gen, values))
    return FlipFlop(gens, 0) if gens else EMPTY


@node
class FlipFlop:
    """See ``flip_flop``."""

    gens: tuple[Generator, ...]
    turn: int

    def op(self, ctx: Context) -> Answer:
        gens, turn = self.gens, self.turn
        answer = gens[turn].op(ctx)
        if answer is PENDING or answer is None:
            return answer
        op, rest = answer
        return op, FlipFlop((*gens[:turn], rest, *gens[turn + 1 :]), (turn + 1) % len(gens))

    def update(self, ctx: Context, event: Op) -> Generator:
        gens = update_all(self.gens, ctx, event)
        return self if gens is self.gens else FlipFlop(gens, self.turn)


def update_all(gens: tuple[Generator, ...], ctx: Context, event: Op) -> tuple[Generator, ...]:
    """Each of ``gens`` after ``event``; the same tuple if none changed."""
    for i, inner in enumerate(gens):
        changed = inner.update(ctx, event)
        if changed is not inner:
            return (*gens[:i], changed, *(later.update(ctx, event) for later in gens[i + 1 :]))
    return gens


def until_ok(value: Any) -> Generator:
    """Ops of ``value`` until one of them completes with ok. Others may be under way by then, of other processes.

    For clients: what the nemesis does is ``info``, never ok.
    """
    inner = gen(value)
    return EMPTY if inner is EMPTY else UntilOk(inner, frozenset())


@node
class UntilOk:
    """``active`` are the processes that run an op of ours; they are never iterated, so their order cannot matter."""

    gen: Generator
    active: frozenset[Process]

    def op(self, ctx: Context) -> Answer:
        answer = self.gen.op(ctx)
        if answer is PENDING or answer is None:
            return answer
        op, rest = answer
        if rest is EMPTY:
            return op, EMPTY
        return op, UntilOk(rest, self.active if is_control(op) else self.active | {op.process})

    def update(self, ctx: Context, event: Op) -> Generator:
        inner = self.gen.update(ctx, event)
        active = self.active
        if event.type is not OpType.INVOKE and event.process in active:
            if event.type is OpType.OK:
                return EMPTY
            active = active - {event.process}
        if inner is self.gen and active is self.active:
            return self
        return EMPTY if inner is EMPTY else UntilOk(inner, active)
