"""What a network does to messages: order, cuts, shapes, and dice that do not disturb each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.fabric.links import LAN, NONE, RATE_WAIT_S, Latency, Links, slowest_s
from harness.effects import PacketShape

NODES = ("n1", "n2", "n3")
LINK = ("n1", "n2")
ALL = PacketShape(delay_s=0.05, jitter_s=0.01, loss=0.2, duplicate=0.2, reorder=0.2)


def network(seed: int = 1, latency: Latency = LAN, edge_s: float = 0.0) -> Links:
    return Links(seed, NODES, latency, edge_s)


def arrivals(
    links: Links, count: int, spacing_s: float = 0.001, link: tuple[str, str] = LINK
) -> list[tuple[float, ...]]:
    return [
        tuple(spacing_s * number + delay_s for delay_s in links.fates(*link, spacing_s * number))
        for number in range(count)
    ]


def test_a_healthy_link_delivers_once_in_order_within_its_latency() -> None:
    links = network()
    times = arrivals(links, 1000, spacing_s=0.0001)
    assert all(len(copies) == 1 for copies in times)
    flat = [copies[0] for copies in times]
    assert flat == sorted(flat)
    assert len(set(flat)) == len(flat)
    delays = [at_s - 0.0001 * number for number, at_s in enumerate(flat)]
    assert min(delays) >= LAN.min_s
    assert max(delays) <= LAN.max_s + 1e-6
    assert max(delays) - min(delays) > 0.001


@given(
    sends=st.lists(st.floats(0, 1, allow_nan=False), max_size=40),
    shaped=st.lists(st.booleans(), min_size=40, max_size=40),
    delay_s=st.floats(0, 0.2),
    jitter_s=st.floats(0, 0.2),
    loss=st.floats(0, 1),
)
def test_delay_and_loss_never_break_the_order(
    sends: list[float], shaped: list[bool], delay_s: float, jitter_s: float, loss: float
) -> None:
    """Arrivals in the order of sending are the order of arrival, whenever the shape comes and goes."""
    links = network(latency=NONE)
    came = []
    for now_s, shape in zip(sorted(sends), shaped, strict=False):
        if shape:
            links.shape([LINK], PacketShape(delay_s=delay_s, jitter_s=jitter_s, loss=loss))
        else:
            links.unshape([LINK])
        came += [now_s + delay_s for delay_s in links.fates(*LINK, now_s)]
    assert came == sorted(came)


def test_a_cut_is_directed() -> None:
    links = network()
    links.cut([LINK])
    assert links.fates("n1", "n2", 0.0) == ()
    assert len(links.fates("n2", "n1", 0.0)) == 1
    assert links.tally(LINK).dropped == 1
    assert links.tally(("n2", "n1")).dropped == 0


def test_overlapping_cuts_are_counted() -> None:
    links = network()
    links.cut([LINK])
    links.cut([LINK, ("n1", "n3")])
    links.mend([LINK])
    assert links.fates(*LINK, 0.0) == ()
    links.mend([LINK, ("n1", "n3")])
    links.mend([LINK])
    assert len(links.fates(*LINK, 1.0)) == 1
    assert len(links.fates("n1", "n3", 1.0)) == 1
    links.cut([LINK])
    assert links.fates(*LINK, 2.0) == ()


def test_a_cut_takes_what_is_under_way() -> None:
    links = network()
    assert links.lets_in(*LINK)
    links.cut([LINK])
    assert not links.lets_in(*LINK)
    assert links.tally(LINK).dropped == 1


def test_a_shape_does_all_that_it_says() -> None:
    links = network()
    links.shape([LINK], ALL)
    times = arrivals(links, 5000)
    lost = sum(not copies for copies in times) / 5000
    twice = sum(len(copies) == 2 for copies in times) / 5000
    assert lost == pytest.approx(0.2, abs=0.03)
    assert twice == pytest.approx(0.2 * 0.8, abs=0.03)
    overtaken, latest = 0, -1
    for _, number in sorted((copies[0], number) for number, copies in enumerate(times) if copies):
        overtaken += number < latest
        latest = max(latest, number)
    assert overtaken / 5000 == pytest.approx(0.2 * 0.8, abs=0.05)
    assert all(copies[0] - 0.001 * number >= 0.04 for number, copies in enumerate(times) if copies)
    tally = links.tally(LINK)
    assert (tally.sent, tally.dropped, tally.duplicated) == (5000, round(lost * 5000), round(twice * 5000))
    assert tally.delayed == 5000 - tally.dropped
    assert tally.reordered == pytest.approx(0.2 * 0.8 * 5000, rel=0.15)


def test_what_is_damaged_does_not_arrive_but_its_copy_does() -> None:
    links = network()
    links.shape([LINK], PacketShape(corrupt=0.3))
    gone = sum(not copies for copies in arrivals(links, 3000))
    assert gone / 3000 == pytest.approx(0.3, abs=0.03)
    assert (links.tally(LINK).corrupted, links.tally(LINK).dropped) == (gone, 0)
    links.shape([LINK], PacketShape(corrupt=1.0, duplicate=1.0))
    assert all(len(links.fates(*LINK, 10.0 + number)) == 1 for number in range(10))


def test_corruption_throws_dice_of_its_own() -> None:
    calm, noisy = network(), network()
    calm.shape([LINK], ALL)
    noisy.shape([LINK], replace(ALL, corrupt=0.5))
    pairs = list(zip(arrivals(calm, 200), arrivals(noisy, 200), strict=True))
    assert all(damaged in {whole, whole[1:]} for whole, damaged in pairs)
    assert any(whole != damaged for whole, damaged in pairs)


@given(
    sizes=st.lists(st.integers(1, 2000), min_size=1, max_size=60),
    gap_s=st.floats(0, 0.05),
    bytes_per_s=st.integers(4_000, 1_000_000),
)
def test_a_rate_is_never_exceeded_and_nothing_waits_for_ever(sizes: list[int], gap_s: float, bytes_per_s: int) -> None:
    """Between any two arrivals there is time for the bytes of all that came behind the first."""
    links = network(latency=NONE)
    shape = PacketShape(bytes_per_s=bytes_per_s)
    links.shape([LINK], shape)
    came = []
    for number, size in enumerate(sizes):
        for delay_s in links.fates(*LINK, number * gap_s, size):
            assert delay_s <= slowest_s(shape, size)
            came.append((number * gap_s + delay_s, size))
    for place, (first_s, _) in enumerate(came):
        carried = 0
        for at_s, size in came[place + 1 :]:
            carried += size
            assert at_s - first_s >= carried / bytes_per_s - 1e-6
    dropped = links.tally(LINK).dropped
    assert dropped == len(sizes) - len(came)
    if sum(sizes) / bytes_per_s <= RATE_WAIT_S:
        assert dropped == 0


def test_the_last_shape_counts_and_one_unshape_ends_it() -> None:
    links = network(latency=NONE)
    links.shape([LINK], PacketShape(delay_s=1.0))
    links.shape([LINK], PacketShape(delay_s=0.5))
    assert links.fates(*LINK, 0.0) == (0.5,)
    links.unshape([LINK])
    links.unshape([LINK])
    assert links.fates(*LINK, 10.0) == (0.0,)


def _cut_and_mend(links: Links) -> None:
    links.cut([LINK])
    arrivals(links, 10)
    links.mend([LINK])


def _shape_and_unshape(links: Links) -> None:
    links.shape([LINK], ALL)
    arrivals(links, 10)
    links.unshape([LINK])


@pytest.mark.parametrize("fault", [_cut_and_mend, _shape_and_unshape, lambda links: arrivals(links, 10)])
def test_a_fault_that_has_healed_leaves_the_latencies_as_they_would_have_been(fault: Callable[[Links], object]) -> None:
    links, quiet = network(), network()
    fault(links)
    arrivals(quiet, 10)
    later = [links.fates(*LINK, 100.0 + number) for number in range(20)]
    assert later == [quiet.fates(*LINK, 100.0 + number) for number in range(20)]
    assert links.fates("n2", "n3", 0.0) == quiet.fates("n2", "n3", 0.0)


def test_the_seed_decides_and_links_differ() -> None:
    assert arrivals(network(1), 50) == arrivals(network(1), 50)
    assert arrivals(network(1), 50) != arrivals(network(2), 50)
    links = network(1)
    assert arrivals(links, 50) != arrivals(links, 50, link=("n2", "n1"))


def test_clients_are_near_and_can_be_cut_off_too() -> None:
    links = network(edge_s=0.25)
    assert links.fates("c1", "n1", 0.0) == (0.25,)
    assert links.fates("n1", "n1", 0.0) == (0.0,)
    links.cut([("c1", "n1")])
    assert links.fates("c1", "n1", 0.0) == ()
    links.mend([("c1", "n1")])
    assert links.fates("c1", "n1", 1.0) == (0.25,)
