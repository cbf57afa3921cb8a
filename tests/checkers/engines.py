"""Force kernels to run compiled, or plain, whatever the size of a history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from unittest.mock import patch

from checkers.kernels import engine

NEVER = 1 << 62


@contextmanager
def from_steps(steps: int) -> Iterator[None]:
    names = ("LOADED_FROM_STEPS", "LOAD_FROM_STEPS", "COMPILE_FROM_STEPS")
    with patch.multiple(engine, **dict.fromkeys(names, steps)):
        yield


def compiled() -> AbstractContextManager[None]:
    return from_steps(0)


def plain() -> AbstractContextManager[None]:
    return from_steps(NEVER)
