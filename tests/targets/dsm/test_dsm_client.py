"""The client of the shared memories: what an operation may say of itself, given the one answer, and how a program travels."""

from __future__ import annotations

import asyncio

import pytest

from harness.op import Op, OpType
from harness.protocols import NoAnswer, NotSent, RpcError
from targets.dsm.client import ERRORS, DsmClient
from targets.node import codes
from tests.targets.answering import Answering, seat_on

OK, FAIL, INFO = OpType.OK, OpType.FAIL, OpType.INFO
PROGRAM = {"test": "SB", "thread": 0, "steps": [["w", "x7", 1], ["r", "y7", None]]}


def carried_out(node: Answering, op: Op) -> Op:
    return asyncio.run(DsmClient(seat_on(node)).invoke(op))


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (NoAnswer("n2"), INFO),
        (NotSent("n2"), FAIL),
        (RpcError(codes.UNAVAILABLE, "too late"), FAIL),
        (RpcError(codes.TIMEOUT, "too late"), INFO),
        (RpcError(codes.MALFORMED, "what?"), FAIL),
        (RpcError(4321, "what?"), INFO),
    ],
)
@pytest.mark.parametrize(
    "op", [Op(f="write", key=3, value=1, process=1), Op(f="program", key=7, value=PROGRAM, process=1)]
)
def test_an_operation_is_a_fail_only_if_it_certainly_did_nothing(op: Op, answer: Exception, outcome: OpType) -> None:
    node = Answering(answer)
    assert carried_out(node, op).type is outcome
    assert [name for name, _ in node.asked] == ["n2"]


def test_a_read_without_a_value_is_a_fail_for_it_changes_nothing() -> None:
    for answer in (NoAnswer("n2"), NotSent("n2"), RpcError(codes.TIMEOUT, "?"), RpcError(4321, "?")):
        assert carried_out(Answering(answer), Op(f="read", key=3, process=1)).type is FAIL


def test_the_table_says_what_the_protocol_says() -> None:
    assert all(codes.is_definite(code) == certain for code, certain in ERRORS.items())


def test_reads_and_writes_are_of_the_address_that_is_the_key() -> None:
    node = Answering({"type": "read_ok", "value": None})
    done = carried_out(node, Op(f="read", key=3, process=1))
    assert (done.type, done.value) == (OK, None)
    assert carried_out(node, Op(f="write", key=4, value=9, process=1)).value == 9
    assert [body for _, body in node.asked] == [
        {"type": "read", "address": 3},
        {"type": "write", "address": 4, "value": 9},
    ]


def test_a_program_goes_out_in_numbers_and_comes_back_with_what_was_read() -> None:
    steps = [
        ["lock", "m7"],
        ["r", "x7", None, "acquire"],
        ["w", "y7", 2, "release"],
        ["fence"],
        ["barrier", "b7", 2],
        ["r", "y7", None],
        ["unlock", "m7"],
    ]
    node = Answering({"type": "program_ok", "values": [None, 2]})
    done = carried_out(node, Op(f="program", key=7, value={**PROGRAM, "steps": steps}, process=1))
    assert [body["steps"] for _, body in node.asked] == [
        [
            ["lock", 14],
            ["r", 14, "acquire"],
            ["w", 17, 2, "release"],
            ["fence"],
            ["barrier", 15, 2],
            ["r", 17],
            ["unlock", 14],
        ]
    ]
    assert done.value == {
        **PROGRAM,
        "steps": [*steps[:1], ["r", "x7", 0, "acquire"], *steps[2:5], ["r", "y7", 2], ["unlock", "m7"]],
    }


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(KeyError):
        carried_out(Answering({}), Op(f="peek", key=0, process=1))
