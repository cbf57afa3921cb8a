"""A kernel with another function in the place of one that it calls: how a model of one's own gets into the compiled search.

Machine code of a variant is kept in the user's cache as the image is, under a name made from the byte code and the constants of
the function that was put in. Where there is none yet, only long work is worth the seconds that compiling takes.
"""

from __future__ import annotations

import dis
import hashlib
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import FunctionType
from typing import Any, TypeVar, cast

from checkers.kernels.engine import COMPILE_FROM_STEPS, LOADED_FROM_STEPS, Compiled, Engine, Plain, has_numba
from checkers.kernels.image import Image, cache_directory, image_name, read, save

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def variant(
    function: Kernel, replaced: Callable[..., Any], by: Callable[..., Any], steps: int
) -> tuple[Engine, Kernel]:
    """The engine for work of about ``steps`` steps, and ``function`` for it, with ``by`` in the place of ``replaced``."""
    assert isinstance(function, FunctionType)
    assert isinstance(replaced, FunctionType)
    plain = cast("Kernel", substituted(function, replaced, by))
    if steps < LOADED_FROM_STEPS or not isinstance(by, FunctionType):
        return Plain(), plain
    image = _compiled(function, replaced, by, may_compile=steps >= COMPILE_FROM_STEPS and has_numba())
    found = None if image is None else image.kernel(function)
    return (Plain(), plain) if found is None else (Compiled(), cast("Kernel", found))


@cache
def substituted(function: FunctionType, replaced: FunctionType, by: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` as it is, but for the one that it calls, itself or through others."""
    if function is replaced:
        return by
    names = dict(function.__globals__)
    changed = {name: substituted(callee, replaced, by) for name, callee in _callees(function).items()}
    if all(names[name] is callee for name, callee in changed.items()):
        return function
    twin = FunctionType(function.__code__, names | changed, function.__name__, function.__defaults__)
    twin.__module__, twin.__qualname__, twin.__annotations__ = (
        function.__module__,
        function.__qualname__,
        function.__annotations__,
    )
    return twin


def _callees(function: FunctionType) -> dict[str, FunctionType]:
    found = {name: function.__globals__.get(name) for name in _globals(function)}
    return {name: value for name, value in found.items() if isinstance(value, FunctionType)}


def _globals(function: FunctionType) -> list[str]:
    return sorted({step.argval for step in dis.get_instructions(function) if step.opname == "LOAD_GLOBAL"})


_images: dict[str, Image | None] = {}


def _compiled(function: FunctionType, replaced: FunctionType, by: FunctionType, *, may_compile: bool) -> Image | None:
    """The image of the variant: from memory, from the cache, or made now."""
    digest = hashlib.sha256(f"{image_name()} {function.__module__}:{function.__qualname__} {sys.version}".encode())
    try:
        _digest(by, digest.update)
    except _OpaqueError:
        return None
    name = f"variant-{digest.hexdigest()[:20]}.bin"
    if name in _images:
        return _images[name]
    path = cache_directory() / name
    compilation = read(path)
    if compilation is None and may_compile:
        from checkers.kernels.build import build_one

        log = logging.getLogger("splitbrain")
        log.warning("compiling the search for %s, once (some ten seconds), into %s", by.__qualname__, path)
        try:
            compilation = build_one(cast("FunctionType", substituted(function, replaced, by)))
        except Exception as error:  # noqa: BLE001 - it is anybody's code, and numba has many errors
            log.warning(
                "%s cannot be compiled and runs as it is: %s", by.__qualname__, str(error).strip().split("\n")[0]
            )
            _images[name] = None
            return None
        with suppress(OSError):
            save(compilation, path)
    if compilation is None:
        return None
    _images[name] = Image(compilation)
    return _images[name]


class _OpaqueError(Exception):
    """A function uses something of which no digest tells all."""


def _digest(function: FunctionType, update: Callable[[bytes], None]) -> None:
    """All that the machine code depends on: byte code, constants, and what the globals hold."""
    code = function.__code__
    if function.__closure__ or any(hasattr(constant, "co_code") for constant in code.co_consts):
        raise _OpaqueError
    update(repr((code.co_code.hex(), code.co_consts, code.co_names, code.co_varnames, function.__defaults__)).encode())
    for name in _globals(function):
        value = function.__globals__.get(name)
        if isinstance(value, FunctionType):
            _digest(value, update)
        elif type(value) in (int, bool, type(None)):  # None: a builtin
            update(repr((name, value)).encode())
        else:
            raise _OpaqueError
