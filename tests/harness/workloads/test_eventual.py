"""The workloads of eventually consistent stores: what is marked, what is quiet, what a store that works and one that does not are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from checkers import convergence, staleness
from harness.errors import PlanError, PluginError
from harness.generator import Context, clients, limit, phases
from harness.history import History
from harness.op import Op, OpType
from harness.verdict import Budget, Validity
from harness.workloads.eventual import (
    DELETE_EVERY,
    EVENTUAL,
    EVENTUAL_DELETES,
    EVENTUAL_SESSIONS,
    EVENTUAL_SET,
    EVENTUAL_SIBLINGS,
    QUIET_S,
    SESSIONS,
    SETTLE_S,
    WRITE_READ,
)
from harness.workloads.workload import Workload
from harness.workloads.write_read import PAUSES_NS, write_read
from tests.harness.workloads.stores import options, store
from tests.virtual_time import World, invocations, simulate

ALL = (EVENTUAL, EVENTUAL_SIBLINGS, EVENTUAL_DELETES, EVENTUAL_SET, WRITE_READ, EVENTUAL_SESSIONS, SESSIONS)


def run(workload: Workload, world: World, *, ops: int = 300, **chosen: Any) -> list[Op]:
    given = options(4, **chosen)
    final = workload.final(given)
    return simulate(phases(clients(limit(ops, workload.generator(given))), clients(final)), world, concurrency=4)


def side_by_side(*, stale: bool = False) -> World:
    """A store whose reads return lists; a ``stale`` one gives every second reader what stood there one write before."""
    written: dict[Any, list[Any]] = {}
    count = [0]

    def world(_: Context, op: Op) -> Op:
        done = replace(op, type=OpType.OK, time_ns=op.time_ns + 1000)
        mine = written.setdefault(op.key, [None])
        if op.f != "read":
            mine.append(op.value)
            return done
        count[0] += 1
        value = mine[-2] if stale and count[0] % 2 and len(mine) > 1 else mine[-1]
        return replace(done, value=[] if value is None else [value])

    return world


@pytest.mark.parametrize("workload", ALL, ids=lambda workload: workload.name)
@pytest.mark.parametrize("marks", [{}, {"hop": True}, {"hop": True, "vector": True}])
def test_the_client_is_told_by_the_op(workload: Workload, marks: dict[str, bool]) -> None:
    siblings = {"siblings": True} if workload.name in {"eventual-siblings", "eventual-deletes"} else {}
    ops = invocations(run(workload, side_by_side(), **marks))
    for op in ops:
        if op.extra.get("final"):  # everybody reads at home
            assert op.extra == {"final": True, **siblings, **{m: True for m in marks if m != "hop"}}
        else:
            assert op.extra.items() >= {**siblings, **marks}.items()


@pytest.mark.parametrize("workload", ALL, ids=lambda workload: workload.name)
def test_clients_only_read_for_a_while_before_the_final_reads(workload: Workload) -> None:
    ops = invocations(run(workload, side_by_side()))
    first = next(op for op in ops if op.extra.get("final"))
    last = [op for op in ops if op.f != "read"][-1]
    watching = [op for op in ops if op.extra.get("watching")]
    assert first.time_ns - last.time_ns >= QUIET_S * 0.95e9
    assert len(watching) > 100
    assert {op.f for op in watching} == {"read"}
    assert QUIET_S > SETTLE_S


def test_some_writes_delete() -> None:
    writes = [op for op in invocations(run(EVENTUAL_DELETES, side_by_side(), keys=3)) if op.f == "write"]
    dead = [op for op in writes if op.value is None]
    assert len(dead) == pytest.approx(len(writes) / DELETE_EVERY, abs=3)
    assert all(op.value is None or op.value % DELETE_EVERY for op in writes)


@pytest.mark.parametrize(("stale", "validity"), [(False, Validity.VALID), (True, Validity.INVALID)])
@pytest.mark.parametrize("workload", [EVENTUAL_SIBLINGS, EVENTUAL_DELETES], ids=lambda workload: workload.name)
def test_agreement_is_told_from_disagreement(workload: Workload, stale: bool, validity: Validity) -> None:
    ops = run(workload, side_by_side(stale=stale), keys=5)
    history = History.of(op.stamped(index, op.time_ns, f"n{op.process}") for index, op in enumerate(ops))
    checker = convergence.make(**dict(workload.checkers)["convergence"])
    assert checker.check(history, Budget()).validity is validity


@pytest.mark.parametrize("name", ["hop", "vector"])
def test_marks_are_true_or_false(name: str) -> None:
    with pytest.raises(PlanError, match=f"{name} must be true or false, not 1"):
        options(4, **{name: 1})


# Pairs of a write and a read


def test_of_a_key_there_is_one_op_at_a_time_and_a_read_follows_a_write() -> None:
    ops = [op for op in run(WRITE_READ, store(trouble=0.1), ops=400, keys=3) if not op.extra]
    running: dict[Any, Op] = {}
    last: dict[Any, Op] = {}
    for op in ops:
        if op.type is OpType.INVOKE:
            assert op.key not in running
            if op.f == "read":
                assert (last[op.key].f, last[op.key].type) == ("write", OpType.OK)
                assert op.time_ns >= last[op.key].time_ns
            running[op.key] = op
        else:
            last[op.key] = op
            del running[op.key]
    assert sum(op.f == "read" for op in ops) > 100


def test_pauses_are_kept_and_differ() -> None:
    ops = [op for op in run(WRITE_READ, store(latency_ns=10), ops=400, keys=1) if not op.extra]
    acknowledged = {(op.key, op.value): op.time_ns for op in ops if op.f == "write" and op.type is OpType.OK}
    written: dict[Any, Any] = {}
    waits = []
    for op in ops:
        if op.f == "write" and op.type is OpType.OK:
            written[op.key] = op.value
        elif op.f == "read" and op.type is OpType.INVOKE:
            waits.append(op.time_ns - acknowledged[op.key, written[op.key]])
    assert min(waits) < 1_000_000 < max(PAUSES_NS) <= max(waits)


def test_a_store_that_is_one_write_behind_is_caught() -> None:
    for behind, stale in ((False, False), (True, True)):
        held: dict[Any, list[Any]] = {}

        def world(_: Context, op: Op, *, held: dict[Any, list[Any]] = held, behind: bool = behind) -> Op:
            mine = held.setdefault(op.key, [None, None])
            if op.f == "write":
                mine.append(op.value)
            value = mine[-2 if behind else -1] if op.f == "read" else op.value
            return replace(op, type=OpType.OK, time_ns=op.time_ns + 1000, value=value)

        ops = run(WRITE_READ, world, ops=200)
        history = History.of(op.stamped(index, op.time_ns, None) for index, op in enumerate(ops))
        verdict = staleness.make(max_versions=0).check(history, Budget())
        assert (verdict.validity is Validity.INVALID) == stale
        assert (verdict.stats["stale_reads"] > 50) == stale


def test_no_key_is_refused() -> None:
    with pytest.raises(PluginError, match="needs at least one key"):
        write_read(0)
