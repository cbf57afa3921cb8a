"""The workloads of sets: what their ops are, that a set that works passes, and that one lost element is caught."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from checkers import sets
from harness.generator import Context, clients, limit, phases, stagger
from harness.history import History
from harness.op import Op, OpType
from harness.verdict import Budget, Validity, Verdict
from harness.workloads.set_workload import LINEARIZABLE_SET, MIX, SET
from harness.workloads.workload import Workload
from tests.harness.workloads.stores import options
from tests.virtual_time import World, invocations, simulate, told

BOTH = (SET, LINEARIZABLE_SET)
LATENCY_NS = 50


def run(workload: Workload, world: World, *, ops: int = 300, seed: int = 1, **chosen: Any) -> list[Op]:
    given = options(4, **chosen)
    final = workload.final(given)
    assert final is not None
    whole = phases(clients(limit(ops, workload.generator(given))), clients(final))
    return simulate(whole, world, concurrency=4, seed=seed)


def held(*, loses: int | None = None, crash_every: int = 0) -> World:
    """A world with sets: an op takes effect when it is invoked. It ``loses`` one element; of the adds every so many crash."""
    elements: dict[Any, list[int]] = {}

    def world(_: Context, op: Op) -> Op:
        done = replace(op, type=OpType.OK, time_ns=op.time_ns + LATENCY_NS)
        mine = elements.setdefault(op.key, [])
        if op.f == "read":
            return replace(done, value=list(mine) or None)
        if op.value != loses:
            mine.append(op.value)
        return replace(done, type=OpType.INFO, error="timeout") if crash_every and op.value % crash_every == 0 else done

    return world


def judged(workload: Workload, ops: list[Op]) -> Verdict:
    history = History.of(op.stamped(index, op.time_ns, None) for index, op in enumerate(ops))
    return sets.make(**dict(workload.checkers)["set"]).check(history, Budget())


def test_every_element_is_added_once_in_order_and_reads_are_few() -> None:
    ops = [op for op in invocations(run(SET, held(), ops=4000)) if not op.extra]
    adds = [op for op in ops if op.f == "add"]
    assert told(adds, "value") == list(range(len(adds)))
    assert {op.key for op in ops} == {0}
    assert 0.5 * MIX.share < 1 - len(adds) / len(ops) < 1.5 * MIX.share
    assert all(op.value is None for op in ops if op.f == "read")


def test_an_answer_that_is_thrown_away_uses_up_no_element() -> None:
    ops = invocations(simulate(clients(limit(500, stagger(0.001, SET.generator(options(4))))), held(), concurrency=4))
    assert [op.value for op in ops if op.f == "add"] == list(range(sum(op.f == "add" for op in ops)))


def test_several_sets_share_the_elements_and_all_are_read_in_the_end() -> None:
    ops = invocations(run(SET, held(), ops=600, keys=3))
    used = [op.key for op in ops if not op.extra]
    assert all(used.count(key) > 150 for key in range(3))
    added = [op.value for op in ops if op.f == "add"]
    assert len(set(added)) == len(added)
    final = [(op.process, op.key) for op in ops if op.extra.get("final")]
    assert sorted(final) == [(process, key) for process in range(4) for key in range(3)]


def test_the_same_dice_give_the_same_ops() -> None:
    assert run(SET, held(), seed=7) == run(SET, held(), seed=7) != run(SET, held(), seed=8)


@pytest.mark.parametrize("crash_every", [0, 9])
@pytest.mark.parametrize("workload", BOTH, ids=lambda w: w.name)
def test_a_set_that_works_passes(workload: Workload, crash_every: int) -> None:
    verdict = judged(workload, run(workload, held(crash_every=crash_every), keys=2))
    assert verdict.validity is Validity.VALID, verdict.reason


@pytest.mark.parametrize("workload", BOTH, ids=lambda w: w.name)
def test_one_element_that_is_lost_is_caught(workload: Workload) -> None:
    verdict = judged(workload, run(workload, held(loses=100)))
    assert verdict.validity is Validity.INVALID
    assert verdict.reason.startswith("lost 1 of ")


def test_only_the_linearizable_set_must_be_up_to_date() -> None:
    shown: list[list[int]] = [[], []]

    def world(_: Context, op: Op) -> Op:
        done = replace(op, type=OpType.OK, time_ns=op.time_ns + LATENCY_NS)
        if op.f == "add":
            shown[1].append(op.value)
            return done
        value, shown[0] = shown[0], list(shown[1])  # a read shows what the one before it should have shown
        return replace(done, value=value)

    ops = run(SET, world)
    assert judged(SET, ops).validity is Validity.VALID
    assert judged(LINEARIZABLE_SET, ops).validity is Validity.INVALID
