"""The loop's rules, on a client that does just what a test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from harness import rng
from harness.clusters.virtual_loop import VirtualTimeLoop
from harness.formats import load_history
from harness.generator import (
    NEMESIS_THREAD,
    Context,
    Generator,
    any_of,
    clients,
    concat,
    delay,
    limit,
    log,
    nemesis,
    repeat,
    sleep,
)
from harness.history import History
from harness.journal import HistoryJournal
from harness.op import NEMESIS, Op, OpType
from harness.runner import Runner

Behaviour = Callable[[Op], Awaitable[Op]]


class Hands:
    def __init__(self, behaviour: Behaviour) -> None:
        self.invoke = behaviour
        self.node = "n1"


async def prompt(op: Op) -> Op:
    await asyncio.sleep(0.001)
    return op.ok(op.value)


async def nemesis_hands(op: Op) -> Op:
    return op.info_value({"done": op.value})


def run(path: Path, generator: Generator, behaviour: Behaviour = prompt, concurrency: int = 3) -> History:
    async def scenario() -> None:
        journal = HistoryJournal(path / "history.jsonl")
        runner = Runner(
            generator=generator,
            context=Context.start(concurrency, rng.stream(1, "test")),
            invokers={
                **{thread: Hands(behaviour) for thread in range(concurrency)},
                NEMESIS_THREAD: Hands(nemesis_hands),
            },
            journal=journal,
        )
        await runner.run()
        journal.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as loop:
        loop.run(scenario())
    return load_history(path / "history.jsonl")


def test_every_op_is_invoked_and_completed_in_order(tmp_path: Path) -> None:
    history = run(tmp_path, clients(limit(20, repeat({"f": "read"}))))
    assert [op.index for op in history] == list(range(40))
    assert sorted(op.time_ns for op in history) == [op.time_ns for op in history]
    assert len(history.calls()) == 20


def test_completions_come_before_invocations_of_the_same_moment(tmp_path: Path) -> None:
    """Two ops that meet in one moment are not concurrent: the history must say so."""
    history = run(tmp_path, clients(delay(0.001, limit(10, repeat({"f": "read"})))), concurrency=1)
    assert [op.type for op in history] == [OpType.INVOKE, OpType.OK] * 10


def test_a_thread_whose_op_is_unknown_goes_on_as_a_new_process(tmp_path: Path) -> None:
    async def crashing(op: Op) -> Op:
        return op.info("lost")

    history = run(tmp_path, clients(limit(9, repeat({"f": "write", "value": 1}))), crashing)
    processes = [op.process for op in history if op.type is OpType.INVOKE]
    assert len(set(processes)) == 9
    assert {int(process) % 3 for process in processes} <= {0, 1, 2}


def test_nemesis_ops_are_info_at_both_ends_and_keep_their_process(tmp_path: Path) -> None:
    history = run(tmp_path, nemesis(limit(2, repeat({"f": "start-kill", "value": 1}))))
    assert [(op.process, op.type, op.value) for op in history] == [
        (NEMESIS, OpType.INFO, 1),
        (NEMESIS, OpType.INFO, {"done": 1}),
    ] * 2


def test_ops_of_the_future_wait_for_their_time(tmp_path: Path) -> None:
    generator = any_of(
        clients(concat(Op(f="read", time_ns=5_000_000_000))), nemesis(Op(f="heal", time_ns=2_000_000_000))
    )
    history = run(tmp_path, generator)
    assert next((op.f, op.time_ns) for op in history if op.process != NEMESIS) == ("read", 5_000_000_000)
    assert next(op.time_ns for op in history if op.process == NEMESIS) == 2_000_000_000


def test_what_an_invoker_raises_ends_the_run(tmp_path: Path) -> None:
    async def broken(op: Op) -> Op:
        raise LookupError("a bug")

    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        run(tmp_path, clients(limit(3, repeat({"f": "read"}))), broken)


def test_sleep_and_log_are_for_the_runner_alone(tmp_path: Path) -> None:
    history = run(tmp_path, clients(concat(log("begin"), sleep(3), Op(f="read"))), concurrency=1)
    assert next((op.f, op.time_ns) for op in history) == ("read", 3_000_000_000)
    assert len(history) == 2


def test_a_hung_client_does_not_stop_the_others(tmp_path: Path) -> None:
    async def one_hangs(op: Op) -> Op:
        if op.process == 0:
            await asyncio.sleep(100)
        return await prompt(op)

    history = run(tmp_path, clients(delay(0.01, limit(50, repeat({"f": "read"})))), one_hangs)
    assert len(history.calls()) == 50
    assert history[len(history) - 1].process == 0
