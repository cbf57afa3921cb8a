"""How nodes tell each other: rumours cool, anti-entropy finds what they missed, and messages may come in any order, twice, or never."""

from __future__ import annotations

import random
from typing import Any

import pytest

from targets.kv.crdt import Crdt
from tests.targets.kv.crdt.desk import Desk, carry

NAMES = tuple(f"n{number}" for number in range(1, 8))


def nodes(names: tuple[str, ...] = NAMES, **options: Any) -> dict[str, Desk]:
    desks = {}
    for name in names:
        desks[name] = desk = Desk(name, names, **{"data": "g-set", **options})
        Crdt(desk).start()
    return desks


def live(desks: dict[str, Desk], seconds: float, step_s: float = 0.05, **faults: Any) -> None:
    """Let time pass for all nodes, delivering what they send."""
    for _ in range(round(seconds / step_s)):
        for desk in desks.values():
            desk.run(step_s)
        carry(desks, **faults)


def shown(desks: dict[str, Desk]) -> list[list[Any]]:
    return [sorted(desk.ask("read")["value"]) for desk in desks.values()]


def test_a_rumour_is_told_to_fanout_peers_a_round_and_cools() -> None:
    desk = nodes(fanout=2, hot_rounds=3, anti_entropy_s=0.0)["n1"]
    desk.ask("add", element=7, msg_id=1)
    told = []
    for _ in range(6):
        desk.run(0.1)
        told.append([(dest, body["type"]) for dest, body in desk.taken()])
    assert [len(messages) for messages in told] == [2, 2, 2, 0, 0, 0]
    assert all(len({dest for dest, _ in messages}) == 2 for messages in told[:3])
    assert all(dest != "n1" and kind == "rumours" for messages in told for dest, kind in messages)


def test_what_is_known_already_is_not_hot_again() -> None:
    desk = nodes(anti_entropy_s=0.0)["n1"]
    entries = [["null", "7", 1]]
    desk.ask("rumours", src="n2", entries=entries)
    desk.run(1.0)
    assert len(desk.taken()) == 3 * 2
    desk.ask("rumours", src="n3", entries=entries)
    desk.run(1.0)
    assert desk.taken() == []


@pytest.mark.parametrize("loss", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("data", ["g-set", "or-set"])
def test_all_nodes_come_to_the_same_whatever_is_lost(data: str, loss: float) -> None:
    dice = random.Random(1)
    desks = nodes(data=data)
    for number in range(30):
        desks[dice.choice(NAMES)].ask("add", element=number, msg_id=number)
        live(desks, 0.1, lose=lambda: dice.random() < loss)
    live(desks, 20.0, lose=lambda: dice.random() < loss)
    assert shown(desks) == [list(range(30))] * len(NAMES)


def test_rumours_alone_leave_somebody_out_and_anti_entropy_does_not() -> None:
    for anti_entropy_s, whole in ((0.0, False), (1.0, True)):
        desks = nodes(fanout=1, hot_rounds=1, anti_entropy_s=anti_entropy_s)
        for number in range(20):
            desks["n1"].ask("add", element=number, msg_id=number)
            live(desks, 0.2)
        live(desks, 20.0)
        assert (shown(desks) == [list(range(20))] * len(NAMES)) == whole


def test_anti_entropy_sends_only_what_differs() -> None:
    desks = nodes(("n1", "n2"), hot_rounds=0)
    for number in range(300):
        for desk in desks.values():
            desk.ask("add", element=number, msg_id=number)
    desks["n1"].ask("add", element="new", msg_id=1000)
    live(desks, 3.0)
    assert all("new" in desk.ask("read")["value"] for desk in desks.values())
    desks["n1"].ask("compare", src="n2", digest=[0] * 512)
    ((_, answer),) = desks["n1"].taken()
    assert len(answer["entries"]) == 301


def test_large_news_come_in_several_messages() -> None:
    desk = nodes(("n1", "n2"), fanout=1, hot_rounds=1, anti_entropy_s=0.0)["n1"]
    for number in range(1100):
        desk.ask("add", element=number, msg_id=number)
    desk.run(0.2)
    assert [len(body["entries"]) for _, body in desk.taken()] == [500, 500, 100]


def test_a_node_alone_has_nobody_to_tell() -> None:
    desk = nodes(("n1",))["n1"]
    desk.ask("add", element=7, msg_id=1)
    desk.run(5.0)
    assert desk.taken() == []
    assert desk.ask("read")["value"] == [7]
