"""One node: what it answers, what it remembers, what survives a crash at any time."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.sim_disk import Disk
from targets.kv.crdt import Crdt, Ids
from targets.kv.crdt.bugs import Bugs
from targets.kv.crdt.config import Config
from targets.kv.crdt.replica import BUCKETS, Replica
from targets.node import codes
from tests.targets.kv.crdt.desk import Desk


def node(disk: Disk | None = None, **options: Any) -> Desk:
    desk = Desk(disk=disk, **options)
    Crdt(desk)
    return desk


def replica(data: str = "g-set", **options: Any) -> Replica:
    desk = Desk(data=data, **options)
    return Replica(desk, Config.of(desk.options), Bugs())


# The wire


def test_broadcast_speaks_as_maelstrom_does() -> None:
    desk = node(data="broadcast")
    assert desk.ask("topology", topology={"n1": ["n2"]}) == {"type": "topology_ok"}
    assert desk.ask("broadcast", message=7, msg_id=1) == {"type": "broadcast_ok"}
    assert desk.ask("broadcast", message=7, msg_id=2) == {"type": "broadcast_ok"}
    assert desk.ask("read") == {"type": "read_ok", "messages": [7]}


def test_sets_and_counters_speak_as_maelstrom_does() -> None:
    desk = node(data="g-set")
    assert desk.ask("add", element="x", msg_id=1) == {"type": "add_ok"}
    assert desk.ask("read") == {"type": "read_ok", "value": ["x"]}
    desk = node(data="pn-counter")
    assert desk.ask("read") == {"type": "read_ok", "value": 0}
    assert desk.ask("add", delta=5, msg_id=1) == desk.ask("add", delta=-7, msg_id=2) == {"type": "add_ok"}
    assert desk.ask("read") == {"type": "read_ok", "value": -2}


def test_collections_have_keys() -> None:
    desk = node(data="g-counter")
    desk.ask("add", delta=5, key=1, msg_id=1)
    desk.ask("add", delta=6, key="1", msg_id=2)
    assert [desk.ask("read", key=key)["value"] for key in (1, "1", None)] == [5, 6, 0]
    assert desk.ask("read", key=[1]) == desk.ask("add", delta=1, key={}) == codes.MALFORMED


def test_a_request_counts_once_whoever_copies_it() -> None:
    desk = node(data="g-counter")
    for msg_id in (1, 1, 2):
        desk.ask("add", delta=5, msg_id=msg_id)  # two copies by the network, and another request
    for msg_id in (3, 4):
        desk.ask("add", delta=100, seq=9, msg_id=msg_id)  # two attempts of the client
    desk.ask("add", src="c2", delta=1000, seq=9, msg_id=3)
    assert desk.ask("read")["value"] == 1110


def test_options_that_make_no_sense_are_refused_with_a_reason() -> None:
    for options, why in (
        ({"data": "tree"}, "data='tree'"),
        ({"fanout": 0}, "fanout must be at least 1"),
        ({"round_s": "soon"}, "option round_s='soon' must be a number"),
        ({"checkpoint_records": 0}, "must be at least 1"),
        ({"bug": "nonsense"}, "no seeded bug 'nonsense'"),
    ):
        with pytest.raises(ValueError, match=why):
            node(**options)


# What survives


@pytest.mark.parametrize("checkpoint_records", [1, 7, 1000])
@given(rolls=st.lists(st.integers(0, 99), max_size=40), seed=st.integers(0, 9))
def test_what_was_acknowledged_survives_any_crash_and_counts_once(
    checkpoint_records: int, rolls: list[int], seed: int
) -> None:
    options = {"data": "pn-counter", "checkpoint_records": checkpoint_records}
    desk, dice, total, seq = node(**options), random.Random(seed), 0, 0
    for roll in rolls:
        if roll < 20:  # a crash, by which what was not synced may be lost, torn or zeroed
            desk.disk.crash(dice)
            desk = node(desk.disk, **options)
            desk.ask("add", delta=50, seq=seq, msg_id=-seq)  # the last request comes again
            if seq == 0:
                total += 50
                seq = 1
                desk.ask("add", delta=50, seq=seq, msg_id=1)
                total += 50
        elif roll < 40:  # gossip, which is written and not synced
            desk.ask("rumours", src="n2", entries=[["null", "n2", [roll, 0]]])
        else:
            seq += 1
            total += roll - 70
            desk.ask("add", delta=roll - 70, seq=seq, msg_id=seq)
    told = max([roll for roll in rolls if 20 <= roll < 40], default=0)
    desk.ask("rumours", src="n2", entries=[["null", "n2", [told, 0]]])  # what was forgotten is told again
    assert desk.ask("read")["value"] == total + told


def test_tags_are_never_used_twice_over_crashes() -> None:
    desk = node(data="or-set", checkpoint_records=3)
    for life in range(5):
        for number in range(life):
            desk.ask("add", element=0, msg_id=number, src=f"c{life}")
        desk.ask("remove", element=0, msg_id=99, src=f"c{life}")
        desk.disk.crash(random.Random(life))
        desk = node(desk.disk, data="or-set", checkpoint_records=3)
        desk.ask("add", element=0, msg_id=100, src=f"c{life}")
        assert desk.ask("read")["value"] == [0]


# The digest


@given(elements=st.lists(st.integers(0, 40)), more=st.lists(st.integers(0, 40)))
def test_digests_are_equal_iff_states_are(elements: list[int], more: list[int]) -> None:
    one, other = replica(), replica()
    for held, values in ((one, elements), (other, [*reversed(elements), *more])):
        for number, value in enumerate(values):
            held.update({"type": "add", "element": value}, f"c{number}")
    assert (one.digest() == other.digest()) == (set(more) <= set(elements))
    differing = one.differing(other.digest())
    told = {part for _, part, _ in other.within(differing)}
    assert {str(value) for value in set(more) - set(elements)} <= told


def test_digests_tell_pairs_apart_that_a_linear_checksum_does_not() -> None:
    one, other = replica(), replica()
    for number, (mine, theirs) in enumerate([("10", "11"), ("21", "20")]):
        one.update({"type": "add", "element": mine}, f"c{number}")
        other.update({"type": "add", "element": theirs}, f"c{number}")
    assert one.digest() != other.digest()
    assert len(one.digest()) == BUCKETS
    assert all(0 <= number < 2**53 for number in one.digest())


# Ids


def ids(disk: Disk | None = None, name: str = "n1", **options: Any) -> Desk:
    desk = Desk(name, disk=disk, **options)
    Ids(desk)
    return desk


def test_ids_are_new_over_nodes_lives_and_requests() -> None:
    given_out = []
    for name in ("n1", "n2"):
        desk = ids(name=name)
        for life in range(4):
            given_out += [desk.ask("generate", msg_id=1)["id"] for _ in range(3)]
            desk.disk.crash(random.Random(life))
            desk = ids(desk.disk, name)
    assert len(set(given_out)) == len(given_out) == 24


@pytest.mark.parametrize("bug", ["clock-steps-back", "life-forgotten", "nameless", "cached-by-message"])
def test_each_bug_repeats_ids(bug: str) -> None:
    given_out = []
    for name in ("n1", "n2"):
        desk = ids(name=name, bug=bug)
        for life in range(4):
            desk.wall_s = 1000.0 + life % 2  # which is set back after every second life
            asked = [(f"c{client}", number) for client in range(2) for number in range(3)]
            given_out += [desk.ask("generate", src=client, msg_id=number)["id"] for client, number in asked]
            desk = ids(desk.disk, name, bug=bug)
    assert len(set(given_out)) < len(given_out)
