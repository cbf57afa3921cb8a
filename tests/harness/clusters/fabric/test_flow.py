"""What a stream suffers from a link: late, in order, complete, or given up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.fabric.flow import RESEND_MAX_S, RESEND_S, SEGMENT_MAX, TRIES, Flow
from harness.clusters.fabric.links import NONE, RATE_WAIT_S, Line
from harness.effects import PacketShape

LINK = ("n1", "n2")


def flow(shape: PacketShape | None = None, seed: int = 1) -> tuple[Flow, Line]:
    line = Line(seed, LINK, NONE)
    line.shape = shape
    return Flow(line), line


def test_a_healthy_link_delivers_at_once() -> None:
    stream, line = flow()
    assert stream.arrives_s(5.0, 10 * SEGMENT_MAX) == pytest.approx(5.0)
    assert line.tally.sent == 10


def test_a_delay_is_that_of_the_link() -> None:
    stream, _ = flow(PacketShape(delay_s=0.1))
    assert stream.arrives_s(1.0, 100) == pytest.approx(1.1)


def test_a_lost_segment_comes_after_a_timeout_that_doubles() -> None:
    waits_s, total_s = set(), 0.0
    for number in range(4):
        waits_s.add(round(total_s, 6))
        total_s += min(RESEND_S * 2**number, RESEND_MAX_S)
    seen = set()
    for seed in range(300):
        stream, _ = flow(PacketShape(loss=0.5), seed)
        seen.add(round(stream.arrives_s(0.0, 100) or 0.0, 6))
    assert waits_s <= seen


def test_a_link_that_loses_all_ends_the_connection() -> None:
    stream, line = flow(PacketShape(loss=1.0))
    assert stream.arrives_s(0.0, 100) is None
    assert (stream.met.lost, line.tally.dropped) == (1, TRIES)


@pytest.mark.parametrize(
    ("what", "shape"),
    [
        ("lost", PacketShape(loss=0.2)),
        ("corrupted", PacketShape(corrupt=0.2)),
        ("duplicated", PacketShape(duplicate=0.2)),
        ("reordered", PacketShape(reorder=0.2)),
    ],
)
def test_what_first_copies_meet_is_the_links_share(what: str, shape: PacketShape) -> None:
    stream, _ = flow(shape)
    for number in range(2000):
        stream.arrives_s(number * 100.0, 100)
    met = {name: getattr(stream.met, name) for name in ("lost", "corrupted", "duplicated", "reordered")}
    assert met.pop(what) / 2000 == pytest.approx(0.2, abs=0.03)
    assert not any(met.values())


@given(
    st.lists(st.tuples(st.floats(0, 0.1), st.integers(1, 10_000)), min_size=1, max_size=30),
    st.builds(
        PacketShape,
        delay_s=st.floats(0, 0.2),
        jitter_s=st.floats(0, 0.1),
        loss=st.floats(0, 0.5),
        duplicate=st.floats(0, 1),
        reorder=st.floats(0, 1),
        corrupt=st.floats(0, 0.3),
    ),
    st.integers(0, 5),
)
def test_bytes_never_overtake_one_another(sends: list[tuple[float, int]], shape: PacketShape, seed: int) -> None:
    stream, _ = flow(shape, seed)
    now_s, last_s = 0.0, 0.0
    for pause_s, size in sends:
        now_s += pause_s
        arrives_s = stream.arrives_s(now_s, size)
        if arrives_s is None:
            return
        assert arrives_s >= max(now_s, last_s)
        last_s = arrives_s


def test_a_limited_rate_holds_the_sender_back() -> None:
    stream, line = flow(PacketShape(bytes_per_s=10_000))
    assert stream.room_s(0.0) <= 0
    now_s, sent = 0.0, 0
    while stream.room_s(now_s) <= 0:
        arrives_s = stream.arrives_s(now_s, 1000)
        sent += 1000
        assert arrives_s == pytest.approx(sent / 10_000)
    assert sent == pytest.approx(10_000 * RATE_WAIT_S, abs=1000)
    assert stream.room_s(now_s) == pytest.approx(0.1, abs=0.01)
    assert line.tally.dropped == 0
