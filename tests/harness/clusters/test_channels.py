"""A client's line: requests and replies find each other, and nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from harness.clusters.channels import Line
from harness.clusters.virtual_loop import VirtualTimeLoop
from harness.protocols import Body, NoAnswer, NotSent, RpcError


class Wire:
    """What a line sent, and a line to answer on."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Body]] = []
        self.line = Line(lambda node, body: self.sent.append((node, body)))

    def answer(self, number: int, body: Body) -> None:
        self.line.deliver({**body, "in_reply_to": self.sent[number][1]["msg_id"]})


def run(main: Callable[[Wire], Awaitable[Any]]) -> Any:
    async def body() -> Any:
        return await main(Wire())

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(body())


def later(delay_s: float, callback: Callable[..., object], *args: Any) -> None:
    asyncio.get_running_loop().call_later(delay_s, callback, *args)


def test_answers_find_their_questions_in_any_order() -> None:
    async def main(wire: Wire) -> list[Any]:
        later(1, wire.answer, 1, {"type": "b"})
        later(2, wire.answer, 0, {"type": "a"})
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(wire.line.rpc(node, {"type": "ask"}, 5)) for node in ("n1", "n2")]
        assert [node for node, _ in wire.sent] == ["n1", "n2"]
        return [task.result()["type"] for task in tasks]

    assert run(main) == ["a", "b"]


def test_silence_is_no_answer_and_takes_its_time() -> None:
    async def main(wire: Wire) -> float:
        with pytest.raises(NoAnswer, match="n1"):
            await wire.line.rpc("n1", {"type": "ask"}, 2.5)
        return asyncio.get_running_loop().time()

    assert run(main) == 2.5


def test_a_late_answer_is_ignored_and_never_taken_for_another_s() -> None:
    async def main(wire: Wire) -> Body:
        with pytest.raises(NoAnswer):
            await wire.line.rpc("n1", {"type": "ask"}, 1)
        later(1, wire.answer, 0, {"type": "late"})
        later(2, wire.answer, 1, {"type": "right"})
        return await wire.line.rpc("n1", {"type": "ask"}, 5)

    assert run(main)["type"] == "right"


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [({"code": 20, "text": "no key"}, 20, "no key"), ({}, 13, ""), ({"code": "x", "text": 5}, 13, "5")],
)
def test_an_error_is_raised_with_its_code(error: Body, code: int, text: str) -> None:
    async def main(wire: Wire) -> tuple[int, str]:
        later(1, wire.answer, 0, {"type": "error", **error})
        with pytest.raises(RpcError) as caught:
            await wire.line.rpc("n1", {"type": "ask"}, 5)
        return caught.value.code, caught.value.text

    assert run(main) == (code, text)


@pytest.mark.parametrize(
    "stray", [{}, {"in_reply_to": 77}, {"in_reply_to": "1"}, {"in_reply_to": None}, {"in_reply_to": [1]}]
)
def test_stray_messages_are_ignored(stray: Body) -> None:
    async def main(wire: Wire) -> None:
        later(1, wire.line.deliver, {"type": "x", **stray})
        with pytest.raises(NoAnswer):
            await wire.line.rpc("n1", {"type": "ask"}, 2)

    run(main)


def test_what_cannot_leave_is_not_sent() -> None:
    def refuse(node: str, _body: Body) -> None:
        raise NotSent(f"node {node} is down")

    async def main(_wire: Wire) -> None:
        with pytest.raises(NotSent, match="n1 is down"):
            await Line(refuse).rpc("n1", {"type": "ask"}, 1)

    run(main)


def test_a_broken_connection_ends_the_waiting_for_that_node_alone() -> None:
    async def main(wire: Wire) -> float:
        later(1, wire.line.hang_up, "n1")
        later(2, wire.answer, 1, {"type": "fine"})
        async with asyncio.TaskGroup() as group:
            broken = group.create_task(wire.line.ask("n1", {"type": "ask"}, 5))
            whole = group.create_task(wire.line.ask("n2", {"type": "ask"}, 5))
        assert broken.result() is None
        assert whole.result() is not None
        return asyncio.get_running_loop().time()

    assert run(main) == 2.0
