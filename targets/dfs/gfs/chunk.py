"""The file of one replica of a chunk: a head, the data, and a checksum of each block of them (GFS 5.2: 64 KB there, 64 bytes here). Pure.

Checksums are seeded with the chunk and the block, so that data of another place are no data of this one.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

BLOCK = 64
_HEAD = struct.Struct(">QQI")  # version, serial, length of the data
_SUM = struct.Struct(">I")
_PLACE = struct.Struct(">QI")
_DATA = _HEAD.size + _SUM.size
_OF_THE_HEAD = 2**32 - 1


class Corrupt(Exception):  # noqa: N818 - what the data are
    """The disk does not give back what was written."""


class Replica(NamedTuple):
    """What the file holds. ``serial``: of the last change under this version."""

    version: int
    serial: int
    data: bytes


def encode(chunk: int, replica: Replica) -> bytes:
    """The file of this replica of ``chunk``."""
    head = _HEAD.pack(replica.version, replica.serial, len(replica.data))
    sums = [_SUM.pack(_sum(chunk, number, block)) for number, block in enumerate(_blocks(replica.data))]
    return b"".join([head, _SUM.pack(_sum(chunk, _OF_THE_HEAD, head)), replica.data, *sums])


def decode(chunk: int, file: bytes, *, checked: bool = True) -> Replica:
    """What ``file`` holds. Raises Corrupt; unchecked, only if there is no head."""
    if len(file) < _DATA:
        raise Corrupt(f"chunk {chunk}: {len(file)} bytes are no head")
    version, serial, length = _HEAD.unpack_from(file)
    data = file[_DATA : _DATA + length]
    replica = Replica(version, serial, data)
    if checked and encode(chunk, replica) != file:
        raise Corrupt(f"chunk {chunk}: {_where(chunk, replica, file)} is not what was written")
    return replica


def overwritten(data: bytes, offset: int, piece: bytes) -> bytes:
    """``data`` with ``piece`` at ``offset``; a gap before it is padding."""
    return data[:offset].ljust(offset, b"\0") + piece + data[offset + len(piece) :]


def _where(chunk: int, replica: Replica, file: bytes) -> str:
    good = encode(chunk, replica)
    if good[:_DATA] != file[:_DATA] or len(good) != len(file):
        return "the head"
    first = next(at for at in range(_DATA, len(good)) if good[at] != file[at])
    return f"block {(first - _DATA - len(replica.data)) // _SUM.size}"


def _blocks(data: bytes) -> list[bytes]:
    return [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]


def _sum(chunk: int, number: int, data: bytes) -> int:
    return zlib.crc32(data, zlib.crc32(_PLACE.pack(chunk, number)))
