"""The router's state against a plain twin: whatever the order of cuts, mends and shapes, the filter holds what is held."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.fabric.nfqueue_shaper import LINKS_MAX
from harness.clusters.fabric.router import Router, way
from harness.clusters.namespaces import layout
from harness.effects import Link, PacketShape

NODES = {f"n{number}": layout.node_address(number) for number in (1, 2, 3)}
LINKS = [(a, b) for a in NODES for b in NODES if a != b]


def keys(link: Link) -> list[bytes]:
    return layout.keys(NODES[link[0]], NODES[link[1]])


class FakeFilter:
    def __init__(self) -> None:
        self.sets: dict[str, frozenset[bytes]] = {}
        self.losses: set[int] = set()
        self.packets: Counter[tuple[str, bytes]] = Counter()

    def hold(self, sets: Mapping[str, frozenset[bytes]], losses: Iterable[int] = ()) -> None:
        self.losses |= set(losses)
        for name, held in self.sets.items():
            for key in held - sets.get(name, frozenset()):
                del self.packets[name, key]  # the kernel forgets an element's counter with the element
        self.sets = dict(sets)

    def counts(self, name: str) -> dict[bytes, int]:
        return {key: self.packets[name, key] for key in self.sets.get(name, frozenset())}

    def passing(self, link: Link, packets: int) -> None:
        for name, held in self.sets.items():
            for key in keys(link)[:1]:
                if key in held:
                    self.packets[name, key] += packets

    def links(self, name: str) -> set[Link]:
        return {link for link in LINKS if set(keys(link)) <= self.sets.get(name, frozenset())}


class FakeShaper:
    def __init__(self) -> None:
        self.shapes: dict[Link, Any] = {}

    async def tell(self, do: str, **fields: Any) -> Any:
        if "tallies" in fields:
            rows = [[list(LINKS[0]), {"sent": 4}]] * LINKS_MAX + [[list(LINKS[0]), {"sent": 5}]]
            return {"tallies": rows[fields["tallies"] :][:LINKS_MAX]}, []
        for src, dest, hexes in fields["links"]:
            assert [bytes.fromhex(text) for text in hexes] == keys((src, dest))
            self.shapes[src, dest] = fields["shape"]
        return {}, []


def made() -> tuple[Router, FakeFilter, FakeShaper]:
    packet_filter, shaper = FakeFilter(), FakeShaper()
    return Router(packet_filter, shaper.tell, keys), packet_filter, shaper


some_links = st.lists(st.sampled_from(LINKS), unique=True, max_size=4)
shapes = st.sampled_from(
    [
        PacketShape(delay_s=0.05),
        PacketShape(loss=0.2),
        PacketShape(loss=0.2, delay_s=0.01),
        PacketShape(duplicate=0.1),
        PacketShape(bytes_per_s=9_000),
        PacketShape(reorder=0.1, jitter_s=0.01),
        PacketShape(),
    ]
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("cut"), some_links),
        st.tuples(st.just("mend"), some_links),
        st.tuples(st.just("shape"), some_links, shapes),
        st.tuples(st.just("unshape"), some_links),
    ),
    max_size=12,
)


@given(steps)
def test_the_filter_holds_what_is_held(plan: list[tuple[Any, ...]]) -> None:
    async def play() -> None:
        router, packet_filter, shaper = made()
        cuts: Counter[Link] = Counter()
        shaped: dict[Link, PacketShape] = {}
        for verb, links, *rest in plan:
            if verb == "cut":
                router.cut(links)
                cuts.update(links)
            elif verb == "mend":
                router.mend(links)
                cuts = Counter({link: max(0, n - (link in links)) for link, n in cuts.items()})
            elif verb == "shape":
                await router.shape(links, rest[0])
                shaped.update(dict.fromkeys(links, rest[0]))
            else:
                await router.unshape(links)
                for link in links:
                    shaped.pop(link, None)
            assert packet_filter.links("cut") == {link for link, n in cuts.items() if n}
            for name in ("slow", "copied", "loss2000"):
                assert packet_filter.links(name) == {link for link, s in shaped.items() if expected_set(s) == name}
            for link, shape in shaped.items():
                if expected_set(shape) in ("slow", "copied"):
                    assert shaper.shapes[link] == asdict(shape)

    asyncio.run(play())


def expected_set(shape: PacketShape) -> str | None:
    if shape.duplicate or shape.bytes_per_s:
        return "copied"
    if shape.delay_s or shape.jitter_s or shape.reorder:
        return "slow"
    return "loss2000" if shape.loss else None


def test_what_needs_whole_packets_is_handed_over_whole() -> None:
    assert way(PacketShape(corrupt=0.1)) == way(PacketShape(duplicate=0.1, delay_s=1))
    assert way(PacketShape()) is None
    assert way(PacketShape(loss=1.0)) is not None


def test_the_longest_wait_is_that_of_the_shape() -> None:
    async def play() -> None:
        router, _, _ = made()
        assert router.slowest_s(LINKS[0]) == 0
        await router.shape([LINKS[0]], PacketShape(delay_s=0.5, jitter_s=0.1))
        assert router.slowest_s(LINKS[0]) == pytest.approx(0.65)
        await router.shape([LINKS[0]], PacketShape(loss=0.5))
        assert router.slowest_s(LINKS[0]) == 0

    asyncio.run(play())


def test_counters_outlast_their_faults() -> None:
    async def play() -> dict[Link, dict[str, int]]:
        router, packet_filter, _ = made()
        router.cut([LINKS[0], LINKS[1]])
        packet_filter.passing(LINKS[0], 3)
        router.mend([LINKS[0]])
        router.cut([LINKS[0]])
        packet_filter.passing(LINKS[0], 4)
        packet_filter.passing(LINKS[1], 1)
        await router.shape([LINKS[2]], PacketShape(loss=0.2))
        packet_filter.passing(LINKS[2], 9)
        return await router.counters()

    found = asyncio.run(play())
    assert found[LINKS[0]] == {"cut": 7, "sent": 5}
    assert found[LINKS[1]] == {"cut": 1}
    assert found[LINKS[2]] == {"exposed": 9, "lost": 9}  # the fake throws no dice
