"""How data are damaged: at rest (a bit flips, a file loses its end), or on their way (a write stops short, or lands elsewhere)."""

from __future__ import annotations

import random

from harness.clusters.disks.fates import Write

SECTOR = 512  # what a disk writes as a whole, and the grid on which a write goes astray


def flip(length: int, bits: int, dice: random.Random) -> list[tuple[int, int]]:
    """(byte, mask) of ``bits`` different bits of a file of that length."""
    chosen = dice.sample(range(8 * length), min(bits, 8 * length))
    return [(bit // 8, 1 << bit % 8) for bit in chosen]


def cut(length: int, dice: random.Random) -> int:
    """How long a file of that length is when it has lost its end: at least one byte less."""
    return dice.randrange(length)


def torn(at: int, data: bytes, dice: random.Random) -> list[Write]:
    """The first part of the write alone; the file is as long as if it were all there."""
    kept = dice.randrange(len(data)) if data else 0
    return [(at + len(data), b""), (at, data[:kept])]


def astray(at: int, data: bytes, size: int, dice: random.Random) -> list[Write]:
    """The write, on another place of the file: another sector, or, in a file of one sector, another byte. Its own place stays as it was."""
    end = max(size, at + len(data))
    places = [place for place in range(0, end, SECTOR) if place != at] or [place for place in range(end) if place != at]
    elsewhere: list[Write] = [(at + len(data), b"")]
    return [*elsewhere, (dice.choice(places), data[: max(0, end)])] if places else elsewhere
