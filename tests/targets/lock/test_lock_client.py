"""The client of the locks: what an operation's completion may say, given the one answer."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from harness.op import Op, OpType
from harness.protocols import Body, ClientSeat, NoAnswer, NotSent, RpcError
from targets.lock.client import ERRORS, LockClient
from targets.node import codes

OK, FAIL, INFO = OpType.OK, OpType.FAIL, OpType.INFO


class Session:
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


def carried_out(session: Session, op: Op) -> Op:
    seat = ClientSeat(channel=session, node="n2", nodes=("n1", "n2"), name="c1", rng=random.Random(1), timeout_s=1.0)
    return asyncio.run(LockClient(seat).invoke(op))


@pytest.mark.parametrize("f", ["acquire", "use", "release"])
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (NoAnswer("n2"), INFO),
        (NotSent("n2"), FAIL),
        (RpcError(codes.PRECONDITION, "somebody else holds it"), FAIL),
        (RpcError(codes.UNAVAILABLE, "no leader"), FAIL),
        (RpcError(codes.TIMEOUT, "no answer"), INFO),
        (RpcError(codes.MALFORMED, "what?"), FAIL),
        (RpcError(4321, "what?"), INFO),
    ],
)
def test_an_operation_is_a_fail_only_if_it_certainly_did_nothing(f: str, answer: Exception, outcome: OpType) -> None:
    session = Session(answer)
    assert carried_out(session, Op(f=f, key=0, process=1)).type is outcome
    assert [node for node, _ in session.asked] == ["n2"]


def test_the_table_says_what_the_protocol_says() -> None:
    assert all(codes.is_definite(code) == certain for code, certain in ERRORS.items())


def test_an_acquire_says_what_was_promised() -> None:
    acquire = Op(f="acquire", key=0, process=1)
    assert carried_out(Session({"type": "acquire_ok", "token": 3}), acquire).value == {"token": 3}
    leased = {"token": 3, "lease_s": 0.5}
    assert carried_out(Session({"type": "acquire_ok", **leased}), acquire).value == leased


def test_a_use_shows_its_token() -> None:
    session = Session({"type": "use_ok"})
    done = carried_out(session, Op(f="use", key=2, value=7, process=1))
    assert (done.type, done.value) == (OK, 7)
    assert session.asked == [("n2", {"type": "use", "lock": "l2", "token": 7})]


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(ValueError, match="not 'peek'"):
        carried_out(Session({}), Op(f="peek", key=0, process=1))
