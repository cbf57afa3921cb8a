"""Records as bytes, and chunks as files: what was put in comes out, and damage is never taken for data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.dfs.gfs.chunk import BLOCK, Corrupt, Replica, decode, encode, overwritten
from targets.dfs.gfs.content import NO_RECORD, WORD, appended, content, written

RECORDS = st.integers(0, 5)
PIECES = st.lists(st.tuples(st.sampled_from(("append", "write", "padding")), RECORDS, st.integers(1, 4)), max_size=8)
REPLICAS = st.builds(Replica, st.integers(0, 2**40), st.integers(0, 2**20), st.binary(max_size=3 * BLOCK))


@given(PIECES)
def test_what_was_put_into_a_file_comes_out_of_it(pieces: list[tuple[str, int, int]]) -> None:
    image, expected, last = b"", [], None
    for kind, record, words in pieces:
        goes_on = kind == "write" and last == (kind, record)
        if kind != "padding" and not goes_on:
            expected.append([len(image), record])
        make = {"append": appended, "write": written, "padding": lambda _record, length: bytes(length)}[kind]
        image += make(record, words * WORD)
        last = (kind, record)
    assert content(image) == expected


def test_a_fragment_of_a_record_and_what_is_none_come_as_words() -> None:
    whole = appended(7, 3 * WORD)
    assert content(whole[: 2 * WORD]) == [[0, NO_RECORD]]
    assert content(whole[WORD:] + written(3, WORD)) == [[0, NO_RECORD], [2 * WORD, 3]]
    assert content(b"\xff" * WORD) == [[0, NO_RECORD]]
    assert content(whole + b"\x01") == [[0, 7], [3 * WORD, NO_RECORD]]


@given(st.integers(0, 2**32), REPLICAS)
def test_a_chunk_is_read_as_it_was_written(chunk: int, replica: Replica) -> None:
    assert decode(chunk, encode(chunk, replica)) == replica
    assert decode(chunk, encode(chunk, replica), checked=False) == replica


@given(st.integers(0, 100), REPLICAS, st.data())
def test_no_flipped_bit_no_lost_end_and_no_other_chunk_is_taken_for_it(
    chunk: int, replica: Replica, data: st.DataObject
) -> None:
    file = bytearray(encode(chunk, replica))
    cut = bytes(file[: data.draw(st.integers(0, len(file) - 1), label="cut")])
    bit = data.draw(st.integers(0, 8 * len(file) - 1), label="bit")
    file[bit // 8] ^= 1 << bit % 8
    for damaged in (bytes(file), cut, encode(chunk + 1, replica)):
        with pytest.raises(Corrupt, match=f"chunk {chunk}"):
            decode(chunk, damaged)


@given(st.binary(max_size=20), st.integers(0, 25), st.binary(min_size=1, max_size=10))
def test_a_piece_replaces_what_stood_there(data: bytes, offset: int, piece: bytes) -> None:
    dumb = bytearray(max(len(data), offset + len(piece)))
    dumb[: len(data)] = data
    dumb[offset : offset + len(piece)] = piece
    assert overwritten(data, offset, piece) == bytes(dumb)
