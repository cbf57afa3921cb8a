"""The registry's state: against a dumb twin, over snapshots, and rule by rule."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.registry.service.bugs import Bugs
from targets.registry.service.config import Config
from targets.registry.service.machine import Entries

SERVICES, SESSIONS = st.sampled_from(["s0", "s1"]), st.sampled_from(["a", "b"])
COMMANDS = st.lists(
    st.one_of(
        st.tuples(st.just("register"), SERVICES, SESSIONS, st.booleans()),
        st.tuples(st.just("deregister"), SERVICES, SESSIONS),
        st.tuples(st.sampled_from(["beat", "leave"]), SESSIONS),
        st.tuples(st.just("expire"), SESSIONS, st.integers(1, 3)),
    ),
    max_size=30,
)


class Dumb:
    """The whole past, looked through anew for every command."""

    def __init__(self) -> None:
        self.past: list[tuple[Any, ...]] = []

    def turn(self, session: str) -> int:
        """How often it was heard of since it opened; 0 if it has ended."""
        heard = 0
        for f, *rest in self.past:
            if session in rest:
                heard = 0 if f in ("leave", "expire") else heard + (f in ("register", "beat"))
        return heard

    def found(self, service: str) -> list[str]:
        there: set[str] = set()
        for f, *rest in self.past:
            if f == "register" and rest[0] == service:
                there.add(rest[1])
            elif f == "deregister" and rest[0] == service:
                there.discard(rest[1])
            elif f in ("leave", "expire"):
                there.discard(rest[0])
        return sorted(there)

    def apply(self, command: tuple[Any, ...]) -> bool:
        f, *rest = command
        match f:
            case "register":
                may = rest[2] or self.turn(rest[1]) > 0
            case "deregister":
                may = rest[1] in self.found(rest[0])
            case "expire":
                may = self.turn(rest[0]) == rest[1]
            case _:
                may = self.turn(rest[0]) > 0
        if may:
            self.past.append(command)
        return bool(may)


@given(COMMANDS, st.integers(0, 30))
def test_a_registry_is_what_its_whole_past_says_and_a_snapshot_changes_nothing(
    commands: list[tuple[Any, ...]], at: int
) -> None:
    entries, dumb = Entries(Bugs()), Dumb()
    for place, command in enumerate(commands):
        if place == at:
            saved = json.loads(json.dumps(entries.dump()))
            entries = Entries(Bugs())
            entries.load(saved)
        assert entries.apply(list(command))["ok"] == dumb.apply(command)
        assert [entries.found(service) for service in ("s0", "s1")] == [dumb.found("s0"), dumb.found("s1")]
    assert dict(entries.leases()) == {s: dumb.turn(s) for s in ("a", "b") if dumb.turn(s)}


@given(COMMANDS, st.integers(1, 3))
def test_changes_tell_all_that_is_there_however_few_are_asked_for_at_once(
    commands: list[tuple[Any, ...]], most: int
) -> None:
    entries = Entries(Bugs())
    for command in commands:
        entries.apply(list(command))
    told: list[list[Any]] = []
    while more := entries.since(len(told), most):
        assert len(more) <= most
        told += more
    assert [change[0] for change in told] == list(range(1, entries.revision + 1))
    there: set[tuple[str, str]] = set()
    for _, what, service, session in told:
        assert ((service, session) in there) == (what == "down")
        (there.add if what == "up" else there.discard)((service, session))
    assert there == {(service, session) for service in ("s0", "s1") for session in entries.found(service)}


def test_a_session_that_was_heard_of_meanwhile_does_not_end() -> None:
    entries = Entries(Bugs())
    entries.apply(["register", "s0", "a", True])
    ((_, turn),) = entries.leases()
    entries.apply(["beat", "a"])
    assert not entries.apply(["expire", "a", turn])["ok"]
    assert entries.found("s0") == ["a"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"clock": "sun"}, "option clock='sun' is none of monotonic, wall"),
        ({"ttl_s": 0}, "ttl_s must be above 0"),
        ({"batch_max": "x"}, "option batch_max='x' must be a whole number"),
        ({"probe_s": 0.4, "probe_timeout_s": 0.5}, "0 < probe_timeout_s <= probe_s must hold"),
        ({"probe_failures": 0}, "probe_failures must be at least 1 and deregister_s above 0"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Config.of(options)


def test_an_unknown_bug_is_refused() -> None:
    with pytest.raises(ValueError, match="registry has no seeded bug 'nonsense'"):
        Bugs.named("nonsense")
