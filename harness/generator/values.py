"""Plain values as generators, and ``gen``, the one place where they become generators.

==========================================  ==================================================================
None                                        nothing
an ``Op``, or a mapping with "f"            that op, once, by some free process
a function of no argument or of a context   what it returns, called anew whenever that is used up; None ends it
a list or tuple                             its elements, one after the other
any other iterable                          the same, drawn lazily; it may be endless
==========================================  ==================================================================
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar, Final

from harness.errors import PluginError
from harness.generator.context import Context
from harness.generator.core import EMPTY, PENDING, Answer, Generator, Pending, is_deaf, node
from harness.op import NEMESIS, Op, OpType

# A function that returns nothing but empty generators would be called for ever; this many in a row are taken as a mistake.
EMPTY_IN_A_ROW_MAX = 1000

INVOKE: Final = OpType.INVOKE  # looking a member up in its enum costs as much as three names
INFO: Final = OpType.INFO
_ANY_PROCESS = -1  # as in a fresh Op: the runner's world decides
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_FIELDS = ("f", "key", "value", "node", "process", "time_ns", "type")
_STAMPED = ("index", "error")  # what only the runner and the client can know


def gen(value: Any) -> Generator:
    """``value`` as a generator (see the module's table). Raises PluginError for what cannot be one."""
    if hasattr(value, "op") and hasattr(value, "update"):
        generator: Generator = value
        return generator
    if value is None:
        return EMPTY
    if isinstance(value, Op | Mapping):
        return Template(_template(value))
    if callable(value):
        return Function(value, _takes_context(value), None)
    if isinstance(value, list | tuple):
        return concat(*value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | bytearray):
        return Stream(Lazy(value), None)
    raise PluginError(
        f"{value!r} is not a generator: it must be an Op, a mapping with 'f', a function, a sequence of these, "
        f"or have the methods op(ctx) and update(ctx, event)"
    )


def _template(value: Op | Mapping[str, Any]) -> Op:
    """The op that ``value`` describes, its unknown names moved into ``extra``. Raises PluginError naming what is wrong."""
    if isinstance(value, Op):
        op = value
    else:
        stamped = [name for name in _STAMPED if name in value]
        if stamped:
            raise PluginError(f"a generator cannot give {stamped[0]!r} ({dict(value)!r}): it is stamped during the run")
        if "f" not in value:
            raise PluginError(f"an op needs an 'f', its operation's name, but this mapping has none: {dict(value)!r}")
        extra = dict(value.get("extra", _NOTHING))
        extra |= {name: item for name, item in value.items() if name not in _FIELDS and name != "extra"}
        op = Op(**{name: value[name] for name in _FIELDS if name in value}, extra=extra)
    if op.f.__class__ is not str or not op.f:
        raise PluginError(f"the name of an operation, 'f', must be a word, not {op.f!r}")
    if op.type not in (OpType.INVOKE, OpType.INFO):
        raise PluginError(f"a generator makes invocations, so type {op.type!r} of {op.f!r} must be left out")
    expected = OpType.INFO if op.process == NEMESIS else OpType.INVOKE
    return op if op.type is expected else replace(op, type=expected)


def invocation(ctx: Context, f: str, key: Any = None, value: Any = None) -> Op | Pending:
    """An op for some free process, now; PENDING if there is none. For generators that make their ops themselves."""
    process = ctx.some_free_process()
    if process is None:
        return PENDING
    return Op(
        time_ns=ctx.time_ns, type=INVOKE if process != NEMESIS else INFO, process=process, f=f, key=key, value=value
    )


def fill_in(template: Op, ctx: Context) -> Op | Pending:
    """``template`` as an op of some free process (or of its own, if it names one), now (or at its own time, if that is later).

    PENDING while no such process is free. Raises PluginError if the process that it names can never run it.
    """
    process = template.process
    if process == _ANY_PROCESS:
        chosen = ctx.some_free_process()
        if chosen is None:
            return PENDING
        process = chosen
    elif not ctx.is_free(process):
        if not ctx.is_current(process):
            raise PluginError(f"{template.f!r} is for process {process!r}, but here are only {ctx.all_processes()}")
        return PENDING
    elif template.time_ns >= ctx.time_ns:
        return template  # a planned fault is asked for again and again until its time comes
    return Op(
        time_ns=max(template.time_ns, ctx.time_ns),
        type=INVOKE if process != NEMESIS else INFO,
        process=process,
        f=template.f,
        key=template.key,
        value=template.value,
        node=template.node,
        extra=template.extra,
    )


def _fill_in_made(made: Op | Mapping[str, Any], ctx: Context) -> Op | Pending:
    """What a function made, as an op; quickly if it is a dict of the usual fields."""
    if isinstance(made, dict) and len(made) == ("f" in made) + ("key" in made) + ("value" in made):
        f = made.get("f")
        if f.__class__ is str and f:
            return invocation(ctx, f, made.get("key"), made.get("value"))
    return fill_in(_template(made), ctx)


@node
class Template:
    """One op, given but for what the world decides."""

    template: Op
    deaf: ClassVar[bool] = True

    def op(self, ctx: Context) -> Answer:
        op = fill_in(self.template, ctx)
        return PENDING if op is PENDING else (op, EMPTY)

    def update(self, ctx: Context, event: Op) -> Generator:
        return self


@node
class Function:
    """What ``call`` returns, again and again. ``current`` is the rest of what it returned last."""

    call: Callable[..., Any]
    takes_context: bool
    current: Generator | None

    def op(self, ctx: Context) -> Answer:
        if self.current is not None:
            answer = self.current.op(ctx)
            if answer is not None:
                return self._with(answer)
        if not ctx.free:
            return PENDING
        for _ in range(EMPTY_IN_A_ROW_MAX):
            made = self.call(ctx) if self.takes_context else self.call()
            if made is None:
                return None
            if isinstance(made, Op | Mapping):  # the common case, without a generator in between
                op = _fill_in_made(made, ctx)
                return PENDING if op is PENDING else (op, self._fresh())
            answer = gen(made).op(ctx)
            if answer is not None:
                return self._with(answer)
        raise PluginError(
            f"{self.call!r} returned an empty generator {EMPTY_IN_A_ROW_MAX} times in a row: to end, it must return None"
        )

    def _with(self, answer: tuple[Op, Generator] | Pending) -> Answer:
        if answer is PENDING:
            return PENDING
        op, rest = answer
        return op, (self._fresh() if rest is EMPTY else Function(self.call, self.takes_context, rest))

    def _fresh(self) -> Function:
        return self if self.current is None else Function(self.call, self.takes_context, None)

    def update(self, ctx: Context, event: Op) -> Generator:
        if self.current is None:
            return self
        current = self.current.update(ctx, event)
        if current is self.current:
            return self
        return Function(self.call, self.takes_context, None if current is EMPTY else current)


def _takes_context(call: Callable[..., Any]) -> bool:
    """Whether ``call`` wants the context. Raises PluginError unless it can be called with no or one argument."""
    return positional_count(call, (0, 1), "a function as a generator") == 1


def positional_count(call: Callable[..., Any], allowed: tuple[int, ...], what: str) -> int:
    """How many arguments to call ``call`` with: the most of ``allowed`` that it must or can take. Raises PluginError if none fits."""
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):  # some builtins have none to show
        return allowed[0]
    required = _counts(signature, required=True)
    possible = _counts(signature, required=False)
    fitting = [count for count in allowed if required <= count <= possible]
    if not fitting:
        wanted = " or ".join(map(str, allowed))
        raise PluginError(f"{what} must take {wanted} arguments, but {call!r} takes {signature}")
    # An optional argument is not a request for the context: random.random-like helpers have those for other ends.
    return next((count for count in fitting if count == required), fitting[0])


