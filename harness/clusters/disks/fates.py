"""What a power loss leaves of writes that were not synced, as on a disk whose cache had written back some of them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from harness.effects import KEPT, LOST, REORDERED, TORN

# A write: where, and what; None: the file was cut or grown to that length.
Write = tuple[int, bytes | None]
KEEP_SHARE = 0.5  # of writes whose order is not kept


def survivors(fate: str, writes: Sequence[Write], dice: random.Random) -> list[Write]:
    """Those writes, or parts of them, that the disk has; in order."""
    first = dice.randrange(
        size(writes) + 1
    )  # drawn whatever the fate is, so that what is drawn later does not depend on it
    if fate == LOST:
        return []
    if fate == KEPT:
        return list(writes)
    if fate == TORN:
        return _torn(writes, first)
    if fate == REORDERED:
        return [write for write in writes if dice.random() < KEEP_SHARE]
    return [(at, None if data is None else bytes(len(data))) for at, data in writes]


def _torn(writes: Sequence[Write], left: int) -> list[Write]:
    """The first ``left`` bytes of the writes."""
    kept: list[Write] = []
    for at, data in writes:
        if data is None:
            kept.append((at, None))
            continue
        if left <= 0:
            break
        kept.append((at, data[:left]))
        left -= len(data)
    return kept


def apply(image: bytearray, writes: Sequence[Write]) -> None:
    """Do these writes to a file's content."""
    for at, data in writes:
        end = at + len(data or b"")
        if len(image) < end or data is None:
            image.extend(bytes(max(0, end - len(image))))
        if data is None:
            del image[at:]
        else:
            image[at:end] = data


def size(writes: Sequence[Write]) -> int:
    """How many bytes these writes carry."""
    return sum(len(data or b"") for _, data in writes)
