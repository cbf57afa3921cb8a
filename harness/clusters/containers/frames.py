"""How the engine carries a container's output: standard output and error in turns, each piece with a header of eight bytes. Pure.

See the Docker Engine API, "Attach to a container", stream format: stream (1 output, 2 error), three zero bytes, length (big-endian).
"""

from __future__ import annotations

import struct

OUTPUT, ERROR = 1, 2
_HEADER = struct.Struct(">BxxxI")


class Frames:
    """Takes what arrives in any pieces, gives (stream, data)."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The frames that are complete now. Raises ValueError for a stream that does not exist: the two ends are out of step."""
        buffer = self._rest + data
        found, at = [], 0
        while at + _HEADER.size <= len(buffer):
            stream, length = _HEADER.unpack_from(buffer, at)
            if stream > ERROR:
                raise ValueError(f"the engine sent a frame of stream {stream}")
            start = at + _HEADER.size
            if start + length > len(buffer):
                break
            found.append((stream, buffer[start : start + length]))
            at = start + length
        self._rest = buffer[at:]
        return found
