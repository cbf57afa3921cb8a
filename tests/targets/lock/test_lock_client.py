"""The client of the locks: what an operation's completion may say, given the one answer."""

from __future__ import annotations

import asyncio

import pytest

from harness.op import Op, OpType
from harness.protocols import NoAnswer, NotSent, RpcError
from targets.lock.client import ERRORS, LockClient
from targets.node import codes
from tests.targets.answering import Answering, seat_on

OK, FAIL, INFO = OpType.OK, OpType.FAIL, OpType.INFO


def carried_out(session: Answering, op: Op) -> Op:
    return asyncio.run(LockClient(seat_on(session)).invoke(op))


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
    session = Answering(answer)
    assert carried_out(session, Op(f=f, key=0, process=1)).type is outcome
    assert [node for node, _ in session.asked] == ["n2"]


def test_the_table_says_what_the_protocol_says() -> None:
    assert all(codes.is_definite(code) == certain for code, certain in ERRORS.items())


def test_an_acquire_says_what_was_promised() -> None:
    acquire = Op(f="acquire", key=0, process=1)
    assert carried_out(Answering({"type": "acquire_ok", "token": 3}), acquire).value == {"token": 3}
    leased = {"token": 3, "lease_s": 0.5}
    assert carried_out(Answering({"type": "acquire_ok", **leased}), acquire).value == leased


def test_a_use_shows_its_token() -> None:
    session = Answering({"type": "use_ok"})
    done = carried_out(session, Op(f="use", key=2, value=7, process=1))
    assert (done.type, done.value) == (OK, 7)
    assert session.asked == [("n2", {"type": "use", "lock": "l2", "token": 7})]


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(ValueError, match="not 'peek'"):
        carried_out(Answering({}), Op(f="peek", key=0, process=1))
