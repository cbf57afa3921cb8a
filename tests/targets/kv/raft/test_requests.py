"""Clients' requests: errors that tell the truth, forwarding bound to a term, copies that change nothing."""

from __future__ import annotations

from typing import Any

import pytest

from targets.node import codes
from tests.targets.kv.raft.desk import Desk, of_type


@pytest.mark.parametrize(
    ("type_", "fields"),
    [
        ("read", {}),
        ("write", {"key": "x"}),
        ("write", {"value": 1}),
        ("cas", {"key": "x", "from": 1}),
        ("cas", {"key": "x", "to": 1}),
        ("write", {"key": ["x"], "value": 1}),
        ("read", {"key": {}}),
        ("add_member", {}),
    ],
)
def test_a_malformed_request_is_refused(type_: str, fields: dict[str, Any]) -> None:
    desk = Desk(3)
    desk.lead(1)
    assert of_type(desk.ask(type_, **fields), "error")["c0"]["code"] == codes.MALFORMED


def test_without_a_leader_the_answer_is_temporarily_unavailable_at_once() -> None:
    desk = Desk(3)
    sent = desk.ask("write", key="x", value=1)
    assert [(dest, body["code"]) for dest, body in sent] == [("c0", codes.UNAVAILABLE)]
    assert codes.is_definite(codes.UNAVAILABLE)


def test_a_follower_forwards_and_hands_back_the_answer() -> None:
    desk = Desk(3)
    desk.append("n2", 4)
    forwarded = of_type(desk.ask("write", key="x", value=1, client="c0", seq=1), "forward")["n2"]
    sent = desk.say("n2", type="forwarded", id=forwarded["id"], reply={"type": "write_ok"})
    assert (forwarded["term"], forwarded["request"]["value"]) == (4, 1)
    assert sent == [("c0", {"type": "write_ok", "in_reply_to": 1})]


def test_an_answer_that_comes_twice_or_too_late_is_dropped() -> None:
    desk = Desk(3)
    desk.append("n2", 1)
    forwarded = of_type(desk.ask("read", key="x"), "forward")["n2"]
    answer = {"type": "forwarded", "id": forwarded["id"], "reply": {"type": "read_ok", "value": 1}}
    desk.say("n2", **answer)
    assert desk.say("n2", **answer) == []
    assert desk.restart().say("n2", **answer) == []


def test_forwarded_requests_are_forgotten_after_a_while() -> None:
    desk = Desk(3, forward_max_s=2.0)
    for _ in range(10):
        desk.append("n2", 1)
        desk.ask("read", key="x")
        desk.turn(0.25)
        desk.append("n2", 1)
        desk.turn(0.25)
    assert len(desk.raft.requests._forwarded) == 4


def forward(desk: Desk, term: int, request: dict[str, Any], name: str = "c7/1") -> list[Any]:
    return [
        body["reply"]
        for dest, body in desk.say("n2", type="forward", term=term, id=name, request=request)
        if dest == "n2" and body["type"] == "forwarded"
    ]


def test_a_request_that_was_forwarded_to_the_leader_of_another_term_is_refused_for_ever() -> None:
    desk = Desk(3)
    desk.lead(3)
    for term in (2, 4):
        assert [reply["code"] for reply in forward(desk, term, {"type": "write", "key": "x", "value": 1})] == [11]
    desk.append("n2", 5)
    assert [reply["code"] for reply in forward(desk, 3, {"type": "write", "key": "x", "value": 1})] == [11]
    desk.lead(6)
    assert [reply["code"] for reply in forward(desk, 3, {"type": "write", "key": "x", "value": 1})] == [11]
    assert all(command is None for command in desk.commands())


def test_a_forwarded_request_is_answered_when_it_is_applied() -> None:
    desk = Desk(3)
    desk.lead(1)
    assert forward(desk, 1, {"type": "write", "key": "x", "value": 1}) == []
    assert of_type(desk.acknowledge("n3"), "forwarded")["n2"] == {
        "type": "forwarded",
        "id": "c7/1",
        "reply": {"type": "write_ok"},
    }


def test_a_copy_of_a_request_without_an_id_is_not_applied() -> None:
    desk = Desk(3)
    desk.lead(1)
    for name in ("c7/1", "c7/1", "c7/2"):
        forward(desk, 1, {"type": "write", "key": "x", "value": 1}, name)
    assert len(desk.commands()) == 3  # the no-op and two writes


def test_a_copy_of_a_request_with_an_id_is_applied_once_and_answered_twice() -> None:
    desk = Desk(3)
    desk.lead(1)
    request = {"type": "cas", "key": "x", "from": 1, "to": 2, "client": "c7", "seq": 5}
    desk.ask("write", key="x", value=1)
    for name in ("c7/1", "c7/2"):
        forward(desk, 1, request, name)
    sent = desk.acknowledge("n2") + desk.acknowledge("n2")
    replies = [body["reply"]["type"] for _, body in sent if body["type"] == "forwarded"]
    assert replies == ["cas_ok", "cas_ok"]
    assert desk.raft.machine.read("x")["value"] == 2


def test_what_a_deposed_leader_proposed_is_answered_as_unknown() -> None:
    desk = Desk(3)
    desk.lead(1)
    desk.ask("write", key="x", value=1)
    desk.append("n2", 2)
    error = of_type(desk.env.sent, "error")["c0"]
    assert not codes.is_definite(error["code"])


def test_what_was_forwarded_to_a_leader_that_is_gone_is_answered_as_unknown() -> None:
    desk = Desk(3)
    desk.append("n2", 1)
    desk.ask("write", key="x", value=1)
    sent = desk.turn(0.7)
    assert not codes.is_definite(of_type(sent, "error")["c0"]["code"])
    assert of_type(desk.ask("write", key="x", value=1), "error")["c0"]["code"] == codes.UNAVAILABLE


def test_status_tells_what_faults_aim_at() -> None:
    desk = Desk(3)
    desk.lead(2)
    assert desk.raft.status() == {
        "role": "leader",
        "term": 2,
        "timeout_s": desk.raft.core.election.timeout_s,
        "leader": "n1",
        "commit": 1,
        "applied": 1,
        "last": 1,
        "members": ["n1", "n2", "n3"],
        "snapshot": 0,
    }
