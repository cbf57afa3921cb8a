"""The same kernel as plain Python on lists, or as machine code on arrays.

Which engine runs a kernel changes the time, never the answer nor the steps counted: no kernel may overflow,
divide by zero or rely on the order of floats. Small histories are judged uncompiled: loading the image costs
some 40 ms. Where neither an image nor numba is at hand everything runs uncompiled. Nothing about histories or
verdicts belongs here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

from checkers.kernels.image import Image, find_image, make_image

# From how many steps on machine code pays for itself (a plain step costs 0.5 to 4 microseconds): if the image
# has to be loaded, if it is loaded, and if it has to be compiled first, which takes about half a minute.
LOAD_FROM_STEPS, LOADED_FROM_STEPS, COMPILE_FROM_STEPS = 40_000, 2_000, 4_000_000


class Column(Protocol):
    """What a kernel reads and writes: a list of int, or an array of int64."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: int, /) -> int: ...

    def __setitem__(self, at: int, value: int, /) -> None: ...


class Narrow(Column, Protocol):
    """A column whose array is one of int32."""


class Tiny(Column, Protocol):
    """A column whose array is one of int8."""


Kernel = TypeVar("Kernel", bound=Callable[..., Any])
DTYPES: dict[type, Any] = {Column: np.int64, Narrow: np.int32, Tiny: np.int8}


class Engine(Protocol):
    """How kernels run and what their columns are made of."""

    def column(self, values: npt.ArrayLike) -> Column:
        """A column of int64 with these values; the kernel may change it."""
        ...

    def view(self, values: npt.NDArray[Any]) -> Any:
        """These values, of this dtype, not to be changed."""
        ...

    def full(self, size: int, value: int) -> Column:
        """A column of int64, ``size`` times ``value``."""
        ...

    def narrow(self, size: int, value: int) -> Narrow:
        """The same of int32."""
        ...

    def tiny(self, size: int, value: int) -> Tiny:
        """The same of int8."""
        ...

    def kernel(self, function: Kernel) -> Kernel:
        """The function that does what ``function`` does, on this engine's columns."""
        ...


class Plain:
    """Python as it is, on lists."""

    def column(self, values: npt.ArrayLike) -> Column:
        return cast("list[int]", np.asarray(values, dtype=np.int64).tolist())

    def view(self, values: npt.NDArray[Any]) -> Any:
        return values.tolist()

    def full(self, size: int, value: int) -> Column:
        return [value] * size

    def narrow(self, size: int, value: int) -> Narrow:
        return [value] * size

    def tiny(self, size: int, value: int) -> Tiny:
        return [value] * size

    def kernel(self, function: Kernel) -> Kernel:
        return function


class Compiled:
    """Machine code, on arrays: that of ``image``, or else numba's."""

    def __init__(self, image: Image | None = None) -> None:
        self._image = image

    def column(self, values: npt.ArrayLike) -> Column:
        return cast("Column", np.array(values, dtype=np.int64))

    def view(self, values: npt.NDArray[Any]) -> Any:
        return np.ascontiguousarray(values)

    def full(self, size: int, value: int) -> Column:
        # Zeros cost memory only where they are touched; tables of configurations are mostly never.
        whole = np.zeros(size, dtype=np.int64) if value == 0 else np.full(size, value, dtype=np.int64)
        return cast("Column", whole)

    def narrow(self, size: int, value: int) -> Narrow:
        return cast("Narrow", np.full(size, value, dtype=np.int32))

    def tiny(self, size: int, value: int) -> Tiny:
        return cast("Tiny", np.full(size, value, dtype=np.int8))

    def kernel(self, function: Kernel) -> Kernel:
        found = None if self._image is None else self._image.kernel(function)
        return cast("Kernel", found) if found is not None else cast("Kernel", _jitted(function))


def engine(steps: int) -> Engine:
    """The engine for work of about ``steps`` steps."""
    if steps < LOADED_FROM_STEPS:
        return Plain()
    if make_image.cache_info().currsize:
        return Compiled(make_image())
    if steps >= (LOADED_FROM_STEPS if find_image.cache_info().currsize else LOAD_FROM_STEPS):
        image = find_image()
        if image is not None:
            return Compiled(image)
    if steps >= COMPILE_FROM_STEPS and has_numba():
        return Compiled(make_image())
    return Plain()


@cache
def has_numba() -> bool:
    return find_spec("numba") is not None


@cache
def _jitted(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is not in the image, compiled for this process."""
    from checkers.kernels.build import compiled

    return compiled(function)