def _counts(signature: inspect.Signature, *, required: bool) -> int:
    count = 0
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            count += 0 if required else 99
        elif parameter.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD):
            count += parameter.default is inspect.Parameter.empty or not required
    return count


def concat(*values: Any) -> Generator:
    """All ops of the first, then all of the second, and so on; a later part may begin while ops of an earlier one still run."""
    items = tuple(item for item in map(gen, values) if item is not EMPTY)
    if len(items) < 2:
        return items[0] if items else EMPTY
    ears = tuple(i for i, item in enumerate(items) if not (is_deaf(item) or isinstance(item, Function)))
    return Concat(items, ears, 0, items[0])


@node
class Concat:
    """``current``, which is what remains of ``items[at]``, then the items after it.

    Also items whose turn has not come hear of events: a condition that came true early must not be missed. ``ears`` are the indices of
    those that listen, so that a list of a hundred thousand plain ops or functions costs nothing per event.
    """

    items: tuple[Generator, ...]
    ears: tuple[int, ...]
    at: int
    current: Generator

    def op(self, ctx: Context) -> Answer:
        items, at, current = self.items, self.at, self.current
        while True:
            answer = current.op(ctx)
            if answer is PENDING:
                return PENDING
            if answer is not None:
                op, rest = answer
                return op, _concat_at(items, self.ears, at, rest)
            at += 1
            if at == len(items):
                return None
            current = items[at]

    def update(self, ctx: Context, event: Op) -> Generator:
        current = self.current.update(ctx, event)
        items = self.items
        for i in self.ears:
            if i > self.at:
                item = items[i].update(ctx, event)
                if item is not items[i]:
                    items = (*items[:i], item, *items[i + 1 :])
        if current is self.current and items is self.items:
            return self
        return _concat_at(items, self.ears, self.at, current)


