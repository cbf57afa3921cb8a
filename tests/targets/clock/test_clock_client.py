"""The client of the logical clocks: what an operation's completion may say, given the one answer."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from harness.op import Op, OpType
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from targets.clock.client import ClockClient
from targets.node import codes

OK, FAIL, INFO = OpType.OK, OpType.FAIL, OpType.INFO


class Node:
    """Answers everything with ``answer``, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Body]] = []

    async def rpc(self, node: str, body: Body, _timeout_s: float) -> Body:
        self.asked.append((node, body))
        if isinstance(self.answer, Exception):
            raise self.answer
        found: Body = self.answer
        return found


def carried_out(node: Node, f: str) -> Op:
    seat = ClientSeat(channel=node, node="n2", nodes=("n1", "n2"), name="c1", rng=random.Random(1), timeout_s=1.0)
    return asyncio.run(ClockClient(seat).invoke(Op(f=f, process=1)))


@pytest.mark.parametrize("f", ["local", "tell"])
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"type": "ok", "clock": 7}, OK),
        (NoAnswer("n2"), INFO),
        (NotSent("n2"), FAIL),
        (RpcError(codes.UNAVAILABLE, "not yet"), FAIL),
        (RpcError(codes.TIMEOUT, "no answer"), INFO),
    ],
)
def test_an_operation_is_a_fail_only_if_it_certainly_did_nothing(f: str, answer: Any, outcome: OpType) -> None:
    done = carried_out(Node(answer), f)
    assert done.type is outcome
    assert outcome is not OK or done.value == 7


def test_a_node_tells_another_one() -> None:
    node = Node({"type": "tell_ok", "clock": 1})
    carried_out(node, "tell")
    assert node.asked == [("n2", {"type": "tell", "to": "n1"})]


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(ValueError, match="not 'peek'"):
        carried_out(Node({}), "peek")
