"""What is written into a process's copy of the image: it can be told, changed, and taken back to the last byte."""

from __future__ import annotations

import struct

import pytest

from harness.clusters.clocks import vdso
from harness.clusters.clocks.blob import BLOB, ENTRIES, ENTRY, FUNCTIONS
from harness.clusters.clocks.page import HEADER, OWNER_MAX, RIGHT, Page, Setting, Write
from harness.clusters.clocks.vdso import Unfit
from harness.mark import mine
from tests.harness.clusters.clocks.test_vdso import PLAIN, image

OWNER = "4711-1234567-0123456789ab-4026531836"
SLOW = Setting(since_s=1e9, offset_s=-60, drift=0.5, strobe_period_s=0.25)
BEHIND = image(PLAIN)
WITHIN = image(PLAIN, size=0x1000)  # no room behind the end


def written(data: bytes, writes: list[Write]) -> bytes:
    changed = bytearray(data)
    for at, what in writes:
        changed[at : at + len(what)] = what
    assert len(changed) == len(data)
    return bytes(changed)


@pytest.mark.parametrize("data", [BEHIND, WITHIN], ids=["behind the end", "within clock_gettime"])
def test_a_patch_is_told_and_taken_back(data: bytes) -> None:
    page = Page(vdso.read(data))
    assert page.owner(data) is None
    assert page.fresh(data)
    patched = written(data, page.patch(OWNER, SLOW))
    assert page.owner(patched) == OWNER
    assert not page.fresh(patched)
    for name, (at, _) in PLAIN.items():
        assert patched[at] == 0xE9
        target = at + 5 + struct.unpack_from("<i", patched, at + 1)[0]
        assert patched[target:].startswith(BLOB[FUNCTIONS[name] : FUNCTIONS[name] + 16])
    restored = written(patched, page.restore())
    assert page.owner(restored) is None
    assert page.fresh(restored)
    code = slice(min(at for at, _ in PLAIN.values()), max(at + length for at, length in PLAIN.values()))
    assert restored[code] == data[code]


def test_within_clock_gettime_no_thread_may_stand_anywhere_in_it() -> None:
    at, length = PLAIN["__vdso_clock_gettime"]
    behind, within = (Page(vdso.read(data)) for data in (BEHIND, WITHIN))
    assert {at + 1, at + 4} <= {place for unsafe in behind.unsafe for place in unsafe}
    assert not any(at + 5 in unsafe or at in unsafe for unsafe in behind.unsafe)
    assert any(at + length - 1 in unsafe for unsafe in within.unsafe)
    restored = written(written(WITHIN, within.patch(OWNER, SLOW)), within.restore())
    assert restored == WITHIN


def test_each_change_fills_an_entry_that_is_not_in_use_and_then_makes_it_live() -> None:
    page = Page(vdso.read(BEHIND))
    data = written(BEHIND, page.patch(OWNER, RIGHT))
    used = []
    for number in range(2 * ENTRIES):
        live = int.from_bytes(data[page.live_at : page.live_at + 8], "little")
        used.append(live)
        setting = Setting(since_s=0, offset_s=float(number))
        (at, entry), (last, flip) = page.change(setting, live)
        assert last == page.live_at
        assert page.live_at % 8 == 0
        assert at not in range(page.live_at + live - ENTRY.size + 1, page.live_at + live + ENTRY.size)
        assert ENTRY.unpack(entry) == (number * 10**9, 0, 0, 0)
        data = written(data, [(at, entry), (last, flip)])
    assert len(set(used)) == ENTRIES
    assert used[:ENTRIES] == used[ENTRIES:]


def test_a_controllers_mark_fits() -> None:
    assert len(str(mine())) < OWNER_MAX


def test_where_there_is_no_room_it_says_so() -> None:
    small = {**PLAIN, "__vdso_clock_gettime": (0x400, HEADER + len(BLOB))}
    with pytest.raises(Unfit, match="no room"):
        Page(vdso.read(image(small, size=0x1000)))
