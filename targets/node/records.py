"""Records in an append-only file, framed so that a tail that a crash tore is recognised and left out.

A record is 4 bytes length, 4 bytes CRC-32 (both big-endian), then the payload. The checksum covers the length too, so that a tail of
zeros (the file had grown, its data had not been written) is no record.
"""

from __future__ import annotations

import struct
import zlib

_HEAD = struct.Struct(">II")
_LENGTH = struct.Struct(">I")


def frame(payload: bytes) -> bytes:
    """The bytes to append for one record."""
    return _HEAD.pack(len(payload), _checksum(payload)) + payload


def unframe(data: bytes) -> tuple[list[bytes], int]:
    """The payloads of all whole records from the start of ``data``, and how many bytes they take.

    If that is less than ``len(data)``, the rest was torn by a crash and was never synced: cut it off (``replace`` the file by
    ``data[:taken]``) before appending again, or what is appended behind it will be lost with it.
    """
    payloads = []
    taken = 0
    while taken + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, taken)
        end = taken + _HEAD.size + length
        payload = data[taken + _HEAD.size : end]
        if end > len(data) or checksum != _checksum(payload):
            break
        payloads.append(payload)
        taken = end
    return payloads, taken


def _checksum(payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(_LENGTH.pack(len(payload))))
