"""Records in an append-only file, framed so that a tail that a crash tore is recognised and left out, and damage is told from it.

A record is 4 bytes length, 4 bytes CRC-32 (both big-endian), then the payload. The checksum covers the length too, so that a tail of
zeros (the file had grown, its data had not been written) is no record.

Whoever makes records durable by ``seal`` can tell later what a crash tore from what was damaged on the disk: a crash tears only what was
never synced. A bad record with a seal somewhere behind it had been synced.
"""

from __future__ import annotations

import struct
import zlib

from targets.node.env import Storage

_HEAD = struct.Struct(">II")
_LENGTH = struct.Struct(">I")


class Damaged(Exception):  # noqa: N818 - what the data are
    """The disk does not give back what was synced."""


def frame(payload: bytes) -> bytes:
    """The bytes to append for one record."""
    return _HEAD.pack(len(payload), _checksum(payload)) + payload


def unframe(data: bytes, *, checked: bool = True) -> tuple[list[bytes], int]:
    """The payloads of all whole records from the start of ``data``, without seals, and how many bytes they take.

    If that is less than ``len(data)``, the rest was torn by a crash and was never synced: cut it off (``replace`` the file by
    ``data[:taken]``) before appending again, or what is appended behind it will be lost with it.
    """
    payloads = []
    taken = 0
    while taken + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, taken)
        end = taken + _HEAD.size + length
        payload = data[taken + _HEAD.size : end]
        if end > len(data) or (checked and checksum != _checksum(payload)):
            break
        if payload != _SEALED:
            payloads.append(payload)
        taken = end
    return payloads, taken


def seal(storage: Storage, name: str) -> None:
    """All that was appended to the file is durable when this returns, and what is behind it says so.

    A seal may not be written before all that it stands for is durable: one that a disk keeps of unsynced writes, without those before it,
    would call a crash damage. And it is durable itself, or damage of the last records could be taken for a crash.
    """
    storage.sync(name)
    storage.append(name, SEAL)
    storage.sync(name)


def check(data: bytes, taken: int) -> None:
    """Raises Damaged if what stands behind the first ``taken`` bytes, which no record is, had been synced."""
    if data.find(SEAL, taken) >= 0:
        raise Damaged(f"a record at byte {taken} of {len(data)} is not what was written there")


def whole(data: bytes) -> bytes:
    """The payload of the one record that the file is; empty if the file is. Raises Damaged."""
    payloads, taken = unframe(data)
    if taken < len(data) or len(payloads) > 1:
        raise Damaged(f"{len(data)} bytes are not the record that was written")
    return payloads[0] if payloads else b""


def _checksum(payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(_LENGTH.pack(len(payload))))


_SEALED = b"\0sealed"  # no payload of anybody's: it is neither text nor JSON
SEAL = frame(_SEALED)
