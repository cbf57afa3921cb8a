"""The client of Maelstrom nodes: the shape of every request, and what its completion says, given the answer."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest

from harness.clusters.virtual_loop import VirtualTimeLoop
from harness.errors import TargetError
from harness.op import Op, OpType
from harness.protocols import Body, ClientSeat
from harness.workloads import WORKLOADS
from targets.systems.maelstrom import MAELSTROM, REQUESTS, client
from tests.targets.answering import SILENCE, attempt


class Script:
    """A channel that gives these answers, one after the other: a body, an error's code, or SILENCE."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[tuple[str, Body]]()

    async def rpc(self, node: str, body: Body, timeout_s: float) -> Body:
        self.asked.append((node, body))
        return dict(await attempt(self.answers.pop(0), node, timeout_s))


def carried_out(workload: str, ops: list[Op], *answers: Any) -> tuple[list[Op], list[tuple[str, Body]]]:
    """The completions of ``ops``, and what was asked."""
    script = Script(*answers)

    async def body() -> list[Op]:
        seat = ClientSeat(
            channel=script,
            node="n2",
            nodes=("n1", "n2"),
            name="c3",
            rng=random.Random(1),
            timeout_s=1.0,
            workload=workload,
        )
        mine = client(seat)
        return [await mine.invoke(op) for op in ops]

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(body()), script.asked


TXN = [["r", 1, None], ["append", 1, 6]]
DONE = [["r", 1, [8]], ["append", 1, 6]]
# workload, op, request, answer, result: the shapes of Maelstrom's doc/workloads.md
SHAPES: list[tuple[str, Op, Body, Body, Any]] = [
    ("echo", Op(f="echo", value="hi"), {"type": "echo", "echo": "hi"}, {"type": "echo_ok", "echo": "hi"}, "hi"),
    ("unique-ids", Op(f="generate"), {"type": "generate"}, {"type": "generate_ok", "id": [1, "a"]}, [1, "a"]),
    ("broadcast", Op(f="broadcast", value=7), {"type": "broadcast", "message": 7}, {"type": "broadcast_ok"}, 7),
    ("broadcast", Op(f="read"), {"type": "read"}, {"type": "read_ok", "messages": [1, 2]}, [1, 2]),
    ("g-set", Op(f="add", value=7), {"type": "add", "element": 7}, {"type": "add_ok"}, 7),
    ("g-set", Op(f="read"), {"type": "read"}, {"type": "read_ok", "value": [7]}, [7]),
    ("g-counter", Op(f="add", value=3), {"type": "add", "delta": 3}, {"type": "add_ok"}, 3),
    ("pn-counter", Op(f="add", value=-3), {"type": "add", "delta": -3}, {"type": "add_ok"}, -3),
    ("pn-counter", Op(f="read"), {"type": "read"}, {"type": "read_ok", "value": -3}, -3),
    ("lin-kv", Op(f="read", key=1), {"type": "read", "key": 1}, {"type": "read_ok", "value": None}, None),
    ("lin-kv", Op(f="write", key=1, value=2), {"type": "write", "key": 1, "value": 2}, {"type": "write_ok"}, 2),
    (
        "lin-kv",
        Op(f="cas", key=1, value=[2, 3]),
        {"type": "cas", "key": 1, "from": 2, "to": 3},
        {"type": "cas_ok"},
        [2, 3],
    ),
    ("txn-list-append", Op(f="txn", value=TXN), {"type": "txn", "txn": TXN}, {"type": "txn_ok", "txn": DONE}, DONE),
    ("txn-rw-register", Op(f="txn", value=TXN), {"type": "txn", "txn": TXN}, {"type": "txn_ok", "txn": DONE}, DONE),
]


@pytest.mark.parametrize(("workload", "op", "request_", "answer", "result"), SHAPES)
def test_requests_and_answers_have_maelstroms_shapes(
    workload: str, op: Op, request_: Body, answer: Body, result: Any
) -> None:
    [done], asked = carried_out(workload, [op], answer)
    assert asked == [("n2", request_)]
    assert (done.type, done.value) == (OpType.OK, result)


def test_every_operation_of_every_workload_has_a_request() -> None:
    from harness.registry import load

    for name in MAELSTROM.workloads:
        if name != "kafka":
            assert set(load(WORKLOADS[name]).fs) == set(REQUESTS[name])
    assert {(workload, op.f) for workload, op, *_ in SHAPES} | {("g-counter", "read")} == {
        (workload, f) for workload, requests in REQUESTS.items() for f in requests
    }


@pytest.mark.parametrize(
    ("workload", "op", "answer", "type_"),
    [
        ("lin-kv", Op(f="read", key=1), 20, OpType.OK),  # never written: null
        ("lin-kv", Op(f="read", key=1), SILENCE, OpType.FAIL),
        ("lin-kv", Op(f="read", key=1), 13, OpType.FAIL),
        ("lin-kv", Op(f="cas", key=1, value=[1, 2]), 20, OpType.FAIL),
        ("lin-kv", Op(f="cas", key=1, value=[1, 2]), 22, OpType.FAIL),
        ("lin-kv", Op(f="write", key=1, value=2), 11, OpType.FAIL),
        ("lin-kv", Op(f="write", key=1, value=2), 0, OpType.INFO),
        ("lin-kv", Op(f="write", key=1, value=2), 13, OpType.INFO),
        ("lin-kv", Op(f="write", key=1, value=2), 1234, OpType.INFO),
        ("lin-kv", Op(f="write", key=1, value=2), SILENCE, OpType.INFO),
        ("txn-list-append", Op(f="txn", value=TXN), 30, OpType.FAIL),
        ("txn-list-append", Op(f="txn", value=TXN), SILENCE, OpType.INFO),
        ("unique-ids", Op(f="generate"), SILENCE, OpType.INFO),
        ("echo", Op(f="echo", value=1), SILENCE, OpType.FAIL),
    ],
)
def test_errors_are_what_maelstrom_says_they_are(workload: str, op: Op, answer: Any, type_: OpType) -> None:
    [done], _ = carried_out(workload, [op], answer)
    assert done.type is type_
    assert done.value == op.value


