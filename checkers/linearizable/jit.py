"""The one module that knows numba: the same kernel runs as plain Python on lists, or compiled on arrays.

A kernel is a module-level function over columns of int64 that other modules write once. Which engine runs it
changes the time, never the answer nor the steps counted: no kernel may overflow, divide by zero or rely on
the order of floats. Importing numba costs 0.4 s and loading a cached kernel 0.3-0.5 s, so small histories are
judged without it; where it is missing (it has no wheels for some machines) everything runs uncompiled.
Nothing about histories or verdicts belongs here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from types import FunctionType
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

# From how many steps on compiling (or loading what an earlier process compiled) pays for itself: a plain step
# costs about 0.5 to 4 microseconds, a compiled one nothing in comparison, and import and load together about
# a second.
COMPILE_FROM_STEPS = 400_000
# The same for a process that has imported numba already.
COMPILE_LOADED_FROM_STEPS = 40_000


class Column(Protocol):
    """What a kernel reads and writes: a list of int, or an array of int64."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: int, /) -> int: ...

    def __setitem__(self, at: int, value: int, /) -> None: ...


Kernel = TypeVar("Kernel", bound=Callable[..., Any])


class Engine(Protocol):
    """How kernels run and what their columns are made of."""

    def column(self, values: npt.ArrayLike) -> Column:
        """A column with these values; the kernel may change it."""
        ...

    def full(self, size: int, value: int) -> Column:
        """A column of ``size`` times ``value``."""
        ...

    def kernel(self, function: Kernel) -> Kernel:
        """The function that does what ``function`` does, on this engine's columns."""
        ...


class Plain:
    """Python as it is, on lists."""

    def column(self, values: npt.ArrayLike) -> Column:
        return cast("list[int]", np.asarray(values, dtype=np.int64).tolist())

    def full(self, size: int, value: int) -> Column:
        return [value] * size

    def kernel(self, function: Kernel) -> Kernel:
        return function


class Compiled:
    """Machine code by numba, on arrays."""

    def column(self, values: npt.ArrayLike) -> Column:
        return cast("Column", np.array(values, dtype=np.int64))

    def full(self, size: int, value: int) -> Column:
        # Zeros cost memory only where they are touched; tables of configurations are mostly never.
        whole = np.zeros(size, dtype=np.int64) if value == 0 else np.full(size, value, dtype=np.int64)
        return cast("Column", whole)

    def kernel(self, function: Kernel) -> Kernel:
        return cast("Kernel", _compiled(function))


def engine(steps: int) -> Engine:
    """The engine for work of about ``steps`` steps."""
    enough = COMPILE_LOADED_FROM_STEPS if "numba" in sys.modules else COMPILE_FROM_STEPS
    return Compiled() if steps >= enough and has_numba() else Plain()


@cache
def has_numba() -> bool:
    return find_spec("numba") is not None


@cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` compiled, together with the functions of its own module that it calls.

    Numba takes what a function calls from its globals, and only compiled things count; hence a twin of the
    function whose globals are compiled. One file holds a kernel and its helpers: numba's cache on disk looks
    at that file's date alone.
    """
    from numba import njit

    names = dict(function.__globals__)
    for name in function.__code__.co_names:
        callee = names.get(name)
        if isinstance(callee, FunctionType) and callee.__module__ == function.__module__:
            names[name] = _compiled(callee)
    twin = FunctionType(function.__code__, names, function.__name__)
    try:
        return cast("Callable[..., Any]", njit(cache=True)(twin))
    except RuntimeError:  # no directory where the cache could be written: compile for this process alone
        return cast("Callable[..., Any]", njit(twin))
