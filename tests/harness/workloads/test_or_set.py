"""The workload or-set: a moving window of elements, mostly changed at home, each of them little, and all nodes read in the end."""

from __future__ import annotations

from collections import Counter

from harness.generator import clients, limit, phases
from harness.op import Op
from harness.workloads.or_set import CHANGES, HOME_SHARE, OR_SET, READ_SHARE, REMOVE_SHARE, WINDOW
from tests.harness.workloads.stores import NODES, options
from tests.virtual_time import after, invocations, simulate


def run(ops: int, seed: int = 1) -> list[Op]:
    given = options(10)
    final = OR_SET.final(given)
    assert final is not None
    whole = phases(clients(limit(ops, OR_SET.generator(given))), clients(final))
    return [op for op in invocations(simulate(whole, after(50), concurrency=10, seed=seed)) if not op.is_nemesis]


def test_shares_of_its_operations() -> None:
    main = [op for op in run(6000) if not op.extra]
    times = Counter(op.f for op in main)
    assert set(times) == set(OR_SET.fs)
    assert 0.7 * READ_SHARE < times["read"] / len(main) < 1.3 * READ_SHARE
    assert 0.9 * REMOVE_SHARE < times["remove"] / (times["remove"] + times["add"]) < 1.1 * REMOVE_SHARE


def test_elements_come_and_go_and_each_changes_little() -> None:
    values = [op.value for op in run(6000) if op.f != "read"]
    uses = Counter(values)
    assert 0.7 * CHANGES < sum(uses.values()) / len(uses) < 1.3 * CHANGES
    for element in list(uses)[:50]:
        places = [place for place, value in enumerate(values) if value == element]
        assert places[-1] - places[0] <= (WINDOW + 1) * CHANGES * len(NODES)


def test_most_changes_are_made_at_home() -> None:
    changes = [op for op in run(6000) if op.f != "read"]
    home = sum(op.value % len(NODES) == int(op.process) % 10 % len(NODES) for op in changes) / len(changes)
    assert HOME_SHARE < home < HOME_SHARE + (1 - HOME_SHARE) / 2


def test_every_thread_reads_in_the_end_and_the_same_dice_give_the_same_ops() -> None:
    final = [op for op in run(200) if op.extra]
    assert sorted(int(op.process) for op in final) == list(range(10))
    assert run(300, seed=7) == run(300, seed=7) != run(300, seed=8)
