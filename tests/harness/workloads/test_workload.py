"""What a workload may be asked for, and what holds for all of them."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from harness.errors import PlanError
from harness.generator import any_of, clients, limit, nemesis, phases, repeat, stagger
from harness.op import Op, OpType
from harness.registry import Registry
from harness.workloads import WORKLOADS
from harness.workloads.workload import Workload, WorkloadOptions
from tests.harness.workloads.stores import NODES, options, store
from tests.virtual_time import after, invocations, simulate, told

ALL = Registry("workload", WORKLOADS)


def found(name: str) -> Workload:
    workload: Workload = ALL.get(name)
    return workload


def of_registers(name: str) -> bool:
    return set(found(name).fs) <= {"read", "write", "cas"}


@pytest.fixture(params=sorted(WORKLOADS))
def anyone(request: pytest.FixtureRequest) -> Workload:
    """Every workload."""
    return found(request.param)


@pytest.fixture(params=sorted(filter(of_registers, WORKLOADS)))
def workload(request: pytest.FixtureRequest) -> Workload:
    """Every workload that a store of registers can serve."""
    return found(request.param)


def run(workload: Workload, ops: int, *, seed: int = 1, trouble: float = 0.1) -> list[Op]:
    """All lines of a run of ``ops`` client ops beside a nemesis, and the final reads."""
    final = workload.final(options())
    main = any_of(nemesis(repeat({"f": "start-kill"}, 3)), clients(limit(ops, workload.generator(options()))))
    return simulate(phases(main, clients(final)), store(seed, trouble=trouble), concurrency=10, seed=seed)


def finals(ops: list[Op]) -> list[Op]:
    return [op for op in ops if op.extra.get("final")]


def test_a_workload_is_listed_under_its_name(anyone: Workload) -> None:
    assert WORKLOADS[anyone.name]
    assert anyone.summary
    # A history in which nothing happened passes every other checker.
    assert {"sanity", "stats"} <= {name for name, _ in anyone.checkers}


def test_its_ops_are_of_its_functions_and_repeatable(anyone: Workload) -> None:
    def once() -> list[Op]:
        return simulate(clients(limit(300, anyone.generator(options()))), after(50), concurrency=10)

    ops = once()
    assert ops == once()
    # What replicas hold is asked for in the end alone.
    assert set(told(ops, "f")) == set(anyone.fs) - {"replicas"}


def test_the_run_of_a_workload(workload: Workload) -> None:
    ops = [op for op in invocations(run(workload, 800)) if not op.is_nemesis]
    main = [op for op in ops if not (op.extra.get("final") or op.extra.get("watching"))]
    assert len(main) == 800
    assert all(op.key is not None and not set(op.extra) - {"siblings"} for op in main)
    assert set(told(finals(ops), "f")) == {"read"}


def test_values_have_the_shape_of_their_function(workload: Workload) -> None:
    for op in invocations(run(workload, 400)):
        if op.f == "read":
            assert op.value is None
        elif op.f == "write":
            assert isinstance(op.value, int) or (op.value is None and workload.name == "eventual-deletes")
        elif op.f == "cas":
            assert isinstance(op.value, list)
            assert len(op.value) == 2


def test_the_same_seed_gives_the_same_run(workload: Workload) -> None:
    assert run(workload, 300, seed=5) == run(workload, 300, seed=5)
    assert run(workload, 300, seed=5) != run(workload, 300, seed=6)


def test_its_ops_are_endless_and_keep_the_rate(workload: Workload) -> None:
    tree = clients(stagger(1e-3, workload.generator(options())))
    times = told(invocations(simulate(tree, store(), concurrency=10, ops_max=2000)), "time_ns")
    assert 0.9e-3 < times[-1] / len(times) / 1e9 < 1.1e-3
    assert all(earlier <= later for earlier, later in pairwise(times))


@pytest.mark.parametrize("seed", range(3))
def test_every_client_thread_reads_every_used_key_at_the_end(workload: Workload, seed: int) -> None:
    ops = run(workload, 700, seed=seed, trouble=0.1)
    used = {op.key for op in ops if not op.is_nemesis and not op.extra.get("final")}
    read = {(int(op.process) % 10, op.key) for op in finals(ops) if op.type is OpType.OK}
    assert len(used) > 3
    assert {(thread, key) for thread in range(10) for key in used} <= read


def test_final_reads_come_after_all_else(workload: Workload) -> None:
    ops = run(workload, 300)
    first = next(place for place, op in enumerate(ops) if op.extra.get("final"))
    assert all(op.extra.get("final") for op in ops[first:])


def test_final_reads_see_the_last_values(workload: Workload) -> None:
    ops = run(workload, 500, trouble=0.0)
    seen: dict[object, set[object]] = {}
    for op in finals(ops):
        if op.type is OpType.OK:
            seen.setdefault(op.key, set()).add(op.value)
    assert all(len(values) == 1 for values in seen.values())


# Options.


def test_options_come_with_the_run() -> None:
    chosen = options(concurrency=7, keys=3)
    assert (chosen.concurrency, chosen.nodes, chosen.keys, chosen.ops_per_key, chosen.rate) == (7, NODES, 3, 100, 100)


def test_an_unknown_option_gets_a_suggestion() -> None:
    with pytest.raises(PlanError, match="unknown workload option 'key': did you mean 'keys'"):
        options(key=3)
    with pytest.raises(PlanError, match="unknown workload option 'rng'"):
        WorkloadOptions.of({"rng": 1}, concurrency=1, nodes=NODES, rng=random.Random(1), time_limit_s=1, rate=1)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(PlanError) as caught:
        WorkloadOptions(concurrency=0, nodes=(), keys=0, ops_per_key=0)
    assert str(caught.value) == (
        "a workload needs 1 to 10000 clients, not 0; a workload needs at least one node; "
        "keys must be 1 to 10000, not 0; ops_per_key must be a whole number of at least 1, not 0"
    )


@pytest.mark.parametrize("keys", [10_001, 2.5, "5", True])
def test_keys_are_a_sensible_number(keys: object) -> None:
    with pytest.raises(PlanError, match="keys must be 1 to 10000, not"):
        options(keys=keys)
