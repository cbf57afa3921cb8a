"""The client of kv/dynamo: what it sends, what an op's completion may say, how it settles siblings."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from harness.clusters.virtual_loop import VirtualTimeLoop
from harness.op import Op, OpType
from harness.protocols import Body, ClientSeat
from targets.kv.dynamo_client import DynamoClient, shown, united
from targets.node import codes
from tests.targets.answering import SILENCE, UNSENT, attempt

NODES = ("n1", "n2", "n3")


class Script:
    """A channel that answers by a script: the values that stand side by side, an error's code, SILENCE or UNSENT."""

    def __init__(self, *lines: Any) -> None:
        self.lines = list(lines)
        self.asked: list[tuple[str, Body]] = []

    async def rpc(self, node: str, body: Body, timeout_s: float) -> Body:
        self.asked.append((node, body))
        values = await attempt(self.lines.pop(0), node, timeout_s)
        return {"type": f"{body['type']}_ok", "values": values, "context": len(self.asked)}


def client(script: Script) -> DynamoClient:
    return DynamoClient(
        ClientSeat(channel=script, node="n2", nodes=NODES, name="c5", rng=random.Random(1), timeout_s=2.0)
    )


def on_virtual_time(make: Callable[[], Any]) -> Any:
    async def main() -> Any:
        return await make()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def invoke(script: Script, f: str, value: Any = None, **extra: bool) -> Op:
    done: Op = on_virtual_time(lambda: client(script).invoke(Op(f=f, key="x", value=value, process=5, extra=extra)))
    return done


@pytest.mark.parametrize(
    ("f", "value", "lines", "type_", "result"),
    [
        ("read", None, [[7]], OpType.OK, 7),
        ("read", None, [[]], OpType.OK, None),
        ("read", None, [SILENCE], OpType.FAIL, None),
        ("read", None, [UNSENT], OpType.FAIL, None),
        ("read", None, [codes.UNAVAILABLE], OpType.FAIL, None),
        ("read", None, [codes.TIMEOUT], OpType.FAIL, None),
        ("write", 1, [[], []], OpType.OK, 1),
        ("write", 1, [SILENCE], OpType.FAIL, 1),  # nothing but a read has left
        ("write", 1, [codes.TIMEOUT], OpType.FAIL, 1),
        ("write", 1, [[], SILENCE], OpType.INFO, 1),
        ("write", 1, [[], codes.TIMEOUT], OpType.INFO, 1),
        ("write", 1, [[], codes.UNAVAILABLE], OpType.FAIL, 1),
        ("write", 1, [[], UNSENT], OpType.FAIL, 1),
        ("write", 1, [[], 1234], OpType.INFO, 1),
        ("add", 1, [[], []], OpType.OK, 1),
        ("add", 1, [[], SILENCE], OpType.INFO, 1),
    ],
)
def test_what_a_completion_says(f: str, value: Any, lines: list[Any], type_: OpType, result: Any) -> None:
    script = Script(*lines)
    done = invoke(script, f, value)
    assert (done.type, done.value) == (type_, result)
    assert done.node == "n2"
    assert not script.lines, "nothing is sent twice"


def test_a_write_hands_back_the_context_of_its_read() -> None:
    script = Script([3, 4], [])
    invoke(script, "write", 9)
    assert script.asked[1] == ("n2", {"type": "write", "key": "x", "value": 9, "context": 1})


def test_null_deletes() -> None:
    script = Script([3], [])
    assert invoke(script, "write", None).type is OpType.OK
    assert script.asked[1] == ("n2", {"type": "delete", "key": "x", "context": 1})


def test_an_add_unites_siblings() -> None:
    script = Script([[1, 2], [2, 3]], [])
    invoke(script, "add", 4)
    assert script.asked[1][1]["value"] == [1, 2, 3, 4]


def test_siblings_are_shown_where_they_are_asked_for() -> None:
    assert invoke(Script([3, 4]), "read", siblings=True).value == [3, 4]
    assert invoke(Script([3, 4]), "read").value == 4


def test_a_client_that_hops_goes_everywhere() -> None:
    script = Script(*[[1]] * 30)
    hopping = client(script)

    async def ops() -> list[Op]:
        return [await hopping.invoke(Op(f="read", key="x", process=5, extra={"hop": True})) for _ in range(30)]

    done = on_virtual_time(ops)
    assert {op.node for op in done} == set(NODES) == {node for node, _ in script.asked}


def test_a_session_vector_goes_with_every_read() -> None:
    script = Script([1], [1], [], [1])
    session = client(script)

    async def ops() -> None:
        for f, value in (("read", None), ("write", 2), ("read", None)):
            await session.invoke(Op(f=f, key="x", value=value, process=5, extra={"vector": True}))

    on_virtual_time(ops)
    assert [body.get("least") for _, body in script.asked] == [None, 1, None, 3]


@pytest.mark.parametrize(
    ("siblings", "result"),
    [
        ([], None),
        ([3], 3),
        ([10, 9], 10),
        (["a", "b"], "b"),
        ([5, "a"], "a"),
        ([[1, 2], [2, 3]], [1, 2, 3]),
        ([[1], 2], [1, 2]),
        ([[]], []),
        ([3, None], 3),
        ([[1], None], [1]),
    ],
)
def test_what_siblings_come_to_does_not_depend_on_their_order(siblings: list[Any], result: Any) -> None:
    assert shown(siblings, all_of_them=False) == result
    turned = shown(siblings[::-1], all_of_them=False)
    assert turned == result or sorted(turned) == sorted(result)


def test_equal_in_python_is_not_equal() -> None:
    assert united([1, True, 1.0], [1]) == [1, True, 1.0]
