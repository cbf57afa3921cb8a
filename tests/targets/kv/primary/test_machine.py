"""What is replicated: registers, sets, and the sessions that make a repeated request take effect once."""

from __future__ import annotations

from typing import Any

import pytest

from targets.kv.primary.bugs import Bugs
from targets.kv.primary.machine import ADD_OK, CAS_OK, DIFFERS, MISSING, OVERTAKEN, WRITE_OK, Machine, slot_of


def machine(bug: str | None = None, *, sessions_max: int = 10) -> Machine:
    return Machine(sessions_max, Bugs.named(bug))


def value(of: Machine, key: Any = "x") -> Any:
    return of.read(key).get("value")


def test_registers() -> None:
    one = machine()
    assert one.read("x") == MISSING
    assert one.apply(["cas", "x", 1, 2, None, None]) == MISSING
    assert one.apply(["write", "x", 1, None, None]) == WRITE_OK
    assert one.apply(["cas", "x", 2, 3, None, None]) == DIFFERS
    assert one.apply(["cas", "x", 1, 3, None, None]) == CAS_OK
    assert value(one) == 3


def test_a_set_keeps_the_order_and_holds_an_element_once() -> None:
    one = machine()
    for element in (3, 1, 3, 1.0, True):
        assert one.apply(["add", "x", element, None, None]) == ADD_OK
    assert value(one) == [3, 1, 1.0, True]


def test_a_key_stays_what_its_first_mutation_made_it() -> None:
    one = machine()
    one.apply(["add", "set", 1, None, None])
    one.apply(["write", "register", 1, None, None])
    for command in (
        ["write", "set", 1, None, None],
        ["cas", "set", 1, 2, None, None],
        ["add", "register", 1, None, None],
    ):
        assert one.apply(command)["type"] == "error"
    assert (value(one, "set"), value(one, "register")) == ([1], 1)


def test_a_repeated_request_has_the_result_that_it_had() -> None:
    one = machine()
    one.apply(["write", "x", 1, "c", 1])
    assert one.apply(["cas", "x", 1, 2, "c", 2]) == CAS_OK
    assert one.apply(["cas", "x", 1, 2, "c", 2]) == CAS_OK
    assert one.apply(["write", "x", 9, "c", 1]) == OVERTAKEN
    assert value(one) == 2


@pytest.mark.parametrize(
    ("bug", "seq"), [("retry-applied-twice", 2), ("retry-applied-twice", 1), ("late-copy-applied", 1)]
)
def test_the_bugs_that_carry_a_request_out_again(bug: str, seq: int) -> None:
    one = machine(bug)
    one.apply(["write", "x", 1, "c", 1])
    one.apply(["write", "x", 2, "c", 2])
    one.apply(["write", "x", 7, "c", seq])
    assert value(one) == 7


def test_the_least_recently_served_client_is_forgotten_first() -> None:
    one = machine(sessions_max=2)
    for client in ("a", "b", "a", "c"):
        one.apply(["write", "x", client, client, 1])
    assert [client for client, _, _ in one.dump()["sessions"]] == ["a", "c"]


@pytest.mark.parametrize(("bug", "sessions"), [(None, 1), ("checkpoint-drops-sessions", 0)])
def test_a_dump_loads_as_the_same_state(bug: str | None, sessions: int) -> None:
    one, other = machine(bug), machine()
    one.apply(["write", "x", {"a": [1]}, "c", 1])
    for element in (2, "2", None):
        one.apply(["add", "y", element, None, None])
    dump = one.dump()
    other.load(dump)
    assert other.dump() == dump
    assert len(dump["sessions"]) == sessions


def test_values_that_only_python_takes_for_equal_differ() -> None:
    assert len({slot_of(value) for value in (1, 1.0, True, "1", None, "null", [1], {"a": 1})}) == 8
