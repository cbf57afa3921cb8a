"""The workloads of litmus tests: who runs what, that a memory with one order passes, and that store buffers are told apart."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from checkers.memory.litmus import make
from harness.errors import PlanError
from harness.generator import Context, clients, limit
from harness.history import History
from harness.litmus import LITMUS
from harness.op import Op, OpType
from harness.verdict import Budget, Verdict
from harness.workloads.litmus import LITMUS_RC, LITMUS_SC, LITMUS_TSO
from tests.harness.workloads.stores import options
from tests.virtual_time import World, simulate


def memory(*, buffered: bool, crash_every: int = 0) -> World:
    """A memory: a program takes effect when it is invoked; ``buffered``, its writes reach the others only after a while, if at all late."""
    dice = random.Random(1)
    shared: dict[str, int] = {}
    waiting: list[tuple[int, str, int]] = []
    count = 0

    def world(_: Context, op: Op) -> Op:
        nonlocal count
        count += 1
        for due in [entry for entry in waiting if entry[0] <= op.time_ns]:
            waiting.remove(due)
            shared[due[1]] = due[2]
        if op.value["steps"][0][0] == "barrier":  # nothing waits in this world
            return replace(op, type=OpType.INFO, time_ns=op.time_ns + 1, error="?")
        own: dict[str, int] = {}
        steps: list[Any] = []
        late = (
            [step for step in op.value["steps"] if step[0] == "w"]
            if buffered and {step[0] for step in op.value["steps"]} <= {"r", "w"}
            else []
        )
        for step in op.value["steps"]:
            if step[0] == "w" and step in late:
                own[step[1]] = step[2]
                waiting.append((op.time_ns + 200, step[1], step[2]))
            elif step[0] == "w":
                shared[step[1]] = step[2]
            elif step[0] == "r":
                steps.append([*step[:2], own.get(step[1], shared.get(step[1], 0)), *step[3:]])
                continue
            steps.append(step)
        done = replace(
            op, type=OpType.OK, time_ns=op.time_ns + 100 + dice.randrange(100), value={**op.value, "steps": steps}
        )
        return (
            replace(op, type=OpType.INFO, time_ns=done.time_ns, error="?")
            if crash_every and count % crash_every == 0
            else done
        )

    return world


def run(world: World, ops: int = 400) -> list[Op]:
    return simulate(clients(limit(ops, LITMUS_SC.generator(options(6)))), world, concurrency=6, seed=1)


def judged(ops: list[Op], model: str) -> Verdict:
    return make(model=model).check(History.of(op.stamped(i, op.time_ns, None) for i, op in enumerate(ops)), Budget())


def test_the_threads_of_an_instance_run_side_by_side_on_locations_of_its_own() -> None:
    ops = run(memory(buffered=False))
    begun: dict[Any, list[Op]] = {}
    for op in ops:
        if op.type is OpType.INVOKE:
            begun.setdefault(op.key, []).append(op)
    for number, mine in list(begun.items())[:-1]:
        test = LITMUS[mine[0].value["test"]]
        assert [op.value["thread"] for op in mine] == [*range(len(test.threads)), *(["end"] if test.end else [])]
        threads = mine[: len(test.threads)]
        assert len({op.process for op in threads}) == len(threads)
        assert all(step[1].endswith(str(number)) for op in mine for step in op.value["steps"] if len(step) > 1)
        assert all(step[2] is None for op in mine for step in op.value["steps"] if step[0] == "r")


def test_the_end_is_read_when_all_threads_are_done() -> None:
    ops = run(memory(buffered=False))
    for at, op in enumerate(ops):
        if op.type is OpType.INVOKE and op.value["thread"] == "end":
            done = {
                other.value["thread"] for other in ops[:at] if other.key == op.key and other.type is not OpType.INVOKE
            }
            assert done == {0, 1}


@pytest.mark.parametrize("crash_every", [0, 7])
def test_a_memory_with_one_order_passes(crash_every: int) -> None:
    verdict = judged(run(memory(buffered=False, crash_every=crash_every)), "sc")
    assert verdict.reason.startswith("all outcomes of ")
    assert set(verdict.stats["outcomes"]) == set(LITMUS) - {"MP+barrier"}


def test_store_buffers_are_found_and_told_apart() -> None:
    ops = run(memory(buffered=True))
    assert {anomaly.reason.split()[0] for anomaly in judged(ops, "sc").anomalies} == {"SB"}
    assert not judged(ops, "tso").anomalies


def test_the_workloads_ask_for_their_models_and_for_enough_clients() -> None:
    assert [dict(w.checkers)["litmus"] for w in (LITMUS_SC, LITMUS_TSO, LITMUS_RC)] == [
        {},
        {"model": "tso"},
        {"model": "rc"},
    ]
    with pytest.raises(PlanError, match="at least 4 clients, not 3"):
        LITMUS_SC.generator(options(3))
