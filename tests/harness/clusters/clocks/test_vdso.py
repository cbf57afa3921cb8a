"""The kernel's image, read as bytes: this machine's own, one that is made here, and what is none."""

from __future__ import annotations

import platform
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.clocks import vdso
from harness.clusters.clocks.blob import FUNCTIONS
from harness.clusters.clocks.memory import own_page
from harness.clusters.clocks.page import Page
from harness.clusters.clocks.vdso import Unfit


def image(functions: dict[str, tuple[int, int]], *, size: int = 0x2000, end: int = 0x1000, machine: int = 62) -> bytes:
    """An ELF image with these functions, whose file ends at ``end`` of ``size``. Its tables stand in front of the code."""
    data = bytearray(size)
    data[:64] = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 3, machine, 1, 0, 64, end - 64, 0, 64, 56, 2, 64, 1, 0
    )
    data[64:120] = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, end - 64, end - 64, 4096)
    data[120:176] = struct.pack("<IIQQQQQQ", 2, 4, 0x100, 0x100, 0x100, 64, 64, 8)
    names, symbols = b"\0", bytes(24)
    for name, (at, length) in functions.items():
        symbols += struct.pack("<IBBHQQ", len(names), 0x12, 0, 1, at, length)
        names += name.encode() + b"\0"
    tags = [(4, 0x180), (6, 0x1C0), (5, 0x1C0 + len(symbols)), (0, 0)]
    data[0x100 : 0x100 + 16 * len(tags)] = b"".join(struct.pack("<qQ", *tag) for tag in tags)
    data[0x180:0x188] = struct.pack("<II", 1, 1 + len(functions))
    data[0x1C0 : 0x1C0 + len(symbols + names)] = symbols + names
    for at, length in functions.values():
        data[at : at + length] = b"\x90" * (length - 1) + b"\xc3"
    return bytes(data)


PLAIN = {"__vdso_clock_gettime": (0x400, 0x386), "__vdso_gettimeofday": (0x800, 0x100), "__vdso_time": (0x900, 0x40)}


def test_functions_and_the_end_are_found() -> None:
    read = vdso.read(image(PLAIN))
    assert read.functions == PLAIN
    assert read.end == 0x1000
    assert len(read.data) == 0x2000


@pytest.mark.skipif(platform.machine() != "x86_64", reason="another machine has another image")
def test_this_machines_own_has_what_it_takes() -> None:
    assert set(FUNCTIONS) <= set(own_page().image.functions)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no 64-bit ELF image"),
        (b"\x7fELF\x01" + bytes(4091), "no 64-bit ELF image"),
        (image(PLAIN, machine=183), "not for aarch64"),
        (image(PLAIN, machine=999), "not for machine 999"),
        (image(PLAIN, end=0x3000), "cannot be read"),
    ],
)
def test_what_is_unfit_says_why(data: bytes, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        vdso.read(data)


def test_without_one_of_the_functions_there_is_no_page() -> None:
    functions = {name: place for name, place in PLAIN.items() if name != "__vdso_time"}
    with pytest.raises(Unfit, match="has no __vdso_time"):
        Page(vdso.read(image(functions)))


@given(st.integers(0, 0x1FFF), st.binary(min_size=1, max_size=8))
def test_damage_is_unfit_and_nothing_else(at: int, damage: bytes) -> None:
    data = bytearray(image(PLAIN))
    data[at : at + len(damage)] = damage
    try:
        read = vdso.read(bytes(data[:0x2000]))
    except Unfit:
        return
    assert read.end <= 0x2000
