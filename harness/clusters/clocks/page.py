"""What is written where in a process's copy of the vDSO: whose it is, our functions, the jumps to them. Pure.

Behind the end of the image there is room till the end of its last page, as a rule; else our functions live inside the body of
clock_gettime, which nobody enters any more once its first bytes are a jump.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from harness.clusters.clocks.blob import BLOB, ENTRIES, ENTRY, FIRST_ENTRY, FUNCTIONS, LIVE
from harness.clusters.clocks.vdso import Image, Unfit

MAGIC = b"splitbrain clock"
OWNER_MAX = 112  # bytes for the mark of the controller whose doing it is
HEADER = len(MAGIC) + OWNER_MAX
_ALIGNED = 16
_NS, _RATE = 10**9, 2**32
JUMP = 5  # bytes of a jump: E9 and a distance of four bytes
_FIRST = "__vdso_clock_gettime"

Write = tuple[int, bytes]  # where in the image, what


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How wrong a clock is from ``since_s`` (true seconds since the epoch) on: as ``targets.node.wallclock.Skew`` says."""

    since_s: float
    offset_s: float = 0.0
    drift: float = 0.0
    strobe_period_s: float = 0.0

    def entry(self) -> bytes:
        numbers = (self.offset_s * _NS, self.since_s * _NS, self.drift * _RATE, self.strobe_period_s * _NS)
        return ENTRY.pack(*(round(number) for number in numbers))


RIGHT = Setting(since_s=0.0)


class Page:
    """Pure: what to write into a copy of this image. Raises Unfit if it has not what it takes."""

    def __init__(self, image: Image) -> None:
        self.image = image
        missing = [name for name in FUNCTIONS if name not in image.functions]
        if missing:
            raise Unfit(f"the vDSO has no {missing[0]}")
        self._header, inside = _room(image)
        self._blob = self._header + HEADER
        entries = {name: image.functions[name][0] for name in FUNCTIONS}
        # Where no thread may be about to go on when code changes: within the bytes of a jump, but not at its first.
        self.unsafe = [range(at + 1, at + JUMP) for at in entries.values()]
        if inside:
            at, size = image.functions[_FIRST]
            self.unsafe.append(range(at + 1, at + size))
        jumps = {at: self._blob + FUNCTIONS[name] - (at + JUMP) for name, at in entries.items()}
        self._jumps: list[Write] = [(at, b"\xe9" + struct.pack("<i", distance)) for at, distance in jumps.items()]
        self._restored: list[Write] = [(at, image.data[at : at + JUMP]) for at in jumps]
        if inside:
            self._restored.append((self._header, image.data[self._header : self._blob + len(BLOB)]))
        else:  # our functions stay, with the right time: a thread may be within them
            self._restored.append((self._header, bytes(HEADER)))

    def owner(self, data: bytes) -> str | None:
        """Whose the wrong clock in this copy is; None if the copy is not ours."""
        header = data[self._header : self._header + HEADER]
        return header[len(MAGIC) :].rstrip(b"\0").decode(errors="replace") if header.startswith(MAGIC) else None

    def fresh(self, data: bytes) -> bool:
        """Whether this copy is the kernel's, but for what ``restore`` leaves of ours where nothing was."""
        end = self._blob + len(BLOB)
        return (data[: self._header], data[end:]) == (self.image.data[: self._header], self.image.data[end:])

    def patch(self, owner: str, setting: Setting) -> list[Write]:
        """Into a fresh copy, while no thread runs."""
        name = owner.encode()[:OWNER_MAX]
        header = MAGIC + name + bytes(OWNER_MAX - len(name))
        blob = BLOB[:FIRST_ENTRY] + setting.entry() + BLOB[FIRST_ENTRY + ENTRY.size :]
        return [(self._header, header), (self._blob, blob), *self._jumps]

    def change(self, setting: Setting, live: int) -> list[Write]:
        """Into a copy that is ours, while it runs; ``live`` is what stands at ``live_at``."""
        number = ((live - FIRST_ENTRY) // ENTRY.size + 1) % ENTRIES
        distance = FIRST_ENTRY + number * ENTRY.size
        return [(self._blob + distance, setting.entry()), (self.live_at, struct.pack("<Q", distance))]

    def restore(self) -> list[Write]:
        """As the kernel made it, while no thread runs; the setting must be right before."""
        return self._restored

    @property
    def live_at(self) -> int:
        """Where eight bytes tell which entry is in use."""
        return self._blob + LIVE


def _room(image: Image) -> tuple[int, bool]:
    """Where our bytes begin, and whether that is inside of clock_gettime."""
    size = HEADER + len(BLOB)
    behind = -(-image.end // _ALIGNED) * _ALIGNED
    if behind + size <= len(image.data) and not any(image.data[behind : behind + size]):
        return behind, False
    at, length = image.functions[_FIRST]
    within = -(-(at + JUMP) // _ALIGNED) * _ALIGNED
    if within + size <= at + length:
        return within, True
    raise Unfit("the vDSO has no room for other clock functions")
