"""The engine's frames, in whatever pieces they come."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.containers.frames import ERROR, OUTPUT, Frames

FRAMES = st.lists(st.tuples(st.sampled_from([OUTPUT, ERROR]), st.binary(max_size=40)), max_size=12)


def wire(frames: list[tuple[int, bytes]]) -> bytes:
    return b"".join(struct.pack(">BBBBI", stream, 0, 0, 0, len(data)) + data for stream, data in frames)


@given(FRAMES, st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_pieces_do_not_matter(frames: list[tuple[int, bytes]], sizes: list[int]) -> None:
    reader, found, data = Frames(), [], wire(frames)
    place = 0
    while data:
        size = sizes[place % len(sizes)]
        found += reader.feed(data[:size])
        data, place = data[size:], place + 1
    assert found == frames


def test_a_stream_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="stream 72"):
        Frames().feed(b"HTTP/1.1 200 OK")