def _concat_at(items: tuple[Generator, ...], ears: tuple[int, ...], at: int, current: Generator) -> Generator:
    """A Concat that has moved past what is known to be empty; the last item stands alone, so that the others can be forgotten."""
    while current is EMPTY and at + 1 < len(items):
        at += 1
        current = items[at]
    return current if at + 1 == len(items) else Concat(items, ears, at, current)


class Lazy:
    """One place in an iterable that is drawn lazily: its element and the next place, both remembered once drawn.

    Remembering makes an iterator, which can be drawn only once, into an immutable sequence. Places that nothing refers to are freed, so
    an endless one costs no memory.
    """

    __slots__ = ("_element", "_iterator", "_next")

    def __init__(self, elements: Iterable[Any]) -> None:
        self._iterator: Iterator[Any] | None = iter(elements)
        self._element: Any = None
        self._next: Lazy | None = None

    def draw(self) -> tuple[Any, Lazy] | None:
        """The element here and the next place, or None at the end."""
        iterator = self._iterator
        if iterator is not None:
            for element in iterator:
                self._element, self._next = element, Lazy(iterator)
                break
            self._iterator = (
                None  # only now: an iterator that raised is asked again, and does not pass for one that ended
            )
        return None if self._next is None else (self._element, self._next)


@node
class Stream:
    """``current`` if there is one, then what is drawn from ``place`` on. Elements hear of events only once they are drawn."""

    place: Lazy
    current: Generator | None

    def op(self, ctx: Context) -> Answer:
        place, current = self.place, self.current
        while True:
            if current is not None:
                answer = current.op(ctx)
                if answer is PENDING:
                    return PENDING
                if answer is not None:
                    op, rest = answer
                    return op, Stream(place, None if rest is EMPTY else rest)
            drawn = place.draw()
            if drawn is None:
                return None
            current, place = gen(drawn[0]), drawn[1]

    def update(self, ctx: Context, event: Op) -> Generator:
        if self.current is None:
            return self
        current = self.current.update(ctx, event)
        return self if current is self.current else Stream(self.place, None if current is EMPTY else current)
