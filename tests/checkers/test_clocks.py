"""Logical clocks: right ones pass, whatever messages do; each way to break them is found; verdicts are the definition's."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkers.clocks import make
from harness.history import History
from harness.verdict import Budget, ReadsNodeLogs, Validity, Verdict

NODES = ("n1", "n2", "n3")
Logs = dict[str, list[dict[str, Any]]]
Clock = dict[str, int]


def judged(logs: Logs, budget: Budget | None = None) -> Verdict:
    checker = make()
    assert isinstance(checker, ReadsNodeLogs)
    return checker.with_logs(logs).check(History.of([]), budget or Budget())


def world(seed: int, events: int, *, vector: bool, on_receive: Callable[[Clock, Clock], None] | None = None) -> Logs:
    """Nodes that send, receive (late, twice, out of order, never) and work. ``on_receive`` merges clocks; else as it is right."""
    dice = random.Random(seed)
    clocks: dict[str, Clock] = {node: dict.fromkeys(NODES, 0) if vector else {"": 0} for node in NODES}
    sent: list[tuple[str, Clock]] = []
    logs: Logs = {node: [] for node in NODES}
    for _ in range(events):
        node, kind = dice.choice(NODES), dice.choice(["local", "send", "receive"])
        clock, message = clocks[node], None
        if kind == "receive":
            if not sent:
                continue
            message, theirs = dice.choice(sent)
            if on_receive:
                on_receive(clock, theirs)
            else:
                for name in clock:
                    clock[name] = max(clock[name], theirs[name])
        clock[node if vector else ""] += 1
        if kind == "send":
            message = f"m{len(sent)}"
            sent.append((message, dict(clock)))
        read: Any = dict(clock) if vector else clock[""]
        logs[node].append({"event": "clock", "kind": kind, "message": message, "clock": read})
    return logs


def definition(logs: Logs) -> tuple[bool, int]:
    """Whether the clock condition holds, and how many pairs of readings tell an order that was not, by walking all paths."""
    events = [(node, place, line) for node in NODES for place, line in enumerate(logs[node])]

    def next_of(event: tuple[str, int, dict[str, Any]]) -> list[tuple[str, int]]:
        node, place, line = event
        found = [(node, place + 1)] if place + 1 < len(logs[node]) else []
        if line["kind"] == "send":
            found += [
                (n, p) for n, p, other in events if other["kind"] == "receive" and other["message"] == line["message"]
            ]
        return found

    def after(event: tuple[str, int, dict[str, Any]]) -> set[tuple[str, int]]:
        seen: set[tuple[str, int]] = set()
        rest = next_of(event)
        while rest:
            node, place = rest.pop()
            if (node, place) not in seen:
                seen.add((node, place))
                rest += next_of((node, place, logs[node][place]))
        return seen

    def less(one: Any, other: Any) -> bool:
        if isinstance(one, int):
            return bool(one < other)
        names = {*one, *other}
        return one != other and all(one.get(name, 0) <= other.get(name, 0) for name in names)

    kept, false = True, 0
    for event in events:
        later = after(event)
        for node, place, line in events:
            ordered = less(event[2]["clock"], line["clock"])
            kept &= ordered or (node, place) not in later
            false += ordered and (node, place) not in later
    return kept, false


def no_merge(_mine: Clock, _theirs: Clock) -> None:
    """A node that does not look at the clock of what it receives."""


def too_much(mine: Clock, _theirs: Clock) -> None:
    """A node that counts the others ahead of what it can know."""
    for name in mine:
        mine[name] += 1


@given(st.integers(0, 10**9), st.booleans(), st.sampled_from([None, no_merge, too_much]))
def test_verdicts_are_those_of_the_definition(
    seed: int, vector: bool, merge: Callable[[Clock, Clock], None] | None
) -> None:
    logs = world(seed, 14, vector=vector, on_receive=merge)
    verdict = judged(logs)
    kept, false = definition(logs)
    names = verdict.stats.get("anomalies", {})
    assert (names.get("clock-condition", 0) == 0) == kept
    assert names.get("false-order", 0) == false
    assert (verdict.validity is Validity.INVALID) == (not kept or (vector and false > 0))


@pytest.mark.parametrize("vector", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_right_clocks_pass(vector: bool, seed: int) -> None:
    verdict = judged(world(seed, 300, vector=vector))
    assert verdict.validity is Validity.VALID
    assert (verdict.stats["anomalies"].get("false-order", 0) == 0) == vector  # the converse is false for Lamport's
    assert ("tell an order that was not" in verdict.reason) == (not vector)


@pytest.mark.parametrize(("merge", "name"), [(no_merge, "clock-condition"), (too_much, "false-order")])
def test_wrong_vectors_are_found_and_told(merge: Callable[[Clock, Clock], None], name: str) -> None:
    verdict = judged(world(1, 300, vector=True, on_receive=merge))
    assert name in {anomaly.name for anomaly in verdict.anomalies}
    assert all("event " in anomaly.reason for anomaly in verdict.anomalies)


def line(kind: str, clock: Any, message: Any = None) -> dict[str, Any]:
    return {"event": "clock", "kind": kind, "message": message, "clock": clock}


def test_the_words() -> None:
    (anomaly,) = judged({"n1": [line("send", 5, "m")], "n2": [line("receive", 5, "m")]}).anomalies
    assert anomaly.reason == (
        'event 1 of n1 (send of "m", clock 5) happened before event 1 of n2 (receive of "m", clock 5), but its reading is not less'
    )


def test_a_large_record_is_sampled() -> None:
    logs = world(3, 200, vector=False)
    whole, part = judged(logs), judged(logs, Budget(steps_max=2_000))
    assert 0 < part.stats["pairs_looked_at"] < whole.stats["pairs_looked_at"] / 5
    assert part.validity is Validity.VALID


@pytest.mark.parametrize(
    ("logs", "why"),
    [
        ({"n1": [line("local", 1)], "n2": []}, "no message was sent and received"),
        ({"n1": [line("send", 1)]}, "logged an event of kind"),
        ({"n1": [line("jump", 1)]}, "logged an event of kind"),
        ({"n1": [line("local", None)]}, "which is no number"),
        ({"n1": [line("local", {"n9": 1})]}, "which is no number"),
        ({"n1": [line("local", 1), line("local", {"n1": 2})], "n2": []}, "some clocks are numbers"),
        ({"n1": [line("send", 1, "m"), line("send", 2, "m")]}, "two events sent"),
        ({"n1": [line("receive", 1, "m"), line("send", 2, "m")]}, "an event happened before itself"),
    ],
)
def test_what_cannot_be_judged_is_unknown(logs: Logs, why: str) -> None:
    verdict = judged(logs)
    assert verdict.validity is Validity.UNKNOWN
    assert why in verdict.reason


def test_a_message_that_nobody_is_seen_to_send_leaves_false_orders_open() -> None:
    logs = {
        "n1": [line("send", {"n1": 1}, "m")],
        "n2": [line("receive", {"n1": 1, "n2": 1}, "m"), line("receive", {"n1": 9, "n2": 2}, "x")],
    }
    verdict = judged(logs)
    assert verdict.validity is Validity.UNKNOWN
    assert "1 receive of messages that no log shows as sent" in verdict.reason


def test_without_logs_nothing_is_known() -> None:
    assert make().check(History.of([]), Budget()).validity is Validity.UNKNOWN
