"""Force kernels to run compiled, or plain, whatever the size of a history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from checkers.linearizable import jit


@contextmanager
def compiled() -> Iterator[None]:
    with patch.object(jit, "COMPILE_FROM_STEPS", 0):
        yield


@contextmanager
def plain() -> Iterator[None]:
    with patch.object(jit, "COMPILE_FROM_STEPS", 1 << 62):
        yield
