"""The replicated machine and its sessions, against a dictionary."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.kv.raft.bugs import Bugs
from targets.kv.raft.machine import ADD_OK, CAS_OK, DIFFERS, MISSING, NO_NUMBER, STALE, WRITE_OK, Machine, same
from targets.node import codes

JSON_SCALARS = [None, True, False, 0, 1, -1, 1.0, 0.0, "", "1", "true", "null", "s1"]


def machine(**bugs: bool) -> Machine:
    return Machine(4096, Bugs(**bugs))


def test_a_key_that_was_never_written_does_not_exist() -> None:
    assert machine().read("x") is MISSING
    assert MISSING["code"] == codes.KEY_MISSING


def test_a_written_null_is_a_value() -> None:
    m = machine()
    m.apply(["write", "x", None, None, None])
    assert m.read("x") == {"type": "read_ok", "value": None}


def test_an_add_counts_from_nothing_and_once_per_request() -> None:
    m = machine()
    assert m.apply(["add", None, 5, "c1", 1]) is ADD_OK
    assert m.apply(["add", None, 5, "c1", 1]) is ADD_OK
    assert m.apply(["add", None, -7, "c1", 2]) is ADD_OK
    assert m.read(None)["value"] == -2
    m.load(json.loads(json.dumps(m.dump())))
    assert m.apply(["add", None, -7, "c1", 2]) == ADD_OK
    assert m.read(None)["value"] == -2


def test_only_whole_numbers_can_be_added() -> None:
    m = machine()
    m.apply(["write", "x", "text", None, None])
    for command in (["add", "x", 1, None, None], ["add", "y", 1.5, None, None], ["add", "y", True, None, None]):
        assert m.apply(command) is NO_NUMBER
    assert m.read("x")["value"] == "text"
    assert m.read("y") is MISSING


def test_cas_changes_the_value_if_it_is_the_expected_one() -> None:
    m = machine()
    assert m.apply(["cas", "x", 1, 2, None, None]) is MISSING
    m.apply(["write", "x", 1, None, None])
    assert m.apply(["cas", "x", 2, 3, None, None]) is DIFFERS
    assert m.apply(["cas", "x", 1, 2, None, None]) is CAS_OK
    assert m.read("x")["value"] == 2


@pytest.mark.parametrize("one", JSON_SCALARS)
@pytest.mark.parametrize("other", JSON_SCALARS)
def test_keys_and_values_are_equal_iff_they_are_the_same_json(one: Any, other: Any) -> None:
    m = machine()
    m.apply(["write", one, "here", None, None])
    equal = json.dumps(one) == json.dumps(other)
    assert (m.read(other) is not MISSING) == equal
    assert same(one, other) == equal
    assert same([one], [other]) == equal


def test_a_request_that_is_repeated_is_answered_with_the_recorded_result_and_not_carried_out_again() -> None:
    m = machine()
    m.apply(["write", "x", 1, "c1", 1])
    m.apply(["write", "x", 2, "c2", 1])
    assert m.apply(["write", "x", 1, "c1", 1]) == WRITE_OK
    assert m.read("x")["value"] == 2


def test_a_recorded_refusal_is_the_answer_although_the_request_would_succeed_now() -> None:
    m = machine()
    m.apply(["write", "x", 1, "c1", 1])
    assert m.apply(["cas", "x", 7, 8, "c1", 2]) == DIFFERS
    m.apply(["write", "x", 7, "c2", 1])
    assert m.apply(["cas", "x", 7, 8, "c1", 2]) == DIFFERS
    assert m.read("x")["value"] == 7


def test_a_request_that_its_client_has_given_up_is_stale() -> None:
    m = machine()
    m.apply(["write", "x", 2, "c1", 2])
    assert m.apply(["write", "x", 1, "c1", 1]) is STALE
    assert m.read("x")["value"] == 2
    assert not codes.is_definite(STALE["code"])


def test_requests_without_an_id_have_no_session() -> None:
    m = machine()
    for value in (1, 2, 1):
        assert m.apply(["write", "x", value, None, None]) == WRITE_OK
    assert m.read("x")["value"] == 1
    assert m.dump()["sessions"] == []


def test_the_least_recently_served_session_is_forgotten_first() -> None:
    m = Machine(2, Bugs())
    for client in ("c1", "c2", "c1", "c3"):
        m.apply(["write", client, 1, client, 1])
    assert [client for client, _, _ in m.dump()["sessions"]] == ["c1", "c3"]


COMMAND = st.tuples(st.sampled_from("wc"), st.sampled_from("xy"), st.integers(0, 2), st.integers(0, 2))
STEP = st.one_of(
    st.tuples(st.just("new"), st.sampled_from(["c1", "c2", None]), COMMAND),
    st.tuples(st.just("again"), st.sampled_from(["c1", "c2"])),
    st.tuples(st.just("snapshot")),
)


def command(described: tuple[str, str, int, int], client: str | None, seq: int | None) -> list[Any]:
    kind, key, one, two = described
    return ["write", key, one, client, seq] if kind == "w" else ["cas", key, one, two, client, seq]


@given(st.lists(STEP, max_size=40))
def test_the_machine_is_a_dictionary_that_carries_out_each_request_once(steps: list[Any]) -> None:
    m, twin = machine(), dict[str, int]()
    last: dict[str, tuple[list[Any], Any]] = {}
    for kind, *args in steps:
        if kind == "snapshot":
            dump = json.loads(json.dumps(m.dump()))
            m = machine()
            m.load(dump)
        elif kind == "again":
            if args[0] in last:
                repeated, result = last[args[0]]
                assert m.apply(repeated) == result
        else:
            client, described = args
            seq = None if client is None else last[client][0][-1] + 1 if client in last else 1
            fresh = command(described, client, seq)
            result = m.apply(fresh)
            _, key, one, two = described
            if described[0] == "w":
                assert result == WRITE_OK
                twin[key] = one
            else:
                assert result == (MISSING if key not in twin else CAS_OK if twin[key] == one else DIFFERS)
                if result == CAS_OK:
                    twin[key] = two
            if client is not None:
                last[client] = (fresh, result)
        for key in "xy":
            assert m.read(key) == ({"type": "read_ok", "value": twin[key]} if key in twin else MISSING)


def test_bug_apply_twice_on_retry() -> None:
    m = machine(apply_twice_on_retry=True)
    for command_ in (["write", "x", 1, "c1", 1], ["write", "x", 2, "c2", 1], ["write", "x", 1, "c1", 1]):
        m.apply(command_)
    assert m.read("x")["value"] == 1


def test_bug_snapshot_drops_sessions() -> None:
    m = machine(snapshot_drops_sessions=True)
    m.apply(["write", "x", 1, "c1", 1])
    assert m.dump() == {"keys": [["x", 1]], "sessions": []}
