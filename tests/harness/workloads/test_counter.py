"""The counter workloads: what their ops are, what they may be asked for, and that a real counter passes and a broken one is caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from checkers import counter as checker
from harness.generator import Context, clients, limit, phases
from harness.history import History
from harness.op import NEMESIS, Op, OpType
from harness.rng import stream
from harness.verdict import Budget, Validity, Verdict
from harness.workloads.counter import AMOUNT_MAX, COUNTER, G_COUNTER, PN_COUNTER
from harness.workloads.workload import Workload, WorkloadOptions
from tests.virtual_time import World, invocations, simulate

ALL = (COUNTER, G_COUNTER, PN_COUNTER)
LATENCY_NS = 50


def options(**chosen: Any) -> WorkloadOptions:
    return WorkloadOptions(concurrency=4, nodes=("n1", "n2"), rng=stream(1, "workload"), **chosen)


def run(workload: Workload, world: World, *, ops: int = 200, seed: int = 1, **chosen: Any) -> list[Op]:
    given = options(**chosen)
    final = workload.final(given)
    assert final is not None
    whole = phases(clients(limit(ops, workload.generator(given))), clients(final))
    return simulate(whole, world, concurrency=4, seed=seed)


def counters(apply: Callable[[int, int], int] = lambda total, amount: total + amount, crash_every: int = 0) -> World:
    """A world with counters: each op takes effect when it is invoked; of the adds every so many crash."""
    totals: dict[Any, int] = {}
    adds = 0

    def world(_: Context, op: Op) -> Op:
        nonlocal adds
        done_ns = op.time_ns + LATENCY_NS
        if op.f == "read":
            return replace(op, type=OpType.OK, value=totals.get(op.key, 0), time_ns=done_ns)
        totals[op.key] = apply(totals.get(op.key, 0), op.value)
        adds += 1
        crashed = crash_every and adds % crash_every == 0
        return replace(op, type=OpType.INFO if crashed else OpType.OK, time_ns=done_ns)

    return world


def judged(workload: Workload, ops: list[Op]) -> Verdict:
    ((name, chosen), *_) = workload.checkers
    assert name == checker.NAME
    stamped = (replace(op, index=index) for index, op in enumerate(ops))
    at_once = {**chosen, "settle_s": 0.0}  # these runs are over within microseconds
    return checker.make(**at_once).check(History.of(stamped), Budget())


@pytest.mark.parametrize("workload", ALL, ids=lambda w: w.name)
def test_ops_are_adds_and_reads_about_equally_often(workload: Workload) -> None:
    ops = [op for op in invocations(run(workload, counters(), ops=400)) if not op.extra]
    assert {op.f for op in ops} == set(workload.fs)
    assert 150 < sum(op.f == "add" for op in ops) < 250
    assert all(op.value is None for op in ops if op.f == "read")
    assert {op.key for op in ops} == {None}


def test_amounts_differ_widely_and_are_never_zero() -> None:
    for workload, least in ((COUNTER, 1), (G_COUNTER, 1), (PN_COUNTER, -AMOUNT_MAX)):
        amounts = [op.value for op in invocations(run(workload, counters(), ops=2000)) if op.f == "add"]
        assert all(least <= amount <= AMOUNT_MAX and amount for amount in amounts)
        assert len(set(amounts)) > 300
        assert any(amount < 0 for amount in amounts) == (workload is PN_COUNTER)


def test_several_counters_are_used_equally_and_all_are_read_in_the_end() -> None:
    ops = invocations(run(COUNTER, counters(), ops=300, keys=3))
    used = [op.key for op in ops if not op.extra]
    assert all(used.count(key) > 60 for key in range(3))
    final = [(op.process, op.key) for op in ops if op.extra.get("final")]
    assert sorted(final) == [(process, key) for process in range(4) for key in range(3)]


def test_every_thread_reads_the_counter_in_the_end() -> None:
    final = [op for op in invocations(run(COUNTER, counters())) if op.extra.get("final")]
    assert sorted(op.process for op in final if op.process != NEMESIS) == [0, 1, 2, 3]
    assert {(op.f, op.key) for op in final} == {("read", None)}


@pytest.mark.parametrize("crash_every", [0, 9])
@pytest.mark.parametrize("workload", ALL, ids=lambda w: w.name)
def test_a_counter_that_works_passes(workload: Workload, crash_every: int) -> None:
    verdict = judged(workload, run(workload, counters(crash_every=crash_every)))
    assert verdict.validity is Validity.VALID, verdict.reason


@pytest.mark.parametrize("workload", ALL, ids=lambda w: w.name)
@pytest.mark.parametrize("fault", ["lost", "twice"])
def test_one_add_that_is_lost_or_applied_twice_is_caught(workload: Workload, fault: str) -> None:
    for seed in range(1, 6):
        count = 0

        def apply(total: int, amount: int) -> int:
            nonlocal count
            count += 1
            if count == 30:
                return total if fault == "lost" else total + 2 * amount
            return total + amount

        # With some adds of unknown outcome about; each of them could excuse an error of just its amount.
        verdict = judged(workload, run(workload, counters(apply, crash_every=40), seed=seed))
        assert verdict.validity is Validity.INVALID


def test_an_eventually_consistent_counter_is_given_time_before_the_final_reads() -> None:
    for workload in (G_COUNTER, PN_COUNTER):
        assert workload.quiet_s > dict(workload.checkers)["counter"]["settle_s"] > 0
    assert COUNTER.quiet_s == 0


def test_of_an_eventually_consistent_counter_only_the_end_counts() -> None:
    behind: list[int] = [0, 0]

    def world(_: Context, op: Op) -> Op:
        done_ns = op.time_ns + LATENCY_NS
        if op.f == "add":
            behind[0] += op.value
            return replace(op, type=OpType.OK, time_ns=done_ns)
        return replace(op, type=OpType.OK, value=behind[0] if op.extra else behind[1], time_ns=done_ns)

    ops = run(COUNTER, world)
    assert judged(COUNTER, ops).validity is Validity.INVALID
    assert judged(G_COUNTER, ops).validity is Validity.VALID
