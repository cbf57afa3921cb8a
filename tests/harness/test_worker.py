"""Whatever a client does, its op completes as what is known about it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from harness import rng
from harness.errors import PluginError
from harness.op import Op, OpType
from harness.protocols import ClientSeat, NoAnswer, NotSent
from harness.worker import Worker

Behaviour = Callable[[Op], Awaitable[Any]]
WRITE = Op(process=3, f="write", key="x", value=1)


class Scripted:
    def __init__(self, behaviour: Behaviour) -> None:
        self.invoke = behaviour


def worker(behaviour: Behaviour, seats: list[ClientSeat] | None = None, timeout_s: float = 0.05) -> Worker:
    def make(seat: ClientSeat) -> Scripted:
        if seats is not None:
            seats.append(seat)
        return Scripted(behaviour)

    return Worker(
        thread=7,
        nodes=("n1", "n2", "n3"),
        connect=lambda name: name,  # type: ignore[arg-type,return-value]  # the scripted client never speaks
        client=make,
        rng=rng.stream(1, "test"),
        timeout_s=timeout_s,
    )


def raising(error: Exception) -> Behaviour:
    async def behaviour(op: Op) -> Op:
        raise error

    return behaviour


async def hanging(op: Op) -> Op:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize(
    ("behaviour", "type_", "error"),
    [
        (raising(NotSent("no socket")), OpType.FAIL, "not sent: no socket"),
        (raising(NoAnswer("silence")), OpType.INFO, "NoAnswer: silence"),
        (raising(ConnectionResetError("reset")), OpType.INFO, "ConnectionResetError: reset"),
        (raising(KeyError("a bug in the client")), OpType.INFO, "KeyError: 'a bug in the client'"),
    ],
)
def test_what_a_client_raises_becomes_a_completion(behaviour: Behaviour, type_: OpType, error: str) -> None:
    done = asyncio.run(worker(behaviour).invoke(WRITE))
    assert (done.type, done.error) == (type_, error)
    assert (done.f, done.process, done.key, done.value) == ("write", 3, "x", 1)


def test_a_client_that_never_returns_is_cut_off_as_info(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.worker.GRACE_S", 0.0)
    done = asyncio.run(worker(hanging, timeout_s=0.001).invoke(WRITE))
    assert (done.type, done.error) == (OpType.INFO, "timeout")


def test_after_info_the_next_op_gets_a_new_client() -> None:
    seats: list[ClientSeat] = []

    async def behaviour(op: Op) -> Op:
        return op.info("lost") if op.value == 2 else op.ok(op.value)

    async def scenario() -> None:
        one = worker(behaviour, seats)
        for process, value in ((3, 1), (3, 2), (13, 3)):
            await one.invoke(replace(WRITE, process=process, value=value))

    asyncio.run(scenario())
    assert [seat.name for seat in seats] == ["c3", "c13"]
    assert {seat.node for seat in seats} == {"n2"}  # thread 7 of three nodes


@pytest.mark.parametrize(
    "answer",
    [
        None,
        replace(WRITE, type=OpType.INVOKE),
        replace(WRITE, f="read", type=OpType.OK),
        replace(WRITE, process=4, type=OpType.OK),
    ],
)
def test_a_client_that_breaks_its_contract_is_named(answer: Any) -> None:
    async def behaviour(op: Op) -> Any:
        return answer

    with pytest.raises(PluginError, match="client"):
        asyncio.run(worker(behaviour).invoke(WRITE))
