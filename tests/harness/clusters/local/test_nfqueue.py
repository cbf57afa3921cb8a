"""Packets in user space: messages, and the pure part of the shaper."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.fabric import links, nfqueue
from harness.clusters.fabric.netlink import Request, answers, attribute, attributes
from harness.clusters.fabric.nfqueue import ACCEPT, DROP, Packet
from harness.clusters.fabric.nfqueue_shaper import Pacer, spoilt
from harness.effects import PacketShape

SRC, DEST = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
FOUR = bytes([0x45, 0, 0, 27]) + bytes(8) + SRC + DEST + b"payload"
SIX = bytes([0x60, 0, 0, 0, 0, 7]) + bytes(2) + bytes(range(32)) + b"payload"
LINK = ("n1", "n2")
KEY = SRC + DEST


def test_a_packet_s_key_is_its_addresses() -> None:
    assert Packet(number=1, data=FOUR).key == KEY
    assert Packet(number=1, data=SIX).key == bytes(range(32))


def test_a_packet_s_size_is_what_its_header_says() -> None:
    assert Packet(number=1, data=FOUR[:20]).size == len(FOUR)
    assert Packet(number=1, data=SIX[:40]).size == len(SIX)


def test_packets_are_read_from_the_kernel_s_messages() -> None:
    header = attribute(1, struct.pack(">IHB", 77, 0x0800, 2)) + attribute(10, FOUR)
    packet = Request(kind=nfqueue.SUBSYSTEM | nfqueue.PACKET, flags=0, payload=bytes(4) + header).packed(0)
    other = Request(kind=2, flags=0, payload=bytes(4)).packed(0)
    assert list(nfqueue.packets(other + packet + packet)) == [Packet(number=77, data=FOUR)] * 2


def test_a_verdict_is_a_decision_on_a_number_of_a_queue() -> None:
    (answer,) = answers(nfqueue.verdict(1, 77, ACCEPT, b"new"))
    assert answer.kind == 3 << 8 | 1
    assert answer.payload[:4] == bytes([0, 0, 0, 1])
    assert dict(attributes(answer.payload[4:])) == {2: struct.pack(">II", 1, 77), 10: b"new"}


def test_only_a_queue_of_headers_takes_segments_together() -> None:
    def flags(*, whole: bool) -> bytes:
        requests = nfqueue.configuration(1, whole=whole)
        return dict(attributes(requests[-1].payload[4:]))[5]

    assert flags(whole=False) == struct.pack(">I", 5)
    assert flags(whole=True) == struct.pack(">I", 1)


def pacer(shape: PacketShape, seed: int = 1) -> Pacer:
    made = Pacer(seed)
    made.shape(LINK, [KEY], shape)
    return made


@given(
    st.lists(st.floats(0, 0.01), min_size=1, max_size=40),
    st.builds(
        PacketShape,
        delay_s=st.sampled_from([0.0, 0.05]),
        jitter_s=st.sampled_from([0.0, 0.02]),
        loss=st.sampled_from([0.0, 0.5]),
        duplicate=st.sampled_from([0.0, 0.5]),
        reorder=st.sampled_from([0.0, 0.5]),
        bytes_per_s=st.sampled_from([0, 1000]),
    ),
    st.integers(0, 3),
)
def test_packets_have_the_fates_of_a_simulated_link_with_that_seed(
    gaps_s: list[float], shape: PacketShape, seed: int
) -> None:
    twin = links.Line(seed, LINK, links.NONE)
    twin.shape = shape
    expected, now_s, made = [], 0.0, pacer(shape, seed)
    for number, gap_s in enumerate(gaps_s):
        now_s += gap_s
        fates = twin.fates(now_s, len(FOUR))
        expected += [(now_s + at_s, number, ACCEPT, place > 0) for place, at_s in enumerate(fates)] or [
            (now_s, number, DROP, False)
        ]
        made.arrive(1, Packet(number=number, data=FOUR), now_s, whole=True)
    actions = made.due(1e9)
    assert sorted((a.due_s, a.number, a.decision, a.copy) for a in actions) == sorted(expected)
    assert [a.due_s for a in actions] == sorted(a.due_s for a in actions)
    assert made.next_s() is None
    assert all(a.data == FOUR for a in actions if a.copy)


def test_only_what_is_due_goes() -> None:
    made = pacer(PacketShape(delay_s=0.05))
    for number in range(3):
        made.arrive(0, Packet(number=number, data=FOUR), number * 0.01, whole=False)
    assert made.next_s() == pytest.approx(0.05)
    assert [action.number for action in made.due(0.065)] == [0, 1]
    assert made.next_s() == pytest.approx(0.07)


def test_a_packet_of_no_shaped_link_goes_at_once() -> None:
    made = pacer(PacketShape(delay_s=9))
    made.shape(LINK, [KEY], None)
    made.arrive(0, Packet(number=1, data=FOUR), 1.0, whole=False)
    made.arrive(0, Packet(number=2, data=SIX), 1.0, whole=False)
    assert [(action.number, action.decision) for action in made.due(1.0)] == [(1, ACCEPT), (2, ACCEPT)]


def test_a_queue_of_headers_sends_no_copies() -> None:
    made = pacer(PacketShape(duplicate=1.0))
    made.arrive(0, Packet(number=1, data=FOUR), 0.0, whole=False)
    assert [action.copy for action in made.due(9)] == [False]


def test_a_spoilt_packet_differs_in_one_bit_behind_its_header() -> None:
    made = pacer(PacketShape(corrupt=1.0))
    for number in range(20):
        made.arrive(1, Packet(number=number, data=FOUR), 0.0, whole=True)
    for action in made.due(9):
        assert action.data is not None
        assert action.data[:20] == FOUR[:20]
        changed = int.from_bytes(action.data) ^ int.from_bytes(FOUR)
        assert changed.bit_count() == 1
    assert made.tallies()[0][1]["corrupted"] == 20


def test_a_packet_without_content_cannot_be_spoilt() -> None:
    assert spoilt(FOUR[:20], random.Random(1)) == FOUR[:20]


def test_corruption_leaves_the_other_dice_alone() -> None:
    def losses(corrupt: float) -> list[int]:
        made = pacer(PacketShape(loss=0.5, corrupt=corrupt))
        for number in range(50):
            made.arrive(1, Packet(number=number, data=FOUR), 0.0, whole=True)
        return [action.number for action in made.due(9) if action.decision == DROP]

    assert losses(0.0) == losses(0.7) != []


@pytest.mark.parametrize("distribution", sorted(links.DISTRIBUTIONS))
def test_jitter_has_its_distribution(distribution: str) -> None:
    made = pacer(
        PacketShape(delay_s=1.0, jitter_s=0.1, reorder=1.0, distribution=distribution)
    )  # out of turn: nobody waits
    for number in range(4000):
        made.arrive(0, Packet(number=number, data=FOUR), 0.0, whole=False)
    held_s = (links.HOLD_MIN_S + links.HOLD_MAX_S) / 2
    off = sorted((action.due_s - 1.0 - held_s) / 0.1 for action in made.due(9))
    assert len(off) == 4000
    assert sum(off) / len(off) == pytest.approx(0, abs=0.1)
    beyond = sum(abs(one) > 1.2 for one in off) / len(off)
    median = off[len(off) // 2]
    if distribution == "uniform":
        assert beyond == 0
    elif distribution == "normal":
        assert beyond == pytest.approx(0.23, abs=0.04)
        assert median == pytest.approx(0, abs=0.1)
    else:  # most are early, a few very late
        assert median == pytest.approx(2 ** (1 / 3) - 1.5, abs=0.1)
        assert off[-1] > 3
    assert made.next_s() is None


def test_no_packet_is_held_for_longer_than_the_shape_says() -> None:
    shape = PacketShape(delay_s=0.1, jitter_s=0.1, reorder=0.5, duplicate=0.5, distribution="pareto")
    made = pacer(shape)
    for number in range(2000):
        made.arrive(1, Packet(number=number, data=FOUR), 0.0, whole=True)
    assert max(action.due_s for action in made.due(99)) <= links.slowest_s(shape, len(FOUR)) + 1e-3
