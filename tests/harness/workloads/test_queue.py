"""The workloads of queues: what their ops are, that a queue that works passes, and that each kind of failure is caught."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from checkers import CHECKERS
from harness.generator import Context, clients, limit, phases, stagger
from harness.history import History
from harness.op import Op, OpType
from harness.registry import load
from harness.verdict import Budget, Validity
from harness.workloads.draining import DRY_MAX
from harness.workloads.queue import MIX, ORDERED_QUEUE, QUEUE
from harness.workloads.workload import Workload
from tests.harness.workloads.stores import options
from tests.virtual_time import World, invocations, simulate, told

Bug = Callable[[Op, deque[Any]], None]


def queues(bug: Bug | None = None, *, crash_every: int = 0) -> World:
    """A world with queues: an op takes effect when it is invoked. Ops crash behind their effect, every so many; ``bug`` sees each op."""
    held: dict[Any, deque[Any]] = defaultdict(deque)
    count = 0

    def world(_: Context, op: Op) -> Op:
        nonlocal count
        count += 1
        queue = held[op.key]
        if bug is not None:
            bug(op, queue)
        done = replace(op, type=OpType.OK, time_ns=op.time_ns + 50)
        if op.f == "enqueue":
            queue.append(op.value)
        else:
            done = replace(done, value=queue.popleft() if queue else None)
        crashed = crash_every and count % crash_every == 0
        return replace(op, type=OpType.INFO, time_ns=op.time_ns + 50, error="timeout") if crashed else done

    return world


def loses(op: Op, queue: deque[Any]) -> None:
    if op.value == 30 and queue:
        queue.pop()


def swaps(op: Op, queue: deque[Any]) -> None:
    if op.f == "enqueue" and op.value % 10 == 0 and len(queue) > 1:
        queue.append(queue.popleft())


def run(workload: Workload, world: World, *, ops: int = 300, seed: int = 1, **chosen: Any) -> list[Op]:
    given = options(4, **chosen)
    final = workload.final(given)
    assert final is not None
    return simulate(
        phases(clients(limit(ops, workload.generator(given))), clients(final)), world, concurrency=4, seed=seed
    )


def judged(workload: Workload, ops: list[Op]) -> dict[str, Validity]:
    history = History.of(op.stamped(index, op.time_ns, None) for index, op in enumerate(ops))
    named = [(name, given) for name, given in workload.checkers if name in ("total-queue", "fifo-per-producer")]
    return {name: load(CHECKERS[name])(**given).check(history, Budget()).validity for name, given in named}


def test_every_element_is_put_in_once_and_more_go_in_than_come_out() -> None:
    ops = [op for op in invocations(run(QUEUE, queues(), ops=4000)) if not op.extra]
    puts = [op for op in ops if op.f == "enqueue"]
    assert told(puts, "value") == list(range(len(puts)))
    assert abs(len(puts) / len(ops) - MIX.share) < 0.03
    assert all(op.value is None for op in ops if op.f == "dequeue")
    assert {op.key for op in ops} == {0}


def test_an_answer_that_is_thrown_away_uses_up_no_element() -> None:
    ops = invocations(
        simulate(clients(limit(500, stagger(0.001, QUEUE.generator(options(4))))), queues(), concurrency=4)
    )
    puts = [op.value for op in ops if op.f == "enqueue"]
    assert puts == list(range(len(puts)))


def test_in_the_end_every_client_takes_from_every_queue_until_it_gets_nothing_more() -> None:
    ops = run(QUEUE, queues(), keys=3)
    final = [op for op in ops if op.extra.get("final") and op.type is OpType.OK]
    for process in range(4):
        for key in range(3):
            got = [op.value for op in final if (op.process, op.key) == (process, key)]
            assert got[-DRY_MAX:] == [None] * DRY_MAX
    added = {op.value for op in ops if op.f == "enqueue"}
    assert {op.value for op in ops if op.f == "dequeue" and op.value is not None} == added


@pytest.mark.parametrize("crash_every", [0, 9])
@pytest.mark.parametrize("workload", [QUEUE, ORDERED_QUEUE], ids=lambda w: w.name)
def test_a_queue_that_works_passes(workload: Workload, crash_every: int) -> None:
    assert set(judged(workload, run(workload, queues(crash_every=crash_every), keys=2)).values()) == {Validity.VALID}


def test_one_element_that_is_lost_is_caught() -> None:
    assert judged(QUEUE, run(QUEUE, queues(loses)))["total-queue"] is Validity.INVALID


def test_what_comes_out_of_order_is_caught_where_order_is_promised() -> None:
    found = judged(ORDERED_QUEUE, run(ORDERED_QUEUE, queues(swaps)))
    assert found == {"total-queue": Validity.VALID, "fifo-per-producer": Validity.INVALID}
