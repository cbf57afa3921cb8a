"""What the clients of data types and counters make of answers, refusals and silence."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from harness.clusters.virtual_loop import VirtualTimeLoop
from harness.op import Op, OpType
from harness.protocols import Body, Client, ClientSeat, NoAnswer, NotSent, RpcError
from targets.kv.counter_client import AtLeastOnce, AtMostOnce, ExactlyOnce
from targets.kv.crdt_client import CrdtClient

NODES = ("n1", "n2", "n3")
Answer = Body | Exception


class Script:
    """A channel that answers by script, then with the last of it for ever. Silence takes as long as the caller waits."""

    def __init__(self, answers: list[Answer]) -> None:
        self.answers, self.asked = answers, list[tuple[str, Body]]()

    async def rpc(self, node: str, body: Body, timeout_s: float) -> Body:
        self.asked.append((node, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, NoAnswer):
            await asyncio.sleep(timeout_s)
        if isinstance(answer, Exception):
            raise answer
        return answer


def done(make: Callable[[ClientSeat], Client], op: Op, *answers: Answer) -> tuple[Op, list[tuple[str, Body]]]:
    script = Script(list(answers))
    seat = ClientSeat(channel=script, node="n2", nodes=NODES, name="c7", rng=random.Random(1), timeout_s=2.0)
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(make(seat).invoke(op)), script.asked


def op(f: str, value: Any = None, key: Any = None) -> Op:
    return Op(process=7, f=f, value=value, key=key)


OK: Body = {"type": "ok"}
SILENCE, REFUSED, BROKEN, UNSENT = NoAnswer("late"), RpcError(11, "alone"), RpcError(13, "crashed"), NotSent("no way")


@pytest.mark.parametrize(
    ("asked", "reply", "body", "result"),
    [
        (op("broadcast", 5), OK, {"type": "broadcast", "message": 5, "seq": 1}, 5),
        (op("add", 5), OK, {"type": "add", "element": 5, "delta": 5, "seq": 1}, 5),
        (op("remove", 5), OK, {"type": "remove", "element": 5, "seq": 1}, 5),
        (op("read"), {"type": "read_ok", "messages": [5]}, {"type": "read"}, [5]),
        (op("read", key="x"), {"type": "read_ok", "value": 0}, {"type": "read", "key": "x"}, 0),
        (op("generate"), {"type": "generate_ok", "id": "n2-1-1"}, {"type": "generate"}, "n2-1-1"),
    ],
)
def test_the_words_of_a_data_type(asked: Op, reply: Body, body: Body, result: Any) -> None:
    answer, said = done(CrdtClient, asked, reply)
    assert said == [("n2", body)]
    assert answer == asked.ok(result)


@pytest.mark.parametrize(
    ("make", "f", "answers", "type_", "asked"),
    [
        (CrdtClient, "add", [SILENCE, OK], OpType.OK, ["n2", "n2"]),
        (CrdtClient, "add", [SILENCE, REFUSED], OpType.INFO, None),
        (CrdtClient, "add", [REFUSED], OpType.FAIL, None),
        (CrdtClient, "add", [UNSENT], OpType.FAIL, None),
        (CrdtClient, "add", [RpcError(12, "what?")], OpType.FAIL, ["n2"]),
        (CrdtClient, "add", [BROKEN], OpType.INFO, None),
        (CrdtClient, "read", [SILENCE], OpType.FAIL, None),
        (CrdtClient, "generate", [SILENCE], OpType.FAIL, None),
        (AtMostOnce, "add", [SILENCE], OpType.INFO, ["n2"]),
        (AtMostOnce, "add", [REFUSED], OpType.FAIL, ["n2"]),
        (AtMostOnce, "read", [SILENCE], OpType.FAIL, ["n2"]),
        (AtLeastOnce, "add", [SILENCE, OK], OpType.OK, ["n2", "n3"]),
        (ExactlyOnce, "add", [SILENCE, BROKEN, OK], OpType.OK, ["n2", "n3", "n1"]),
        (ExactlyOnce, "add", [SILENCE], OpType.INFO, None),
        (ExactlyOnce, "add", [UNSENT], OpType.FAIL, None),
    ],
)
def test_what_becomes_of_an_op(
    make: Any, f: str, answers: list[Answer], type_: OpType, asked: list[str] | None
) -> None:
    answer, said = done(make, op(f, 5 if f == "add" else None), *answers)
    assert answer.type is type_
    assert asked is None or [node for node, _ in said] == asked


def test_attempts_share_a_request_id_where_that_is_promised() -> None:
    for make, ids in ((CrdtClient, {1}), (ExactlyOnce, {1}), (AtLeastOnce, {None})):
        _, said = done(make, op("add", 5), SILENCE, OK)
        assert {body.get("seq") for _, body in said} == ids
        assert len(said) == 2


def test_other_operations_are_refused() -> None:
    with pytest.raises(ValueError, match="add and read, not 'cas'"):
        done(ExactlyOnce, op("cas", [1, 2]), OK)
    with pytest.raises(KeyError):
        done(CrdtClient, op("cas", [1, 2]), OK)
