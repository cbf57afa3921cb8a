"""All kernels as machine code in one file: found, loaded and called without numba.

The file is a line of JSON (the symbol of every kernel, and the checksum) and then an object file that depends
on nothing but itself. Its name holds a hash of everything that it was made from, so an image of other sources
is never taken. It is looked for beside this module (a wheel brings it) and in the user's cache. llvmlite loads
it: no linker and no compiler is needed.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import logging
import os
import platform
import sys
import typing
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from checkers.kernels import KERNELS, MADE_FROM

# Of the file and of how kernels are called; part of the name.
ABI = 1
HERE = Path(__file__).parent
_ARRAY = 7  # numba passes an array as meminfo, parent, items, item size, data, shape, stride

Pieces = Callable[[Any], Iterator[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """What ``build`` makes: the symbol of every kernel, and the object file."""

    symbols: dict[str, str]
    code: bytes


class Image:
    """Kernels in memory, ready to be called."""

    def __init__(self, compilation: Compilation) -> None:
        import llvmlite.binding as llvm

        with suppress(RuntimeError):  # newer versions do it by themselves, and say so
            llvm.initialize_native_target()
            llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(compilation.code))
        self._engine.finalize_object()
        self._symbols = compilation.symbols
        self._made: dict[str, Callable[..., int]] = {}

    def kernel(self, function: Callable[..., Any]) -> Callable[..., int] | None:
        """The compiled twin of ``function``; None if it is not in the image."""
        name = f"{function.__module__}:{function.__qualname__}"
        if name not in self._symbols:
            return None
        if name not in self._made:
            address = self._engine.get_function_address(self._symbols[name])
            self._made[name] = _callable(address, parameters(function), name)
        return self._made[name]


def parameters(function: Callable[..., Any]) -> list[Any]:
    """The annotated types of a kernel's parameters, in order."""
    hints = typing.get_type_hints(function)
    hints.pop("return", None)
    return list(hints.values())


def fields_of(kind: Any) -> list[Any] | None:
    """The types of the parts of a tuple; None if ``kind`` is none."""
    if typing.get_origin(kind) is tuple:
        return list(typing.get_args(kind))
    if isinstance(kind, type) and issubclass(kind, tuple):
        return list(typing.get_type_hints(kind).values())
    return None


def _callable(address: int, kinds: list[Any], name: str) -> Callable[..., int]:
    pieces = [_pieces(kind) for kind in kinds]
    width = sum(words_of(kind) for kind in kinds)
    native = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int64] * width)(address)

    def call(*arguments: Any) -> int:
        answer, problem = ctypes.c_int64(), ctypes.c_void_p()
        words = [word for take, argument in zip(pieces, arguments, strict=True) for word in take(argument)]
        status = native(ctypes.addressof(answer), ctypes.addressof(problem), *words)
        if status not in (0, -2):  # numba's codes: fine, and fine with None
            raise RuntimeError(f"the kernel {name} failed with status {status}")
        return answer.value

    return call


def words_of(kind: Any) -> int:
    """How many machine words a parameter of this type takes."""
    parts = fields_of(kind)
    if parts is not None:
        return sum(map(words_of, parts))
    return 1 if kind is int else _ARRAY


def _pieces(kind: Any) -> Pieces:
    """How an argument of this type becomes machine words."""
    parts = fields_of(kind)
    if parts is not None:
        takes = [_pieces(part) for part in parts]
        return lambda value: (word for take, part in zip(takes, value, strict=True) for word in take(part))
    return _number if kind is int else _array_words


def _number(value: Any) -> Iterator[int]:
    yield int(value)


def _array_words(value: Any) -> Iterator[int]:
    assert isinstance(value, np.ndarray)
    assert value.flags.c_contiguous
    size, item = value.size, value.itemsize
    return iter((0, 0, size, item, value.__array_interface__["data"][0], size, item))


def image_name() -> str:
    """The name of the image of these sources on this kind of machine."""
    digest = hashlib.sha256(f"{ABI} {platform.system()} {platform.machine()} {sys.byteorder} {KERNELS}".encode())
    modules = sorted({*(entry.partition(":")[0] for entry in KERNELS), *MADE_FROM})
    for module in modules:
        found = find_spec(module)
        assert found is not None
        assert found.origin is not None
        digest.update(Path(found.origin).read_bytes())
    return f"kernels-{digest.hexdigest()[:20]}.bin"


def cache_directory() -> Path:
    """Where images of this user are kept."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "splitbrain"


@cache
def find_image() -> Image | None:
    """The image of these sources, if one is there and whole."""
    if find_spec("llvmlite") is None:
        return None
    name = image_name()
    for directory in (HERE, cache_directory()):
        compilation = read(directory / name)
        if compilation is not None:
            return Image(compilation)
    return None


@cache
def make_image() -> Image:
    """The image, compiled now, and kept for the next time if there is a place."""
    from checkers.kernels.build import build

    path = cache_directory() / image_name()
    logging.getLogger("splitbrain").warning(
        "compiling the kernels of the checkers, once for this machine and version (about half a minute), into %s", path
    )
    compilation = build()
    with suppress(OSError):
        save(compilation, path)
    return Image(compilation)


def save(compilation: Compilation, path: Path) -> Path:
    """Write the image to ``path``, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    head = {"sha256": hashlib.sha256(compilation.code).hexdigest(), "symbols": compilation.symbols}
    part = path.with_suffix(f".{os.getpid()}")
    part.write_bytes(json.dumps(head).encode() + b"\n" + compilation.code)
    part.replace(path)
    return path


def read(path: Path) -> Compilation | None:
    """The image at ``path``; None if there is none, or a broken one."""
    try:
        head, _, code = path.read_bytes().partition(b"\n")
        told = json.loads(head)
        whole = told["sha256"] == hashlib.sha256(code).hexdigest()
        symbols = {str(name): str(symbol) for name, symbol in told["symbols"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Compilation(symbols=symbols, code=code) if whole else None


def kernels() -> dict[str, FunctionType]:
    """Every kernel by its name."""
    found = {}
    for entry in KERNELS:
        module, _, attribute = entry.partition(":")
        found[entry] = getattr(import_module(module), attribute)
    return found
