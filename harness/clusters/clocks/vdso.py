"""The vDSO as the kernel made it: an ELF image in memory (elf(5), vdso(7)), read as bytes. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

X86_64 = 62  # e_machine
_MACHINES = {3: "i386", 40: "arm", X86_64: "x86-64", 183: "aarch64", 243: "riscv"}
_LOADED, _DYNAMIC = 1, 2  # types of program headers
_HASH, _STRINGS, _SYMBOLS = 4, 5, 6  # tags of the dynamic section
_PROGRAM_HEADER, _SECTION_HEADER, _SYMBOL = struct.Struct("<IIQQQQQQ"), struct.Struct("<IIQQQQIIQQ"), 24


class Unfit(Exception):  # noqa: N818 - what it is, not whose fault
    """This image is not one whose clocks can be set wrong; says why, as a clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """``functions``: where each begins and how long it is, by name. ``end``: behind it nothing of the file is left."""

    data: bytes
    functions: dict[str, tuple[int, int]]
    end: int


def read(data: bytes) -> Image:
    """All that is needed of the image, which is as long as its mapping. Raises Unfit."""
    if data[:5] != b"\x7fELF\x02":
        raise Unfit("the vDSO is no 64-bit ELF image")
    machine = struct.unpack_from("<H", data, 18)[0]
    if machine != X86_64:
        raise Unfit(
            f"the clock functions of splitbrain are for x86-64, not for {_MACHINES.get(machine, f'machine {machine}')}"
        )
    try:
        return Image(data=data, functions=dict(_functions(data)), end=_end(data))
    except (struct.error, KeyError, ValueError) as error:
        raise Unfit(f"the vDSO cannot be read ({error!r})") from error


def _program_headers(data: bytes) -> Iterator[tuple[int, ...]]:
    (at,), (count,) = struct.unpack_from("<Q", data, 32), struct.unpack_from("<H", data, 56)
    for number in range(count):
        yield _PROGRAM_HEADER.unpack_from(data, at + number * _PROGRAM_HEADER.size)


def _functions(data: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
    """The image's dynamic symbols. Addresses in it are distances from its beginning."""
    (dynamic,) = (offset for kind, _, offset, *_ in _program_headers(data) if kind == _DYNAMIC)
    tags: dict[int, int] = {}
    while (pair := struct.unpack_from("<qQ", data, dynamic))[0] != 0:
        tags[pair[0]] = pair[1]
        dynamic += 16
    symbols, strings = tags[_SYMBOLS], tags[_STRINGS]
    # The older table of hashes tells how many there are; without it, the names come right behind them, as linkers lay them.
    count = struct.unpack_from("<I", data, tags[_HASH] + 4)[0] if _HASH in tags else (strings - symbols) // _SYMBOL
    for number in range(count):
        name_at, _, _, _, value, size = struct.unpack_from("<IBBHQQ", data, symbols + number * _SYMBOL)
        name = data[strings + name_at : data.index(b"\0", strings + name_at)].decode("ascii")
        if name and value:
            yield name, (value, size)


def _end(data: bytes) -> int:
    """Where the last of it ends: segments, section headers, sections. Debuggers read those, so they are kept."""
    ends = [offset + in_file for kind, _, offset, _, _, in_file, *_ in _program_headers(data) if kind == _LOADED]
    (at,), (count,) = struct.unpack_from("<Q", data, 40), struct.unpack_from("<H", data, 60)
    ends.append(at + count * _SECTION_HEADER.size)
    end = max(ends)
    if not 0 < end <= len(data):
        raise ValueError(f"it ends at {end} of {len(data)}")
    return end
