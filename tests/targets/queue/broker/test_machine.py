"""The queues: against a dumb twin, over snapshots, and rule by rule."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from targets.queue.broker.bugs import Bugs
from targets.queue.broker.config import Config
from targets.queue.broker.machine import Queues


def queues(bug: str | None = None, **options: Any) -> Queues:
    return Queues(Config.of(options), Bugs.named(bug))


def publish(machine: Queues, *values: Any, priority: int = 0) -> None:
    for value in values:
        assert machine.apply(["publish", "q", value, priority, None, None])["ok"]


def get(machine: Queues, token: str = "t", queue: str = "q") -> Any:
    found = machine.apply(["get", queue, token, False])
    return None if found["empty"] else (found["number"], found["value"])


class Dumb:
    """The same queue, as a list that is sorted anew each time."""

    def __init__(self, limit: int) -> None:
        self.limit, self.count = limit, 0
        self.waiting: list[list[int]] = []  # [number, value, priority, deliveries]
        self.held: dict[int, tuple[list[int], str]] = {}
        self.dead: list[int] = []

    def publish(self, value: int, priority: int) -> None:
        self.waiting.append([self.count, value, priority, 0])
        self.count += 1

    def get(self, token: str) -> int | None:
        if not self.waiting:
            return None
        message = min(self.waiting, key=lambda m: (-m[2], m[0]))
        self.waiting.remove(message)
        message[3] += 1
        self.held[message[0]] = (message, token)
        return message[0]

    def back(self, number: int, token: str) -> None:
        if number in self.held and self.held[number][1] == token:
            message, _ = self.held.pop(number)
            if message[3] >= self.limit:
                self.dead.append(message[1])
            else:
                self.waiting.append(message)

    def ack(self, number: int, token: str) -> None:
        if number in self.held and self.held[number][1] == token:
            del self.held[number]


STEPS = st.lists(
    st.tuples(st.sampled_from(["publish", "get", "ack", "nack", "expire", "snapshot"]), st.integers(0, 4)), max_size=40
)


@given(STEPS)
def test_it_is_a_queue_with_priorities_redelivery_and_dead_letters(steps: list[tuple[str, int]]) -> None:
    machine, dumb, tokens = queues(delivery_limit=3, priorities=3), Dumb(3), 0
    for step, number in steps:
        token = f"t{number}"
        if step == "publish":
            publish(machine, tokens, priority=number % 3)
            dumb.publish(tokens, number % 3)
            tokens += 1
        elif step == "get":
            found = get(machine, token)
            assert (None if found is None else found[0]) == dumb.get(token)
        elif step == "ack":
            machine.apply(["ack", "q", number, token])
            dumb.ack(number, token)
        elif step in ("nack", "expire"):
            machine.apply(["nack", "q", number, token, False] if step == "nack" else ["expire", "q", number, token])
            dumb.back(number, token)
        else:
            saved = json.loads(json.dumps(machine.dump()))
            machine = queues(delivery_limit=3, priorities=3)
            machine.load(saved)
            assert machine.dump() == saved
        sizes = machine.sizes()
        assert sizes.get("q", [0, 0]) == [len(dumb.waiting), len(dumb.held)]
        assert sizes.get("q.dead", [0, 0])[0] == len(dumb.dead)
    while (found := get(machine)) is not None:
        assert found[0] == dumb.get("t")


def test_a_message_that_is_given_back_returns_to_its_place() -> None:
    machine = queues()
    publish(machine, "a", "b", "c")
    number, _ = get(machine, "one")
    machine.apply(["nack", "q", number, "one", False])
    assert [get(machine)[1] for _ in range(3)] == ["a", "b", "c"]


def test_an_acknowledgement_counts_for_its_own_delivery_only() -> None:
    machine = queues()
    publish(machine, "a")
    number, _ = get(machine, "old")
    machine.apply(["expire", "q", number, "old"])
    get(machine, "new")
    assert machine.apply(["ack", "q", number, "old"]) == {"ok": False}
    assert machine.apply(["ack", "q", number, "new"]) == {"ok": True}
    assert machine.apply(["ack", "q", number, "new"]) == {"ok": False}, "once"


def test_an_empty_queue_says_how_much_is_delivered() -> None:
    machine = queues()
    publish(machine, "a")
    get(machine)
    assert machine.apply(["get", "q", "u", False]) == {"ok": True, "empty": True, "hidden": 1}


def test_a_publishers_repetition_is_recognised_by_its_number() -> None:
    machine = queues()
    for sequence in (0, 1, 1, 0):
        machine.apply(["publish", "q", sequence, 0, "p", sequence])
    machine.apply(["publish", "q", 7, 0, "other", 0])
    assert machine.sizes()["q"] == [3, 0]


def test_dead_letters_are_not_buried_again() -> None:
    machine = queues(delivery_limit=1)
    publish(machine, "poison")
    number, _ = get(machine, "t")
    machine.apply(["nack", "q", number, "t", False])
    assert get(machine, "u") is None
    for _ in range(3):
        number, value = get(machine, "v", "q.dead")
        assert value == "poison"
        machine.apply(["nack", "q.dead", number, "v", False])


def test_the_seeded_bugs_lose_what_they_say() -> None:
    machine = queues("nack-drops")
    publish(machine, "a")
    number, _ = get(machine, "t")
    machine.apply(["nack", "q", number, "t", False])
    assert machine.sizes()["q"] == [0, 0]
    machine = queues("acked-at-delivery")
    publish(machine, "a")
    get(machine, "t")
    assert list(machine.deliveries()) == []
    machine = queues("snapshot-loses-order")
    publish(machine, "a", "b")
    assert [message[1] for message in machine.dump()["queues"]["q"]["waiting"]] == ["b", "a"]
