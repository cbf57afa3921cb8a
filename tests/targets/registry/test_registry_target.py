"""The registry as the harness sees it: bugs and claims are told whole; what the client says of each answer."""

from __future__ import annotations

import asyncio
import random
from dataclasses import fields
from typing import Any

import pytest

from harness.op import Op, OpType
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from harness.registry import load
from nemesis import FAULTS
from targets.node import codes
from targets.node.programs import PROGRAMS
from targets.registry.client import CHANGES, ERRORS, READS, RegistryClient
from targets.registry.service.bugs import Bugs
from targets.registry.target import REGISTRY

OK, FAIL, INFO = OpType.OK, OpType.FAIL, OpType.INFO


def test_the_target_is_told_whole() -> None:
    assert REGISTRY.program in PROGRAMS.values()
    assert callable(load(REGISTRY.program))
    assert callable(load(REGISTRY.client))
    assert {bug.name for bug in REGISTRY.bugs} == {field.name.replace("_", "-") for field in fields(Bugs)}
    assert all(bug.checker == bug.settings.get("workload", "registry") for bug in REGISTRY.bugs)
    assert all(bug.source and set(bug.faults) <= set(FAULTS) for bug in REGISTRY.bugs)
    topics = {claim.topic for claim in REGISTRY.claims}
    assert all(
        {bool(claim.violates) for claim in REGISTRY.claims if claim.topic == topic} == {True, False} for topic in topics
    )


class Node:
    """Answers with ``answers`` in turn; the last one again and again. What is an exception it raises."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, Body]] = []

    async def rpc(self, node: str, body: Body, _timeout_s: float) -> Body:
        self.asked.append((node, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        found: Body = answer
        return found


def carried_out(node: Node, *ops: Op) -> list[Op]:
    seat = ClientSeat(channel=node, node="n2", nodes=("n1", "n2"), name="c1", rng=random.Random(1), timeout_s=1.0)
    client = RegistryClient(seat)

    async def all_of_them() -> list[Op]:
        return [await client.invoke(op) for op in ops]

    return asyncio.run(all_of_them())


def an(f: str, value: Any = "a") -> Op:
    key = 1 if f in ("register", "deregister", "lookup", "serve", "instances", "healthy") else None
    return Op(f=f, key=key, value=None if f in READS else value, process=1)


@pytest.mark.parametrize(
    ("answer", "changed", "read"),
    [
        (NoAnswer("n2"), INFO, FAIL),
        (NotSent("n2"), FAIL, FAIL),
        (RpcError(codes.PRECONDITION, "ended"), FAIL, FAIL),
        (RpcError(codes.UNAVAILABLE, "no leader"), FAIL, FAIL),
        (RpcError(codes.TIMEOUT, "no answer"), INFO, FAIL),
    ],
)
def test_an_operation_is_a_fail_only_if_it_certainly_did_nothing(
    answer: Exception, changed: OpType, read: OpType
) -> None:
    for f in CHANGES:
        assert carried_out(Node(answer), an(f))[0].type is changed
    for f in READS:
        assert carried_out(Node(answer), an(f))[0].type is read


def test_the_table_says_what_the_protocol_says() -> None:
    assert all(codes.is_definite(code) == certain for code, certain in ERRORS.items())


def test_a_session_opens_once_and_is_told_what_it_was_promised() -> None:
    node = Node({"ttl_s": 2.0}, {"ttl_s": 2.0}, {"alive": False})
    done = carried_out(node, an("register"), an("register"), an("beat"))
    assert [body.get("opens") for _, body in node.asked] == [True, False, None]
    assert done[0].value == {"session": "a", "ttl_s": 2.0}
    assert done[2].value == {"session": "a", "alive": False}


def test_an_instance_is_told_its_check_and_readings_what_was_found() -> None:
    check = {"interval_s": 0.5, "timeout_s": 0.5, "failures": 3, "deregister_s": 3.0}
    node = Node({"check": check}, {}, {"found": [["a", "critical"]]}, {"found": []})
    done = carried_out(node, an("serve"), an("mute"), an("instances"), an("healthy"))
    assert [body.get("instance") for _, body in node.asked] == ["a", "a", None, None]
    assert [body.get("service") for _, body in node.asked] == ["s1", None, "s1", "s1"]
    assert [op.value for op in done] == [{"instance": "a", **check}, "a", [["a", "critical"]], []]


def test_a_watch_goes_on_where_it_was_wherever_that_is() -> None:
    answers = [{"changes": [[number, "up", "s1", "a"]], "upto": number} for number in range(1, 21)]
    node = Node(*answers)
    done = carried_out(node, *(an("watch") for _ in answers))
    assert [body["since"] for _, body in node.asked] == list(range(20))
    assert {name for name, _ in node.asked} == {"n1", "n2"}
    assert done[4].value == {"since": 4, "changes": [[5, "up", 1, "a"]], "upto": 5}


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(ValueError, match="not 'peek'"):
        carried_out(Node({}), an("peek"))
