"""Reads on every server, and the sessions that keep a client from going back."""

from __future__ import annotations

from typing import Any

import pytest

from targets.kv.raft.log import Entry
from targets.node import codes
from targets.node.env import Body
from tests.targets.kv.raft.desk import Desk, of_type


def write(value: Any, key: Any = "x") -> Entry:
    return [1, ["write", key, value, None, None]]


def follower(entries: list[Entry], commit: int, **options: Any) -> Desk:
    desk = Desk(3, reads="local", **options)
    desk.append("n2", 1, entries=entries, commit=commit)
    return desk


def answer(desk: Desk, **fields: Any) -> Body:
    ((_, body),) = desk.ask("read", key="x", **fields)
    return {name: value for name, value in body.items() if name != "in_reply_to"}


def test_a_follower_answers_from_what_it_has_applied() -> None:
    assert answer(follower([write(1), write(2)], 1)) == {"type": "read_ok", "value": 1, "index": 1}


def test_a_key_that_was_never_written_reads_as_null() -> None:
    assert answer(follower([write(1, "y")], 1)) == {"type": "read_ok", "value": None, "index": 1}


def test_a_server_that_lags_behind_the_client_refuses() -> None:
    desk = follower([write(1), write(2)], 1)
    assert answer(desk, after=1)["value"] == 1
    assert answer(desk, after=2)["code"] == codes.UNAVAILABLE
    desk.append("n2", 1, prev=(2, 1), commit=2)
    assert answer(desk, after=2) == {"type": "read_ok", "value": 2, "index": 2}


def test_what_is_no_index_is_malformed() -> None:
    assert answer(follower([], 0), after="2")["code"] == codes.MALFORMED


def test_a_leader_answers_reads_at_once_and_writes_with_their_place() -> None:
    desk = Desk(3, reads="local")
    desk.lead(1)
    desk.ask("write", key="x", value=5)
    (done,) = of_type(desk.acknowledge("n2"), "write_ok").values()
    assert done["index"] == desk.state.log.last_index == 2
    assert answer(desk, after=2) == {"type": "read_ok", "value": 5, "index": 2}


def test_elsewhere_answers_have_no_index() -> None:
    desk = Desk(3)
    desk.lead(1)
    desk.ask("write", key="x", value=5)
    (done,) = of_type(desk.acknowledge("n2"), "write_ok").values()
    assert "index" not in done


@pytest.mark.parametrize(
    ("bug", "fields", "shown"),
    [
        ("session-not-awaited", {"after": 9}, {"type": "read_ok", "value": 1, "index": 1}),
        ("read-without-index", {}, {"type": "read_ok", "value": 1}),
        ("read-uncommitted", {}, {"type": "read_ok", "value": 2, "index": 2}),
    ],
)
def test_seeded_bugs(bug: str, fields: dict[str, Any], shown: Body) -> None:
    assert answer(follower([write(1), write(2), write(3, "y")], 1, bug=bug), **fields) == shown


def test_bug_write_without_index() -> None:
    desk = Desk(3, reads="local", bug="write-without-index")
    desk.lead(1)
    desk.ask("write", key="x", value=5)
    (done,) = of_type(desk.acknowledge("n2"), "write_ok").values()
    assert "index" not in done
