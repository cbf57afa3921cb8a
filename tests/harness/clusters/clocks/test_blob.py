"""Our clock functions: the bytes are those of the source, and they reckon as the node runtime's own skewed clock does."""

from __future__ import annotations

import ctypes
import mmap
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness.clusters.clocks
from harness.clusters.clocks.blob import BLOB, CLOCKS, ENTRIES, ENTRY, FIRST_ENTRY, FUNCTIONS
from harness.clusters.clocks.page import Setting
from targets.node.wallclock import Skew

SKEW = 0xB3  # where the function "skew" begins: the timespec that its second argument points to becomes the wrong one
SOURCE = Path(harness.clusters.clocks.__file__).parent / "blob.S"
runs_here = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="machine code for Linux on x86-64"
)


@runs_here
def test_the_bytes_are_those_of_the_source(tmp_path: Path) -> None:
    if shutil.which("as") is None or shutil.which("objcopy") is None:
        pytest.skip("there is no assembler: apt-get install binutils")
    made, code = tmp_path / "blob.o", tmp_path / "blob.bin"
    subprocess.run(["as", "-o", str(made), str(SOURCE)], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", str(made), str(code)], check=True)
    listed = subprocess.run(["nm", str(made)], check=True, capture_output=True, text=True).stdout
    places = {line.split()[2]: int(line.split()[0], 16) for line in listed.splitlines()}
    assert code.read_bytes() == BLOB
    assert {f"__vdso_{name}": places[name] for name in ("clock_gettime", "gettimeofday", "time")} == FUNCTIONS
    assert (places["live"], places["entries"], places["skew"]) == (0, FIRST_ENTRY, SKEW)


def test_only_clocks_of_the_wall_are_wrong() -> None:
    named = {
        0: "REALTIME",
        1: "MONOTONIC",
        2: "PROCESS_CPUTIME",
        4: "MONOTONIC_RAW",
        5: "REALTIME_COARSE",
        7: "BOOTTIME",
        11: "TAI",
    }
    assert [name for bit, name in named.items() if CLOCKS >> bit & 1] == ["REALTIME", "REALTIME_COARSE", "TAI"]


class Timespec(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_int64), ("nsec", ctypes.c_int64)]

    @property
    def ns(self) -> int:
        return self.sec * 10**9 + self.nsec


@pytest.fixture(scope="module")
def code() -> mmap.mmap:
    room = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    room[: len(BLOB)] = BLOB
    return room


def call(code: mmap.mmap, at: int, result: type, *arguments: object) -> int:
    base = ctypes.addressof(ctypes.c_char.from_buffer(code))
    return ctypes.CFUNCTYPE(result, *(ctypes.c_void_p for _ in arguments))(base + at)(*arguments)


def live(code: mmap.mmap, setting: Setting, number: int) -> None:
    at = FIRST_ENTRY + number * ENTRY.size
    code[at : at + ENTRY.size] = setting.entry()
    code[:8] = at.to_bytes(8, "little")


@runs_here
@given(
    offset_s=st.floats(-1e8, 1e8),
    drift=st.floats(-0.95, 10),
    period_s=st.just(0.0) | st.floats(0.001, 60),
    elapsed_ns=st.integers(0, 10**13),
    number=st.integers(0, ENTRIES - 1),
)
def test_they_reckon_as_the_runtimes_own_clock(
    code: mmap.mmap, offset_s: float, drift: float, period_s: float, elapsed_ns: int, number: int
) -> None:
    since_s = 1_790_000_000.0
    live(code, Setting(since_s=since_s, offset_s=offset_s, drift=drift, strobe_period_s=period_s), number)
    true_ns = int(since_s) * 10**9 + elapsed_ns
    shown = Timespec(*divmod(true_ns, 10**9))
    call(code, SKEW, None, None, ctypes.addressof(shown))
    assert 0 <= shown.nsec < 10**9
    period_ns = round(period_s * 1e9)
    if period_ns and (elapsed_ns // period_ns) % 2 == 1:
        assert shown.ns == true_ns
    else:
        steady = Skew(since_s=0.0, offset_s=offset_s, drift=drift)
        assert shown.ns == pytest.approx(true_ns + steady.shown(elapsed_ns / 1e9) * 1e9 - elapsed_ns, abs=30_000)


@runs_here
def test_the_functions_answer_like_those_of_the_c_library(code: mmap.mmap) -> None:
    live(code, Setting(since_s=0, offset_s=-3600.25), 0)
    told, true, zone = Timespec(), Timespec(), (ctypes.c_int32 * 2)(7, 7)
    libc = ctypes.CDLL(None)
    gettime, gettimeofday, time = FUNCTIONS.values()
    for clock, wrong in ((0, True), (1, False), (5, True), (7, False), (11, True)):
        libc.clock_gettime(clock, ctypes.byref(true))
        assert call(code, gettime, ctypes.c_int, clock, ctypes.addressof(told)) == 0
        assert told.ns - true.ns == pytest.approx(-3600.25e9 if wrong else 0, abs=2e9)
    assert call(code, gettime, ctypes.c_int, 99, ctypes.addressof(told)) == -22  # EINVAL
    assert call(code, gettime, ctypes.c_int, 0, None) == -14  # EFAULT
    libc.clock_gettime(0, ctypes.byref(true))
    assert call(code, gettimeofday, ctypes.c_int, ctypes.addressof(told), ctypes.addressof(zone)) == 0
    assert told.sec + told.nsec / 1e6 - true.ns / 1e9 == pytest.approx(-3600.25, abs=2)
    assert list(zone) == [0, 0]
    assert call(code, gettimeofday, ctypes.c_int, None, None) == 0
    seconds = ctypes.c_int64()
    answer = call(code, time, ctypes.c_int64, ctypes.addressof(seconds))
    assert answer == seconds.value == pytest.approx(true.sec - 3600, abs=3)
    assert call(code, time, ctypes.c_int64, None) == pytest.approx(answer, abs=2)
