"""What a generator is: a value that says which op comes next.

A generator is immutable and asked by one caller, the runner. ``op(ctx)`` answers with

* ``(op, rest)``: the next op, and the generator that remains once it is performed. An op whose time lies in the future may be waited
  for; the caller may also throw the answer away, rest included, and ask the same generator again when something happened meanwhile;
* ``PENDING``: nothing now; ask again after an event, or when time has passed;
* ``None``: exhausted, for ever.

``update(ctx, event)`` tells it what happened: every invocation and every completion, its own or not. The context is the world after the
event: the event's thread is busy, or free again, under a new process number if it crashed.

So generators compose, need neither locks nor clocks, and are tested in virtual time. After Jepsen's (jepsen.generator), with these
differences: asking has no effect but throws of ``ctx.rng``; ``PENDING`` carries no state; a generator that knows that it has nothing
left becomes ``EMPTY`` at once, without being asked, so that what follows it hears of events in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeVar, dataclass_transform

from harness.generator.context import Context
from harness.op import Op

if TYPE_CHECKING:
    from typing import TypeAlias

NS_PER_S: Final = 1_000_000_000


class Pending(Enum):
    """The type of PENDING."""

    PENDING = "pending"

    def __repr__(self) -> str:
        return "PENDING"


PENDING: Final = Pending.PENDING


class Generator(Protocol):
    """See the module's text."""

    def op(self, ctx: Context) -> Answer:
        """The next op for one of the free processes of ``ctx``, and what remains after it; PENDING; or None."""
        ...

    def update(self, ctx: Context, event: Op) -> Generator:
        """This generator after ``event``; itself, the same object, if nothing changed."""
        ...


_C = TypeVar("_C")


@dataclass_transform(frozen_default=True, eq_default=False)
def node(cls: type[_C]) -> type[_C]:
    """A generator's class: a dataclass with slots that mypy takes for frozen.

    Python does not enforce it, since a frozen dataclass takes three times as long to make, and every op makes several. Generators are
    compared by identity.
    """
    return dataclass(slots=True, eq=False)(cls)


Answer: TypeAlias = "tuple[Op, Generator] | Pending | None"


class Empty:
    """No op at all. There is one, EMPTY, so that ``is`` tells what is known to be exhausted."""

    __slots__ = ()
    deaf: ClassVar[bool] = True

    def op(self, ctx: Context) -> Answer:
        return None

    def update(self, ctx: Context, event: Op) -> Generator:
        return self

    def __repr__(self) -> str:
        return "EMPTY"


EMPTY: Final[Generator] = Empty()


def is_deaf(generator: Any) -> bool:
    """Whether it says of itself (by an attribute ``deaf``) that no event ever changes it, nor what remains of it.

    Then updates of it can be left out. Whoever says nothing is told of everything.
    """
    return getattr(generator, "deaf", False) is True


def to_ns(seconds: float) -> int:
    """Seconds as whole nanoseconds."""
    return round(seconds * NS_PER_S)
