"""The counters that are replicated by increments: each keeps its promise of delivery, and breaks the one that it does not give."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clusters.sim_disk import Disk
from targets.kv.counter import Counter
from tests.targets.kv.crdt.desk import NODES, Desk, carry

ONCE, MOST, LEAST = "exactly-once", "at-most-once", "at-least-once"


def node(name: str = "n1", disk: Disk | None = None, **options: Any) -> Desk:
    desk = Desk(name, disk=disk, **options)
    Counter(desk).start()
    return desk


def nodes(**options: Any) -> dict[str, Desk]:
    return {name: node(name, **options) for name in NODES}


def live(desks: dict[str, Desk], seconds: float, **faults: Any) -> None:
    for _ in range(round(seconds / 0.05)):
        for desk in desks.values():
            desk.run(0.05)
        carry(desks, **faults)


def sums(desks: dict[str, Desk]) -> list[int]:
    return [desk.ask("read")["value"] for desk in desks.values()]


@pytest.mark.parametrize("delivery", [ONCE, MOST, LEAST])
def test_where_nothing_is_lost_all_of_them_count_right(delivery: str) -> None:
    desks = nodes(delivery=delivery)
    for number in range(30):
        assert desks[NODES[number % 3]].ask("add", delta=number, msg_id=number) == {"type": "add_ok"}
        live(desks, 0.1)
    live(desks, 1.0)
    assert sums(desks) == [sum(range(30))] * 3


def losing(seed: int, share: float = 0.4) -> Any:
    dice = random.Random(seed)
    return lambda: dice.random() < share


@pytest.mark.parametrize("seed", range(3))
def test_of_lost_messages_one_loses_one_repeats_and_one_does_neither(seed: int) -> None:
    total, found = sum(range(60)), {}
    for delivery in (ONCE, MOST, LEAST):
        desks = nodes(delivery=delivery)
        for number in range(60):
            desks[NODES[number % 3]].ask("add", delta=number, msg_id=number)
            live(desks, 0.1, lose=losing(seed * 1000 + number))
        live(desks, 20.0)
        found[delivery] = sums(desks)
    assert found[ONCE] == [total] * 3
    assert max(found[MOST]) <= total
    assert min(found[MOST]) < total
    assert min(found[LEAST]) >= total
    assert max(found[LEAST]) > total


def test_a_client_that_repeats_elsewhere_counts_once_if_it_names_its_request() -> None:
    for delivery, wanted in ((ONCE, 5), (LEAST, 10)):
        desks = nodes(delivery=delivery)
        desks["n1"].ask("add", delta=5, seq=1, msg_id=1)  # whose answer is lost
        desks["n2"].ask("add", delta=5, seq=1, msg_id=2)
        live(desks, 2.0)
        assert sums(desks) == [wanted] * 3


def test_what_was_not_acknowledged_is_sent_again_ever_more_rarely() -> None:
    desk = node(delivery=ONCE, retry_min_s=0.2, retry_max_s=0.8)
    desk.ask("add", delta=5, msg_id=1)
    times = []
    for _ in range(80):
        desk.run(0.05)
        times += [round(desk.now_s, 2) for dest, _ in desk.taken() if dest == "n2"]
    gaps = [round(later - earlier, 2) for earlier, later in itertools.pairwise(times)]
    assert gaps[:2] < gaps[2:4]
    assert max(gaps) <= 0.8 + 0.05
    assert len(gaps) >= 5


def test_an_old_answer_acknowledges_nothing_again() -> None:
    desk = node(delivery=ONCE, batch_max=1)
    for number in range(3):
        desk.ask("add", delta=1, msg_id=number)
    for upto in (2, 1, 2, 1):
        desk.ask("counted", src="n2", upto=upto)
    desk.run(1.0)
    assert {body["start"] for dest, body in desk.taken() if dest == "n2"} == {3}


@pytest.mark.parametrize("checkpoint_records", [1, 5, 1000])
@given(rolls=st.lists(st.integers(0, 99), max_size=50), seed=st.integers(0, 9))
def test_exactly_once_survives_crashes_at_any_time(checkpoint_records: int, rolls: list[int], seed: int) -> None:
    options = {"delivery": ONCE, "checkpoint_records": checkpoint_records, "batch_max": 3}
    desks, dice, total = nodes(**options), random.Random(seed), 0
    for number, roll in enumerate(rolls):
        name = NODES[roll % 3]
        if roll < 25:
            desks[name].disk.crash(dice)
            desks[name] = node(name, desks[name].disk, **options)
        elif roll < 60:
            total += roll
            for at in {name, NODES[roll // 3 % 3]}:  # a client that repeats, now and then elsewhere
                desks[at].ask("add", delta=roll, seq=number, msg_id=number)
        else:
            live(desks, 0.15, lose=lambda: dice.random() < 0.3)
    live(desks, 30.0)
    assert sums(desks) == [total] * 3


@pytest.mark.parametrize("bug", [None, "repeated-as-new", "named-on-arrival"])
def test_what_is_sent_once_counts_once_however_often_it_arrives_and_however_late_it_is_confirmed(
    bug: str | None,
) -> None:
    desks = nodes(delivery=MOST, bug=bug)
    desks["n1"].ask("add", delta=5, msg_id=1)
    desks["n1"].run(0.1)
    copies = [(dest, body) for dest, body in desks["n1"].taken() for _ in range(2)]
    desks["n1"].run(1.0)
    for dest, body in (*copies, *desks["n1"].taken()):
        desks[dest].now_s += 0.01
        desks[dest].ask("additions", src="n1", start=body["start"], additions=body["additions"])
    assert (sums(desks) == [5, 5, 5]) == (bug is None)


def test_keys_are_counters_of_their_own() -> None:
    desk = node()
    desk.ask("add", delta=5, key=1, msg_id=1)
    desk.ask("add", delta=7, key="1", msg_id=2)
    assert [desk.ask("read", key=key)["value"] for key in (1, "1", 2)] == [5, 7, 0]


@pytest.mark.parametrize("body", [{}, {"delta": 1.5}, {"delta": "1"}, {"delta": True}])
def test_what_is_no_number_is_refused(body: dict[str, Any]) -> None:
    assert node().ask("add", msg_id=1, **body) == 12


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"delivery": "twice"}, "known are at-most-once, at-least-once, exactly-once"),
        ({"retry_min_s": 3.0}, "retry_min_s <= retry_max_s"),
        ({"batch_max": 0}, "must be at least 1"),
        ({"send_s": "x"}, "send_s='x' must be a number"),
        ({"bug": "nonsense"}, "no seeded bug 'nonsense'"),
    ],
)
def test_options_that_make_no_sense_are_refused_with_a_reason(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        node(**options)
