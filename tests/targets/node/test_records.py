"""Records: whatever a crash leaves of the tail, the records before it are read and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.node.records import SEAL, Damaged, check, frame, unframe, whole

# Nobody's payload looks like a seal: it would be taken for one.
PAYLOADS = st.lists(
    st.binary(max_size=20).filter(lambda payload: frame(payload) != SEAL and SEAL not in payload), max_size=6
)


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


@given(st.lists(PAYLOADS, min_size=1, max_size=4), PAYLOADS, st.data())
def test_damage_is_told_from_a_torn_tail(batches: list[list[bytes]], last: list[bytes], draw: st.DataObject) -> None:
    """Whatever bit of what was synced flips, records are missing only if that is noticed; whatever a crash tears off, nothing is said."""
    synced = b"".join(b"".join(map(frame, batch)) + SEAL for batch in batches)
    fresh = b"".join(map(frame, last))
    wanted = [payload for batch in batches for payload in batch]

    torn = synced + fresh[: draw.draw(st.integers(0, len(fresh)))]
    payloads, taken = unframe(torn)
    check(torn, taken)
    assert payloads[: len(wanted)] == wanted

    damaged = bytearray(synced)
    place = draw.draw(st.integers(0, 8 * len(damaged) - 1))
    damaged[place // 8] ^= 1 << place % 8
    payloads, taken = unframe(bytes(damaged))
    try:
        check(bytes(damaged), taken)
    except Damaged:
        return
    assert payloads == wanted, "only the last seal was hit"


@given(st.binary(min_size=1, max_size=30).filter(lambda payload: frame(payload) != SEAL), st.data())
def test_a_file_of_one_record_is_whole_or_damaged(payload: bytes, draw: st.DataObject) -> None:
    data = frame(payload)
    assert (whole(data), whole(b"")) == (payload, b"")
    damaged = bytearray(data)
    place = draw.draw(st.integers(0, 8 * len(data) - 1))
    damaged[place // 8] ^= 1 << place % 8
    for bad in (bytes(damaged), data[: draw.draw(st.integers(1, len(data) - 1))], data + b"\0"):
        with pytest.raises(Damaged):
            whole(bad)
