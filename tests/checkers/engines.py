"""Force kernels to run compiled, or plain, whatever the size of a history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from checkers.linearizable import jit

NEVER = 1 << 62


@contextmanager
def compiled() -> Iterator[None]:
    with patch.object(jit, "COMPILE_FROM_STEPS", 0), patch.object(jit, "COMPILE_LOADED_FROM_STEPS", 0):
        yield


@contextmanager
def plain() -> Iterator[None]:
    with patch.object(jit, "COMPILE_FROM_STEPS", NEVER), patch.object(jit, "COMPILE_LOADED_FROM_STEPS", NEVER):
        yield
