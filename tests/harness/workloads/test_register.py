"""The workload ``register``."""

from __future__ import annotations

from collections import Counter

from harness.generator import clients, limit
from harness.workloads.register import KEYS, REGISTER
from tests.harness.workloads.stores import options, store
from tests.virtual_time import invocations, perfect, simulate, told


def test_it_mixes_reads_writes_and_cas_on_five_keys() -> None:
    tree = clients(limit(4000, REGISTER.generator(options())))
    ops = invocations(simulate(tree, store(), concurrency=10))
    counts = Counter(told(ops, "f"))
    assert abs(counts["read"] / 4000 - 0.50) < 0.03
    assert abs(counts["write"] / 4000 - 0.35) < 0.03
    assert abs(counts["cas"] / 4000 - 0.15) < 0.03
    assert set(told(ops, "key")) == set(range(KEYS)) == set(range(5))


def test_many_of_its_cas_succeed() -> None:
    tree = clients(limit(2000, REGISTER.generator(options())))
    ended = [op.type.value for op in simulate(tree, store(latency_ns=2), concurrency=3) if op.f == "cas"]
    counts = Counter(ended)
    assert counts["ok"] > 0.3 * counts["invoke"]


def test_the_number_of_keys_can_be_chosen() -> None:
    chosen = options(keys=2)
    ops = invocations(simulate(clients(limit(100, REGISTER.generator(chosen))), store(), concurrency=10))
    assert set(told(ops, "key")) == {0, 1}
    final = perfect(clients(REGISTER.final(chosen)), concurrency=3)
    assert sorted(told(final, "process", "key")) == [(p, k) for p in range(3) for k in range(2)]


def test_it_is_checked_as_a_cas_register() -> None:
    assert dict(REGISTER.checkers)["linearizable"] == {"model": "cas-register"}
