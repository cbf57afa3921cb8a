"""The client of the logical clocks: what an operation's completion may say, given the one answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.op import Op, OpType
from harness.protocols import NoAnswer, NotSent, RpcError
from targets.clock.client import ClockClient
from targets.node import codes
from tests.targets.answering import Answering, seat_on

OK, FAIL, INFO = OpType.OK, OpType.FAIL, OpType.INFO


def carried_out(node: Answering, f: str) -> Op:
    return asyncio.run(ClockClient(seat_on(node)).invoke(Op(f=f, process=1)))


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
    done = carried_out(Answering(answer), f)
    assert done.type is outcome
    assert outcome is not OK or done.value == 7


def test_a_node_tells_another_one() -> None:
    node = Answering({"type": "tell_ok", "clock": 1})
    carried_out(node, "tell")
    assert node.asked == [("n2", {"type": "tell", "to": "n1"})]


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(ValueError, match="not 'peek'"):
        carried_out(Answering({}), "peek")
