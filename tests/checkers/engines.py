"""Force kernels to run compiled, or plain, whatever the size of a history; and all of them compiled, at no cost where they are already."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest.mock import patch

from checkers.kernels import engine
from checkers.kernels.image import Image, find_image, make_image

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


def compiled_image() -> Image:
    """All kernels: what an installation of these sources has compiled, or else whoever needs it first, as long as others wait."""
    found = find_image()
    if found is None:
        with Path(tempfile.gettempdir(), "splitbrain-kernels.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            find_image.cache_clear()
            found = find_image() or make_image()
    return found
