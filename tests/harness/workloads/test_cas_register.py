"""The workload ``cas-register``."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from harness.generator import clients, limit
from harness.op import Op, OpType
from harness.workloads.cas_register import CAS_REGISTER, PROCESSES_PER_KEY
from tests.harness.workloads.stores import NODES, options, store
from tests.virtual_time import after, invocations, simulate, told


def run(ops: int, concurrency: int = 10, nodes: tuple[str, ...] = NODES, **chosen: int) -> list[Op]:
    generator = CAS_REGISTER.generator(options(concurrency, nodes, **chosen))
    return invocations(simulate(clients(limit(ops, generator)), store(), concurrency=concurrency))


def test_values_are_few() -> None:
    ops = run(2000)
    writes = Counter(op.value for op in ops if op.f == "write")
    assert set(writes) == set(range(5))
    pairs = {tuple(op.value) for op in ops if op.f == "cas"}
    assert pairs == {(old, new) for old in range(5) for new in range(5)}


def test_half_of_the_threads_only_read() -> None:
    ops = run(2000)
    assert {op.process for op in ops if op.f == "read"} == set(range(5))
    assert {op.process for op in ops if op.f != "read"} == set(range(5, 10))
    counts = Counter(told(ops, "f"))
    assert 1.5 < counts["cas"] / counts["write"] < 2.5


def test_keys_follow_one_another() -> None:
    ops = run(1000, ops_per_key=50)
    assert Counter(told(ops, "key")) == dict.fromkeys(range(20), 50)
    assert told(ops, "key") == sorted(told(ops, "key"))


@pytest.mark.parametrize(
    ("concurrency", "nodes", "groups"),
    [(10, NODES, 1), (20, NODES, 2), (12, NODES, 2), (6, NODES[:1], 3), (1, NODES, 1)],
)
def test_each_group_of_threads_has_a_key_of_its_own(concurrency: int, nodes: tuple[str, ...], groups: int) -> None:
    ops = run(40 * concurrency, concurrency, nodes, ops_per_key=10**6)
    threads = defaultdict(set)
    for op in ops:
        threads[op.key].add(op.process)
    assert len(threads) == groups
    assert sum(map(len, threads.values())) == concurrency
    assert set(told(ops, "f")) == {"read", "write", "cas"}


def test_a_key_has_few_processes_however_many_crash() -> None:
    generator = CAS_REGISTER.generator(options())
    ops = invocations(simulate(clients(limit(600, generator)), after(10, OpType.INFO), concurrency=10))
    processes = defaultdict(set)
    for op in ops:
        processes[op.key].add(op.process)
    assert max(map(len, processes.values())) <= PROCESSES_PER_KEY
    assert len(processes) > 20
