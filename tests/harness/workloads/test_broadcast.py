"""The workloads broadcast and g-set: what their ops are, that gossip that works passes, and that a value that is lost is caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from checkers import broadcast as checker
from harness.generator import Context, clients, limit, phases
from harness.history import History
from harness.op import Op, OpType
from harness.verdict import Budget, Checker, Validity, Verdict
from harness.workloads.broadcast import BROADCAST, G_SET, READ_SHARE
from harness.workloads.workload import Workload
from tests.harness.workloads.stores import options
from tests.virtual_time import World, invocations, simulate, told

BOTH = (BROADCAST, G_SET)
MAKERS: dict[str, Callable[..., Checker]] = {"broadcast": checker.make, "g-set": checker.make_g_set}
LATENCY_NS = 50


def run(workload: Workload, world: World, *, ops: int = 300, seed: int = 1, **chosen: Any) -> list[Op]:
    given = options(4, **chosen)
    final = workload.final(given)
    assert final is not None
    whole = phases(clients(limit(ops, workload.generator(given))), clients(final))
    return simulate(whole, world, concurrency=4, seed=seed)


def gossip(*, loses: int | None = None, keeps: int | None = None, crash_every: int = 0) -> World:
    """Two nodes, that of a process being its number modulo 2: what one is told, the other shows in the final reads alone.

    The value it ``loses`` is nowhere, what it ``keeps`` stays on the node that was told; every so many sendings crash.
    """
    held: dict[tuple[Any, int], list[int]] = {}

    def world(_: Context, op: Op) -> Op:
        done = replace(op, type=OpType.OK, time_ns=op.time_ns + LATENCY_NS)
        at = int(op.process) % 2
        mine, other = held.setdefault((op.key, at), []), held.setdefault((op.key, 1 - at), [])
        if op.f == "read":
            arrived = [value for value in other if value != keeps] if op.extra else []
            return replace(done, value=[*mine, *arrived])
        if op.value != loses:
            mine.append(op.value)
        crashed = crash_every and op.value % crash_every == 0
        return replace(done, type=OpType.INFO, error="timeout") if crashed else done

    return world


def judged(workload: Workload, ops: list[Op]) -> Verdict:
    (name, chosen), *_ = workload.checkers
    lines = (op.stamped(index, op.time_ns, f"n{int(op.process) % 2}") for index, op in enumerate(ops))
    return MAKERS[name](**{"settle_s": 0, **chosen}).check(History.of(lines), Budget())


@pytest.mark.parametrize("workload", BOTH, ids=lambda w: w.name)
def test_every_value_is_sent_once_in_order_and_reads_are_few(workload: Workload) -> None:
    ops = [op for op in invocations(run(workload, gossip(), ops=4000)) if not op.extra]
    sends = [op for op in ops if op.f == workload.fs[0]]
    assert told(sends, "value") == list(range(len(sends)))
    assert {op.key for op in ops} == {None}
    assert 0.5 * READ_SHARE < 1 - len(sends) / len(ops) < 1.5 * READ_SHARE
    assert all(op.value is None for op in ops if op.f == "read")


def test_the_vocabulary_is_maelstroms() -> None:
    assert (BROADCAST.fs, G_SET.fs) == (("broadcast", "read"), ("add", "read"))


def test_several_collections_share_the_values_and_all_are_read_in_the_end() -> None:
    ops = invocations(run(G_SET, gossip(), ops=600, keys=3))
    used = [op.key for op in ops if not op.extra]
    assert all(used.count(key) > 150 for key in range(3))
    final = [(op.process, op.key) for op in ops if op.extra.get("final")]
    assert sorted(final) == [(process, key) for process in range(4) for key in range(3)]


@pytest.mark.parametrize("workload", BOTH, ids=lambda w: w.name)
def test_the_final_reads_begin_after_a_quiet_time(workload: Workload) -> None:
    assert workload.quiet_s > checker.SETTLE_S


@pytest.mark.parametrize("crash_every", [0, 9])
@pytest.mark.parametrize("workload", BOTH, ids=lambda w: w.name)
def test_values_that_arrive_in_the_end_pass(workload: Workload, crash_every: int) -> None:
    verdict = judged(workload, run(workload, gossip(crash_every=crash_every)))
    assert verdict.validity is Validity.VALID, verdict.reason


@pytest.mark.parametrize("workload", BOTH, ids=lambda w: w.name)
def test_one_value_that_is_lost_or_undelivered_is_caught(workload: Workload) -> None:
    lost = judged(workload, run(workload, gossip(loses=100)))
    assert [anomaly.name for anomaly in lost.anomalies] == ["lost"]
    kept = judged(workload, run(workload, gossip(keeps=100)))
    assert [anomaly.name for anomaly in kept.anomalies] == ["undelivered"]
