"""The workload ``kv``."""

from __future__ import annotations

from collections import Counter

from harness.generator import clients, limit
from harness.workloads.kv import KEYS, KV
from tests.harness.workloads.stores import options, store
from tests.virtual_time import invocations, perfect, simulate, told


def test_it_reads_and_writes_twenty_keys_some_of_them_often() -> None:
    tree = clients(limit(5000, KV.generator(options())))
    ops = invocations(simulate(tree, store(), concurrency=10))
    assert set(told(ops, "f")) == {"read", "write"}
    keys = Counter(told(ops, "key"))
    assert set(keys) == set(range(KEYS)) == set(range(20))
    total = sum(1 / rank for rank in range(1, 21))
    assert all(abs(keys[key] / 5000 - 1 / (key + 1) / total) < 0.03 for key in range(20))


def test_final_reads_are_of_all_keys_also_of_the_rare_ones() -> None:
    final = perfect(clients(KV.final(options(keys=33))), concurrency=2)
    assert sorted(told(final, "process", "key")) == [(p, k) for p in range(2) for k in range(33)]


def test_it_is_checked_as_a_register() -> None:
    assert dict(KV.checkers)["linearizable"] == {"model": "register"}
