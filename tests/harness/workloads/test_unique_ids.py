"""The workload of unique ids: what its ops are, and that a generator which repeats itself is caught."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checkers import unique_ids as checker
from harness.generator import Context, clients, limit, phases
from harness.history import History
from harness.op import Op, OpType
from harness.rng import stream
from harness.verdict import Budget, Validity
from harness.workloads.unique_ids import UNIQUE_IDS
from harness.workloads.workload import WorkloadOptions
from tests.virtual_time import invocations, simulate

OPTIONS = WorkloadOptions(concurrency=3, nodes=("n1",), rng=stream(1, "workload"))


def run(ids: int) -> list[Op]:
    """Ids count up, and begin anew after so many."""
    count = 0

    def world(_: Context, op: Op) -> Op:
        nonlocal count
        count += 1
        return replace(op, type=OpType.OK, value=count % ids, time_ns=op.time_ns + 10)

    return simulate(phases(clients(limit(100, UNIQUE_IDS.generator(OPTIONS)))), world, concurrency=3)


def test_every_op_asks_for_an_id() -> None:
    ops = invocations(run(1000))
    assert len(ops) == 100
    assert {(op.f, op.key, op.value) for op in ops} == {("generate", None, None)}
    assert {op.process for op in ops} == {0, 1, 2}
    assert UNIQUE_IDS.fs == ("generate",)


def test_nothing_is_read_in_the_end() -> None:
    assert UNIQUE_IDS.final(OPTIONS) is None


@pytest.mark.parametrize(("ids", "validity"), [(1000, Validity.VALID), (99, Validity.INVALID)])
def test_ids_that_are_given_out_again_are_caught(ids: int, validity: Validity) -> None:
    ((name, chosen), *_) = UNIQUE_IDS.checkers
    assert name == checker.NAME
    assert chosen == {}
    history = History.of(replace(op, index=index) for index, op in enumerate(run(ids)))
    assert checker.make().check(history, Budget()).validity is validity
