"""Nodes with logical clocks: whatever becomes of messages and nodes, the checker that knows the definition finds right ones right."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.clocks import make
from harness.clusters.sim_disk import Disk
from harness.history import History
from harness.verdict import Budget, ReadsNodeLogs, Validity, Verdict
from targets.clock.logical import ClockNode
from targets.clock.logical.bugs import Bugs
from targets.clock.logical.config import KINDS
from targets.clock.logical.readings import COUNTER_BITS, Hybrid
from targets.node import codes
from tests.targets.kv.crdt.desk import NODES, Desk

Logs = dict[str, list[dict[str, Any]]]


class LoggingDesk(Desk):
    """A desk on which a log is kept over the node's lives."""

    def __init__(self, node: str, logs: Logs, disk: Disk | None = None, **options: Any) -> None:
        super().__init__(node, disk=disk, **options)
        self._lines = logs.setdefault(node, [])

    def log(self, event: str, **fields: Any) -> None:
        self._lines.append({"event": event, **fields})


def started(node: str, logs: Logs, disk: Disk | None = None, **options: Any) -> LoggingDesk:
    desk = LoggingDesk(node, logs, disk, **options)
    ClockNode(desk)
    return desk


def world(seed: int, steps: int, **options: Any) -> Verdict:
    """Nodes that have events, tell each other (late, twice, out of order, never), crash and have wrong clocks; judged."""
    dice, logs = random.Random(seed), Logs()
    desks = {node: started(node, logs, **options) for node in NODES}
    mail: list[tuple[str, str, dict[str, Any]]] = []
    for _ in range(steps):
        node = dice.choice(NODES)
        desk = desks[node]
        match dice.choice(["local", "tell", "tell", "deliver", "deliver", "jump", "restart"]):
            case "local":
                desk.ask("local")
            case "tell":
                desk.ask("tell", to=dice.choice([other for other in NODES if other != node]))
                mail += [(node, dest, body) for dest, body in desk.taken()]
            case "deliver" if mail:
                src, dest, body = dice.choice(mail)
                desks[dest].ask("word", src=src, message=body["message"], clock=body["clock"])
            case "jump":
                desk.wall_s += dice.uniform(-50.0, 50.0)
            case "restart":
                desk.disk.crash(dice)
                desks[node] = started(node, logs, desk.disk, **options)
    checker = make()
    assert isinstance(checker, ReadsNodeLogs)
    return checker.with_logs(logs).check(History.of([]), Budget())


@given(st.integers(0, 100_000), st.sampled_from(KINDS))
def test_right_clocks_are_right_whatever_happens(seed: int, kind: str) -> None:
    assert world(seed, 60, clock=kind).validity is not Validity.INVALID


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_life_is_judged_and_valid(kind: str) -> None:
    verdict = world(1, 400, clock=kind)
    assert verdict.validity is Validity.VALID, verdict.reason
    assert (verdict.stats["anomalies"].get("false-order", 0) == 0) == (kind == "vector")


@pytest.mark.parametrize(
    ("kind", "bug"),
    [
        ("lamport", "counter-of-one-byte"),
        ("lamport", "receive-takes-theirs"),
        ("vector", "sends-differences"),
        ("vector", "delivery-counted-at-send"),
        ("hybrid", "wall-clock-believed"),
        ("hybrid", "clock-forgotten-at-restart"),
    ],
)
def test_wrong_clocks_are_wrong(kind: str, bug: str) -> None:
    assert world(1, 1500, clock=kind, bug=bug).validity is Validity.INVALID


def test_a_hybrid_clock_keeps_to_the_time_of_day_and_counts_where_that_stands_still() -> None:
    wall_s = 10.0
    clock = Hybrid(lambda: wall_s, Bugs())
    readings = []
    for _ in range(3):
        clock.tick()
        readings.append(clock.reading)
    assert readings == [(10_000 << COUNTER_BITS) + count for count in range(3)]
    wall_s = 9.0  # which it does not follow
    clock.meet(11_000 << COUNTER_BITS, "n2")
    assert clock.reading == (11_000 << COUNTER_BITS) + 1
    wall_s = 12.0
    clock.tick()
    assert clock.reading == 12_000 << COUNTER_BITS


def test_a_message_goes_to_another_node() -> None:
    desk = started("n1", {})
    assert desk.ask("tell", to="n1") == desk.ask("tell", to="nobody") == codes.MALFORMED


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"clock": "sun"}, "option clock='sun' is none of lamport"), ({"bug": "nonsense"}, "clock has no seeded bug")],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        started("n1", {}, **options)
