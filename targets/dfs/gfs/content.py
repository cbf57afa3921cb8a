"""Records and writes as bytes, and back: what an application of the file system makes of files. Pure.

A file is words of 8 bytes. A word of zeros is padding; any other says of which record it is, and either that it was written, or its place
in an appended record (GFS 2.7.2: records that identify and validate themselves, so that readers pass over padding and fragments).
"""

from __future__ import annotations

import struct
from typing import Any

WORD = 8
RECORD_MAX = 2**32 - 1
_WORD = struct.Struct(">IBBBx")  # record, kind, place, words of the record
_APPENDED, _WRITTEN = 1, 2
_ZERO = bytes(WORD)
NO_RECORD = "no record"

Content = list[list[Any]]  # [[offset, record], ...]


def appended(record: int, length: int) -> bytes:
    """The bytes of an appended record. ``length`` is a multiple of WORD, at most 255 of them."""
    words = length // WORD
    return b"".join([_WORD.pack(record, _APPENDED, place, words) for place in range(words)])


def written(record: int, length: int) -> bytes:
    """``length`` bytes that are all this record's; a multiple of WORD."""
    return _WORD.pack(record, _WRITTEN, 0, 0) * (length // WORD)


def content(image: bytes) -> Content:
    """What a file holds, in the form of ``harness.files``. Bytes that are no record come as a string, once for each stretch of them."""
    found: Content = []
    stretch: int | str | None = None  # what the words up to here are, if that goes on as long as they are alike
    at = 0
    while at < len(image):
        size, entry, single = _entry(image, at)
        if entry is not None and (single or entry != stretch):
            found.append([at, entry])
        stretch = None if single else entry
        at += size
    return found


def _entry(image: bytes, at: int) -> tuple[int, int | str | None, bool]:
    """How many bytes the thing at ``at`` takes, the record that it is (None: padding), and whether it is a whole by itself."""
    word = image[at : at + WORD]
    if word == _ZERO:
        return WORD, None, False
    if len(word) == WORD:
        record, kind, place, words = _WORD.unpack(word)
        if kind == _WRITTEN and word == written(record, WORD):
            return WORD, record, False
        if (
            kind == _APPENDED
            and place == 0
            and words
            and image[at : at + words * WORD] == appended(record, words * WORD)
        ):
            return words * WORD, record, True
    return WORD, NO_RECORD, False
