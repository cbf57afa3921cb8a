"""Records: whatever a crash leaves of the tail, the records before it are read and nothing else is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from targets.node.records import frame, unframe

PAYLOADS = st.lists(st.binary(max_size=20), max_size=6)


@given(PAYLOADS)
def test_what_was_framed_is_read(payloads: list[bytes]) -> None:
    data = b"".join(map(frame, payloads))
    assert unframe(data) == (payloads, len(data))


@given(PAYLOADS, st.data())
def test_a_cut_tail_loses_the_records_that_it_cuts_and_no_other(payloads: list[bytes], draw: st.DataObject) -> None:
    frames = [frame(payload) for payload in payloads]
    data = b"".join(frames)
    end = draw.draw(st.integers(0, len(data)))
    whole = [n for n in range(len(frames) + 1) if len(b"".join(frames[:n])) <= end][-1]
    assert unframe(data[:end]) == (payloads[:whole], len(b"".join(frames[:whole])))


@given(PAYLOADS, st.binary(min_size=1, max_size=20), st.data())
def test_a_flipped_bit_is_noticed(payloads: list[bytes], last: bytes, draw: st.DataObject) -> None:
    before = b"".join(map(frame, payloads))
    damaged = bytearray(frame(last))
    place = draw.draw(st.integers(0, len(damaged) * 8 - 1))
    damaged[place // 8] ^= 1 << place % 8
    assert unframe(before + bytes(damaged)) == (payloads, len(before))


@given(PAYLOADS, st.integers(0, 40))
def test_zeros_are_no_records(payloads: list[bytes], zeros: int) -> None:
    data = b"".join(map(frame, payloads))
    assert unframe(data + bytes(zeros)) == (payloads, len(data))
