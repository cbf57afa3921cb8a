"""Generators that watch another one: that it keeps the contract, that its errors name it, what it is asked and answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.errors import PluginError, SplitbrainError
from harness.generator.context import Context
from harness.generator.core import EMPTY, PENDING, Answer, Generator, node
from harness.generator.values import gen
from harness.op import NEMESIS, Op, OpType

_SHOWN_MAX = 300  # characters of a generator or context in an error


def validate(value: Any) -> Generator:
    """``value``, each answer checked: its shape, the op's type and time, and that its process is free. Raises PluginError saying why."""
    inner = gen(value)
    return EMPTY if inner is EMPTY else Validate(inner)


@node
class Validate:
    """See ``validate``."""

    gen: Generator

    def op(self, ctx: Context) -> Answer:
        answer = self.gen.op(ctx)
        if answer is PENDING or answer is None:
            return answer
        problems = _problems(answer, ctx)
        if problems:
            raise PluginError(
                f"generator {_shown(self.gen)} gave {_shown(answer)}, but {'; '.join(problems)} (asked with {_shown(ctx)})"
            )
        op, rest = answer
        return op, (EMPTY if rest is EMPTY else Validate(rest))

    def update(self, ctx: Context, event: Op) -> Generator:
        inner = self.gen.update(ctx, event)
        if inner is self.gen:
            return self
        if not _is_generator(inner):
            raise PluginError(
                f"generator {_shown(self.gen)} became {_shown(inner)} on an update: that is not a generator"
            )
        return EMPTY if inner is EMPTY else Validate(inner)


def _problems(answer: Any, ctx: Context) -> list[str]:
    """Why ``answer`` (neither PENDING nor None) breaks the contract; empty if it keeps it."""
    if not (isinstance(answer, tuple) and len(answer) == 2):
        return ["an answer must be (op, rest), PENDING or None"]
    op, rest = answer
    problems = [] if _is_generator(rest) else [f"the rest must be a generator (EMPTY if nothing is left), not {rest!r}"]
    if not isinstance(op, Op):
        return [*problems, f"the op must be an Op, not {type(op).__name__}"]
    expected = OpType.INFO if op.process == NEMESIS else OpType.INVOKE
    if op.type is not expected:
        problems.append(f"its type must be {expected.value!r}, not {op.type!r}")
    if op.time_ns.__class__ is not int or op.time_ns < 0:
        problems.append(f"its time must be whole nanoseconds since the run began, not {op.time_ns!r}")
    if not (op.process.__class__ is int and op.process >= 0) and op.process != NEMESIS:
        problems.append(f"{op.process!r} is not a process")
    elif not ctx.is_free(op.process):
        problems.append(f"process {op.process!r} is not free: {ctx.free_processes()} are")
    return problems


def _is_generator(value: Any) -> bool:
    return hasattr(value, "op") and hasattr(value, "update")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


def friendly_exceptions(value: Any) -> Generator:
    """``value``; whatever it raises becomes a PluginError that shows the generator, the context and the event."""
    inner = gen(value)
    return EMPTY if inner is EMPTY else FriendlyExceptions(inner)


@node
class FriendlyExceptions:
    """See ``friendly_exceptions``."""

    gen: Generator

    def op(self, ctx: Context) -> Answer:
        try:
            answer = self.gen.op(ctx)
        except SplitbrainError:
            raise
        except Exception as error:
            asked = f"was asked for an op with {_shown(ctx)}"
            raise PluginError(f"generator {_shown(self.gen)} raised {_shown(error)} when it {asked}") from error
        if answer is PENDING or answer is None:
            return answer
        op, rest = answer
        return op, (EMPTY if rest is EMPTY else FriendlyExceptions(rest))

    def update(self, ctx: Context, event: Op) -> Generator:
        try:
            inner = self.gen.update(ctx, event)
        except SplitbrainError:
            raise
        except Exception as error:
            told = f"was told of {event!r} with {_shown(ctx)}"
            raise PluginError(f"generator {_shown(self.gen)} raised {_shown(error)} when it {told}") from error
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else FriendlyExceptions(inner)


# What a trace tells: "op" with the answer, or "update" with the event.
Tracer = Callable[[str, Context, Any], None]


def trace(tell: Tracer, value: Any) -> Generator:
    """``value``; ``tell("op", ctx, answer)`` is called for each answer and ``tell("update", ctx, event)`` for each event."""
    inner = gen(value)
    return EMPTY if inner is EMPTY else Trace(tell, inner)


@node
class Trace:
    """See ``trace``."""

    tell: Tracer
    gen: Generator

    def op(self, ctx: Context) -> Answer:
        answer = self.gen.op(ctx)
        self.tell("op", ctx, answer)
        if answer is PENDING or answer is None:
            return answer
        return answer[0], (EMPTY if answer[1] is EMPTY else Trace(self.tell, answer[1]))

    def update(self, ctx: Context, event: Op) -> Generator:
        self.tell("update", ctx, event)
        inner = self.gen.update(ctx, event)
        if inner is self.gen:
            return self
        return EMPTY if inner is EMPTY else Trace(self.tell, inner)
