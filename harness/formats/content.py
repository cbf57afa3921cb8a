"""What stands in a file: its bytes, unzipped; of a large one a map, so that to read it piece by piece takes the memory of a piece."""

from __future__ import annotations

import gzip
import io
import mmap
import zlib
from pathlib import Path
from typing import IO

from harness.errors import HistoryError

# A map can be cut like bytes; the whole of it, as bytes, is data[:].
Data = bytes | mmap.mmap
MAP_FROM_BYTES = 1 << 24
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


def contained(path: Path, expected: str) -> Data:
    """The content of the file, without byte order mark. ``expected`` says what a history is. Raises HistoryError."""
    try:
        with path.open("rb") as file:
            large = file.seek(0, io.SEEK_END) >= MAP_FROM_BYTES
            file.seek(0)
            data: Data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if large else file.read()
    except FileNotFoundError as error:
        raise HistoryError(f"{path} does not exist; {expected}") from error
    except IsADirectoryError as error:
        raise HistoryError(f"{path} is a directory; give the history in it, such as history.jsonl") from error
    except (OSError, ValueError) as error:  # a NUL in the name is a ValueError
        raise HistoryError(f"{path} cannot be read: {error}") from error
    if begins(data, _GZIP):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise HistoryError(f"{path} is a broken gzip file: {error}; unpack what can be saved of it") from error
    return data[len(_BOM) :] if begins(data, _BOM) else data


def begins(data: Data, start: bytes) -> bool:
    """Whether it begins with that."""
    return data[: len(start)] == start


def forget(data: Data, end: int) -> None:
    """What stands before ``end`` will not be read again: it need not stay in memory."""
    if isinstance(data, mmap.mmap) and hasattr(data, "madvise"):
        data.madvise(mmap.MADV_DONTNEED, 0, end - end % mmap.PAGESIZE)


def stream(data: Data) -> IO[bytes]:
    """To be read from beginning to end."""
    return io.BytesIO(data) if isinstance(data, bytes) else io.BufferedReader(_Pieces(data))


class _Pieces(io.RawIOBase):
    """A map as a stream."""

    def __init__(self, data: Data) -> None:
        self._data, self._at = data, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # of the buffers that there are, these
        piece = self._data[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        forget(self._data, self._at)
        return len(piece)
