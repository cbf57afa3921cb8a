"""What an object promises when its operations come one after the other. A model is data: a record of pure
functions.

A model of your own takes 20 lines::

    from checkers.linearizable.models import UNKNOWN, Model

    def step(state, f, _argument, result):
        if f == "open":
            return not state, True
        return result in (state, UNKNOWN), state

    DOOR = Model(
        name="door", summary="a door that opens once", init=False, step=step,
        fs=frozenset({"open", "look"}), reads=frozenset({"look"}),
    )

Arguments and results come ``frozen``: lists as tuples, and everything hashable, so that ``==`` is the
equality of JSON values. Models know nothing of time, processes or keys: every key of a history is judged as
an object of its own. If the state is one integer, ``ints`` lets the search compile it, see ``IntForm``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from checkers.linearizable.steps import ADD, CUSTOM, ILLEGAL, READ, custom  # noqa: F401 - ILLEGAL is for models of one's own
from checkers.linearizable.steps import COUNTER as COUNTS
from harness.interning import identity


class _Unknown(Enum):
    RESULT = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


# The result of a call that never completed: whatever it was, it is legal.
UNKNOWN: Final = _Unknown.RESULT

State = Hashable
Step = Callable[[Any, str, Any, Any], tuple[bool, Any]]
Lost = Callable[[Any, str, Any], Sequence[Any]]
Number = Callable[[Any], int]
Coded = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterForm:
    """How a model's calls are those of one register, for which there are faster algorithms than trying every
    order.

    ``reads``, ``writes`` and ``cas`` are names of functions whose results and arguments hold the values;
    ``swaps`` are functions that are a cas with fixed values (expected, new). ``initial`` is the register's
    first value.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    cas: frozenset[str] = frozenset()
    swaps: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    initial: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerForm:
    """How a model's calls are those of a container of values, for which there are faster algorithms, too.

    ``insert`` adds its argument; ``remove`` returns a value that it takes away, or null if there was none, in
    this ``order``: "fifo", "lifo", "least" (numbers, the smallest first) or "any".
    """

    insert: str
    remove: str
    order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IntForm:
    """How a model's state is one integer, so that the search can be compiled with it. An addition to the model: it must say the same.

    ``code(f, argument, result, number)`` makes three integers of a call, or None where it cannot be: then the model's own ``step`` judges
    the history. ``result`` may be UNKNOWN; ``number(value)`` gives values, whatever they are, numbers from 1 on, equal ones the same.
    ``step(state, f, argument, result, known)`` is given these integers, and says which one the state is after the call, or ILLEGAL;
    ``known`` is 0 for a call that never completed. It is arithmetic on integers that stay below 2^61, with loops, ifs, functions and
    constants of the same kind; where it can be, it is compiled. ``form`` is for those that are built in, see ``steps``.
    """

    init: int
    code: Callable[[str, Any, Any, Number], Coded]
    step: Callable[[int, int, int, int, int], int] = custom
    form: int = CUSTOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A sequential object.

    ``step(state, f, argument, result) -> (legal, state after)`` says whether a call may return ``result`` in
    ``state`` (UNKNOWN: it never completed) and what it leaves behind. States are hashable and compared with
    ``==``. ``fs`` are the functions that it understands, ``reads`` those among them that never change the
    state, ``blind`` those that succeed in every state and tell nothing of it: if no others succeeded, the history proves nothing. A call
    that failed certainly did not happen: no model sees it. ``lost`` is only for objects on which
    a call of unknown result can leave one of several states: ``lost(state, f, argument)`` lists them. ``ints`` makes it faster.
    ``elements`` says that it is a set, see SET, ``appends`` that it is strings, see ``appends``.
    """

    name: str
    summary: str
    init: State
    step: Step
    fs: frozenset[str]
    reads: frozenset[str] = frozenset()
    blind: frozenset[str] = frozenset()
    register: RegisterForm | None = None
    container: ContainerForm | None = None
    lost: Lost | None = None
    ints: IntForm | None = None
    elements: bool = False
    appends: bool = False


def successors(model: Model, state: Any, f: str, argument: Any, result: Any) -> Sequence[Any]:
    """Every state that the call can leave behind; none if it is not legal. What ``model`` raises comes through."""
    if model.lost is not None and result is UNKNOWN:
        return model.lost(state, f, argument)
    legal, after = model.step(state, f, argument, result)
    return (after,) if legal else ()


def frozen(value: Any) -> Hashable:
    """``value`` as models see it: a list is a tuple, and 1, 1.0 and true stay three values (true is ``(bool,
    True)``).
    """
    if isinstance(value, list | tuple):
        return tuple([frozen(item) for item in value])
    return identity(value)


def _register(state: State, f: str, argument: Any, result: Any) -> tuple[bool, State]:
    if f == "read":
        return result is UNKNOWN or result == state, state
    if f == "write":
        return True, argument
    expected, new = argument
    if state == expected:
        return True, new
    # A cas that found another value completes as fail and is not seen here; only of one that never completed
    # we cannot know.
    return result is UNKNOWN, state


def _mutex(state: State, f: str, _argument: Any, result: Any) -> tuple[bool, State]:
    before, after = ("free", "held") if f == "acquire" else ("held", "free")
    if state == before:
        return True, after
    return result is UNKNOWN, state


def _queue(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, State]:
    if f == "enqueue":
        return True, (*state, argument)
    return _taken(result, state[:1], state[1:], state)


def _stack(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, State]:
    if f == "push":
        return True, (*state, argument)
    return _taken(result, state[-1:], state[:-1], state)


def _taken(result: Any, next_out: Any, rest: State, state: State) -> tuple[bool, State]:
    """Taking from a queue or a stack: null is the answer of an empty one, and of no other."""
    if not next_out:
        return result is None or result is UNKNOWN, state
    return result is UNKNOWN or result == next_out[0], rest


def _set(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, State]:
    if f == "add":
        return True, state | {argument}
    if f == "remove":
        return True, state - {argument}
    if f == "contains":
        return result is UNKNOWN or result == identity(argument in state), state
    return result is UNKNOWN or frozenset(result or ()) == state, state


def _counter(state: Any, f: str, argument: Any, result: Any) -> tuple[bool, State]:
    if f == "add":
        return True, state + argument
    return result is UNKNOWN or result == state, state


def _code_counter(f: str, argument: Any, result: Any, _number: Number) -> Coded:
    if f == "add":
        return (ADD, argument, 0) if type(argument) is int else None
    return (READ, 0, result) if type(result) is int else None


_REGISTER = frozenset({"read", "write"})
_CAS_REGISTER = _REGISTER | {"cas"}
_READ, _WRITE = frozenset({"read"}), frozenset({"write"})
_FORM = RegisterForm(reads=_READ, writes=_WRITE)
_CAS_FORM = RegisterForm(reads=_READ, writes=_WRITE, cas=frozenset({"cas"}))

REGISTER = Model(
    name="register",
    summary="one value per key, first null: read, write",
    init=None,
    step=_register,
    fs=_REGISTER,
    reads=_READ,
    blind=_WRITE,
    register=_FORM,
)
CAS_REGISTER = Model(
    name="cas-register",
    summary="one value per key, first null: read, write, cas [expected, new]",
    init=None,
    step=_register,
    fs=_CAS_REGISTER,
    reads=_READ,
    blind=_WRITE,
    register=_CAS_FORM,
)
KV = Model(
    name="kv",
    summary="a key-value store: every key is a cas-register of its own",
    init=None,
    step=_register,
    fs=_CAS_REGISTER,
    reads=_READ,
    blind=_WRITE,
    register=_CAS_FORM,
)
MUTEX = Model(
    name="mutex",
    summary="a lock per key: acquire, release",
    init="free",
    step=_mutex,
    fs=frozenset({"acquire", "release"}),
    register=RegisterForm(swaps={"acquire": ("free", "held"), "release": ("held", "free")}, initial="free"),
)
FIFO_QUEUE = Model(
    name="fifo-queue",
    summary="first in, first out: enqueue, dequeue (null: it was empty)",
    init=(),
    step=_queue,
    fs=frozenset({"enqueue", "dequeue"}),
    blind=frozenset({"enqueue"}),
    container=ContainerForm(insert="enqueue", remove="dequeue", order="fifo"),
)
STACK = Model(
    name="stack",
    summary="last in, first out: push, pop (null: it was empty)",
    init=(),
    step=_stack,
    fs=frozenset({"push", "pop"}),
    blind=frozenset({"push"}),
    container=ContainerForm(insert="push", remove="pop", order="lifo"),
)
SET = Model(
    name="set",
    summary="a set: add, remove, contains (true or false), read (a list in any order)",
    init=frozenset(),
    step=_set,
    fs=frozenset({"add", "remove", "contains", "read"}),
    reads=frozenset({"read", "contains"}),
    blind=frozenset({"add", "remove"}),
    elements=True,
)
COUNTER = Model(
    name="counter",
    summary="a number, first 0: add (of a delta), read",
    init=0,
    step=_counter,
    fs=frozenset({"add", "read"}),
    reads=_READ,
    blind=frozenset({"add"}),
    ints=IntForm(init=0, code=_code_counter, form=COUNTS),
)