@pytest.mark.parametrize(
    ("workload", "op", "answer", "right"),
    [
        ("echo", Op(f="echo", value=1), {"type": "echo"}, '"type": "echo_ok" and "echo": the result'),
        ("echo", Op(f="echo", value=1), {"type": "echo_ok"}, '"echo": the result'),
        ("g-set", Op(f="read"), {"type": "read_ok", "value": 3}, '"value": a list'),
        ("g-counter", Op(f="read"), {"type": "read_ok", "value": "3"}, '"value": a whole number'),
        ("txn-list-append", Op(f="txn", value=TXN), {"type": "txn_ok", "txn": [["r", 1]]}, "a list of [f, key, value]"),
        ("kafka", Op(f="poll", value=[["poll"]]), {"type": "poll_ok", "msgs": {"k": [1]}}, "[[offset, message], ...]"),
        ("kafka", Op(f="send", value=[["send", "k", 1]]), {"type": "send_ok", "offset": "0"}, "a whole number"),
        ("kafka", Op(f="assign", value=["k"]), {"type": "list_committed_offsets_ok", "offsets": [1]}, "{key: offset}"),
    ],
)
def test_an_answer_of_another_shape_ends_the_run(workload: str, op: Op, answer: Body, right: str) -> None:
    with pytest.raises(TargetError) as error:
        carried_out(workload, [op], answer)
    assert str(error.value).startswith("node n2 answered ")
    assert right in str(error.value)


# kafka

POLL = Op(f="poll", value=[["poll"]])
ASSIGN = Op(f="assign", value=["a", "b"])
REWIND = replace(ASSIGN, extra={"seek_to_beginning": True})
COMMITTED: Body = {"type": "list_committed_offsets_ok", "offsets": {"a": 4}}
COMMIT_OK: Body = {"type": "commit_offsets_ok"}


def polled(**msgs: Any) -> Body:
    return {"type": "poll_ok", "msgs": msgs}


def test_a_send_is_completed_with_its_offset() -> None:
    op = Op(f="send", value=[["send", "a", 5]])
    [done], asked = carried_out("kafka", [op], {"type": "send_ok", "offset": 9})
    assert asked == [("n2", {"type": "send", "key": "a", "msg": 5})]
    assert done.value == [["send", "a", [9, 5]]]
    [doubt], _ = carried_out("kafka", [op], SILENCE)
    assert doubt.type is OpType.INFO
    [refused], _ = carried_out("kafka", [op], 11)
    assert refused.type is OpType.FAIL


def test_polls_go_on_from_what_was_committed_and_commit_what_they_read() -> None:
    answers = [COMMITTED, polled(a=[[4, "x"], [6, "y"]]), COMMIT_OK, polled()]
    done, asked = carried_out("kafka", [ASSIGN, POLL, POLL], *answers)
    assert [body for _, body in asked] == [
        {"type": "list_committed_offsets", "keys": ["a", "b"]},
        {"type": "poll", "offsets": {"a": 4, "b": 0}},
        {"type": "commit_offsets", "offsets": {"a": 6}},
        {"type": "poll", "offsets": {"a": 7, "b": 0}},
    ]
    assert [op.value for op in done] == [["a", "b"], [["poll", {"a": [[4, "x"], [6, "y"]]}]], [["poll", {}]]]


def test_what_is_assigned_already_keeps_its_place_unless_it_is_rewound() -> None:
    answers = [COMMITTED, polled(a=[[4, "x"]]), COMMIT_OK, COMMITTED, polled(), polled()]
    _, asked = carried_out("kafka", [ASSIGN, POLL, ASSIGN, POLL, REWIND, POLL], *answers)
    assert [body["offsets"] for _, body in asked if body["type"] == "poll"] == [
        {"a": 4, "b": 0},
        {"a": 5, "b": 0},
        {"a": 0, "b": 0},
    ]


@pytest.mark.parametrize("failure", [SILENCE, 11, 13])
def test_what_was_polled_was_polled_whatever_became_of_the_commit(failure: Any) -> None:
    done, asked = carried_out("kafka", [REWIND, POLL, POLL], polled(a=[[0, "x"]]), failure, polled())
    assert [op.type for op in done] == [OpType.OK] * 3
    assert asked[-1][1]["offsets"] == {"a": 1, "b": 0}


def test_a_poll_without_an_answer_reads_the_same_again() -> None:
    done, asked = carried_out("kafka", [REWIND, POLL, POLL], SILENCE, polled())
    assert [op.type for op in done] == [OpType.OK, OpType.FAIL, OpType.OK]
    assert asked[0] == asked[1]
