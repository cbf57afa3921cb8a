"""The locks: against a dumb twin, over snapshots, and rule by rule."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.lock.service.bugs import Bugs
from targets.lock.service.machine import Locks

TOKENS = st.integers(1, 4)
TURNS = st.integers(1, 6)
COMMANDS = st.lists(
    st.one_of(
        st.tuples(st.just("acquire"), st.just(None)),
        st.tuples(st.sampled_from(["renew", "release"]), TOKENS),
        st.tuples(st.just("expire"), TURNS),
    ),
    max_size=40,
)


def locks(bug: str | None = None) -> Locks:
    return Locks(Bugs.named(bug))


def done(machine: Locks, *command: Any) -> bool:
    name, *rest = command
    return bool(machine.apply([name, "l", *rest])["ok"])


class Dumb:
    """The whole past of one lock, looked through anew for every command."""

    def __init__(self) -> None:
        self.past: list[tuple[str, Any]] = []

    def apply(self, name: str, argument: Any) -> bool:
        grants = sum(one == "acquire" for one, _ in self.past)
        turns = sum(one in ("acquire", "renew") for one, _ in self.past)
        ends = [one for one, _ in self.past if one != "renew"]
        held = bool(ends) and ends[-1] == "acquire"
        may = {
            "acquire": not held,
            "renew": held and argument == grants,
            "release": held and argument == grants,
            "expire": held and argument == turns,
        }[name]
        if may:
            self.past.append((name, argument))
        return may


@given(COMMANDS, st.integers(0, 40))
def test_a_lock_does_what_its_whole_past_says_and_a_snapshot_changes_nothing(
    commands: list[tuple[str, Any]], at: int
) -> None:
    machine, dumb = locks(), Dumb()
    for place, (name, argument) in enumerate(commands):
        if place == at:
            saved = json.loads(json.dumps(machine.dump()))
            machine = locks()
            machine.load(saved)
        assert done(machine, name, argument) == dumb.apply(name, argument)


@given(COMMANDS)
def test_every_grant_has_a_greater_token_than_all_before(commands: list[tuple[str, Any]]) -> None:
    machine, given_out = locks(), [0]
    for name, argument in commands:
        result = machine.apply([name, "l", argument])
        if name == "acquire" and result["ok"]:
            given_out.append(result["token"])
    assert given_out == sorted(set(given_out))


def test_a_lease_that_was_renewed_meanwhile_does_not_expire() -> None:
    machine = locks()
    assert done(machine, "acquire", None)
    ((_, turn),) = machine.leases()
    assert done(machine, "renew", 1)
    assert not done(machine, "expire", turn)
    assert machine.tokens() == {"l": 1}


def test_a_late_holder_can_neither_renew_nor_release_what_another_one_holds() -> None:
    machine = locks()
    assert done(machine, "acquire", None)
    assert done(machine, "expire", 1)
    assert done(machine, "acquire", None)
    assert not done(machine, "renew", 1)
    assert not done(machine, "release", 1)
    assert machine.tokens() == {"l": 2}


@pytest.mark.parametrize(
    ("bug", "commands"),
    [
        ("release-by-anybody", [("acquire", None), ("release", 7), ("acquire", None)]),
        ("holder-lost-in-snapshot", [("acquire", None), "snapshot", ("acquire", None)]),
    ],
)
def test_a_bug_lets_a_second_one_in(bug: str, commands: list[Any]) -> None:
    assert [_last(locks(name), name, commands) for name in (None, bug)] == [False, True]


@pytest.mark.parametrize(
    ("bug", "commands"),
    [
        ("token-lost-in-snapshot", [("acquire", None), ("release", 1), "snapshot", ("acquire", None)]),
        ("expiry-keeps-token", [("acquire", None), ("expire", 1), ("acquire", None)]),
    ],
)
def test_a_bug_gives_a_token_twice(bug: str, commands: list[Any]) -> None:
    found = []
    for name in (None, bug):
        machine = locks(name)
        assert _last(machine, name, commands)
        found.append(machine.tokens()["l"])
    assert found == [2, 1]


def _last(machine: Locks, bug: str | None, commands: list[Any]) -> bool:
    """Whether the last command was carried out. A snapshot is taken and restored in place."""
    result = False
    for command in commands:
        if command == "snapshot":
            machine.load(json.loads(json.dumps(machine.dump())))
        else:
            result = done(machine, *command)
    return result
