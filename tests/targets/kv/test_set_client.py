"""Adds travel as adds, and are otherwise what writes are."""

from __future__ import annotations

import random
from typing import Any

import pytest

from harness.op import Op, OpType
from harness.protocols import ClientSeat
from targets.kv.set_client import SetClient, forgetful
from targets.node import codes
from tests.targets.answering import SILENCE
from tests.targets.kv.test_client import NODES, OK, Script, on_virtual_time


def invoke(script: Script, *ops: Op, forgets: bool = False) -> list[Op]:
    seat = ClientSeat(channel=script, node="n2", nodes=NODES, name="c5", rng=random.Random(1), timeout_s=2.0)

    async def all_of_them() -> list[Op]:
        client = forgetful(seat) if forgets else SetClient(seat)
        return [await client.invoke(op) for op in ops]

    done: list[Op] = on_virtual_time(all_of_them)
    return done


def op(f: str, value: Any = None) -> Op:
    return Op(f=f, key="x", value=value, process=5)


def test_an_add_is_sent_with_its_element_and_a_request_id() -> None:
    script = Script(OK)
    [done] = invoke(script, op("add", 3))
    assert script.asked == [("n2", {"type": "add", "key": "x", "element": 3, "client": "c5", "seq": 1})]
    assert (done.f, done.value, done.type) == ("add", 3, OpType.OK)


def test_every_attempt_of_an_add_is_the_same_request() -> None:
    script = Script(SILENCE, codes.UNAVAILABLE, OK)
    [done] = invoke(script, op("add", 3))
    assert done.type is OpType.OK
    assert [node for node, _ in script.asked] == ["n2", "n3", "n1"]
    assert all(body == script.asked[0][1] for _, body in script.asked)


def test_adds_and_writes_share_their_numbers_and_keep_their_messages() -> None:
    script = Script(OK)
    invoke(script, op("add", 3), op("read"), op("write", 4), op("cas", [4, 5]))
    assert [(body["type"], body.get("seq")) for _, body in script.asked] == [
        ("add", 1),
        ("read", None),
        ("write", 2),
        ("cas", 3),
    ]


@pytest.mark.parametrize(("script", "outcome"), [([SILENCE], OpType.INFO), ([codes.UNAVAILABLE], OpType.FAIL)])
def test_an_add_without_an_answer_is_in_doubt_and_one_that_was_refused_is_not(
    script: list[Any], outcome: OpType
) -> None:
    [done] = invoke(Script(*script), op("add", 3))
    assert (done.f, done.type) == ("add", outcome)


@pytest.mark.parametrize(("forgets", "outcome"), [(False, OpType.FAIL), (True, OpType.INFO)])
def test_what_a_store_that_forgets_says_of_one_attempt_is_true_of_that_one_alone(
    forgets: bool, outcome: OpType
) -> None:
    [done] = invoke(Script(SILENCE, codes.PRECONDITION), op("cas", [1, 2]), forgets=forgets)
    assert done.type is outcome
