"""The small tests of isolation: what their ops are, that a serializable store passes, and that the anomaly of each is caught."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest

from checkers import CHECKERS
from harness.generator import Context, clients, limit, phases
from harness.history import History
from harness.op import Op, OpType
from harness.registry import load
from harness.verdict import Budget, Validity, Verdict
from harness.workloads.isolation import CAUSAL_REVERSE, GROUP, GROUPS, LONG_FORK, MONOTONIC, WRITE_SKEW
from harness.workloads.predicates import FIND, MODULUS, PREDICATES, SIZE, keys_of
from harness.workloads.workload import Workload
from tests.harness.workloads.stores import options
from tests.virtual_time import World, invocations, simulate

LATENCY_NS = 5_000_000
ALL = (LONG_FORK, WRITE_SKEW, MONOTONIC, CAUSAL_REVERSE, PREDICATES)


class Store:
    """Registers, tables, counters and lists; an op takes effect when it is invoked. With ``broken``, what each workload is made to find:
    each reader sees another half of the keys late, inserts look at an old snapshot, counters and lists lose what came just before.
    """

    def __init__(self, *, broken: bool = False, crash_every: int = 0) -> None:
        self.broken, self.crash_every, self.count = broken, crash_every, 0
        self.rows: dict[Any, Any] = {}
        self.before: dict[Any, Any] = {}
        self.lists: dict[Any, list[int]] = defaultdict(list)

    def __call__(self, _: Context, op: Op) -> Op:
        self.count += 1
        answer = getattr(self, op.f)(op)
        done = replace(op, time_ns=op.time_ns + LATENCY_NS, type=OpType.OK, value=answer)
        if answer is WRITE_SKEW:
            return replace(done, type=OpType.FAIL, value=op.value, error="there is one")
        if self.crash_every and self.count % self.crash_every == 0:
            return replace(done, type=OpType.INFO, value=op.value, error="timeout")
        return done

    def txn(self, op: Op) -> Any:
        if op.value[0][0] == FIND:
            return self.find(op)
        answers = []
        for f, key, value in op.value:
            late = self.broken and (key + op.process) % 2
            answers.append([f, key, value if f == "w" else (self.before if late else self.rows).get(key)])
        if op.value[0][0] == "w":
            if self.count % 3 == 0:
                self.before = dict(self.rows)
            self.rows |= {key: value for _, key, value in op.value}
        return answers

    def find(self, op: Op) -> Any:
        """What is there of a group; ``broken``: what was there before the last insert."""
        (f, what, _), *inserts = op.value
        seen = self.before if self.broken else self.rows
        answer = [f, what, {key: seen[key] for key in keys_of(what) if key in seen}]
        if inserts:
            self.before = dict(self.rows)
            self.rows[inserts[0][1]] = inserts[0][2]
        return [answer, *inserts]

    def insert(self, op: Op) -> Any:
        seen = self.before if self.broken else self.rows
        if op.key in seen:
            return WRITE_SKEW
        self.before = dict(self.rows)
        self.rows[op.key] = op.value
        return op.value

    def increment(self, op: Op) -> int:
        if self.broken and self.count % 20 == 0:
            self.rows[op.key] = max(0, self.rows.get(op.key, 0) - 2)
        self.rows[op.key] = self.rows.get(op.key, 0) + 1
        return int(self.rows[op.key])

    def write(self, op: Op) -> Any:
        self.lists[op.key].append(op.value)
        return op.value

    def read(self, op: Op) -> Any:
        if op.key in self.lists:
            whole = self.lists[op.key]
            return whole[:-2] + whole[-1:] if self.broken and op.process % 2 else list(whole)
        return self.rows.get(op.key)


def run(workload: Workload, world: World, *, ops: int = 600, seed: int = 1) -> list[Op]:
    given = options(4)
    final = workload.final(given)
    main = clients(limit(ops, workload.generator(given)))
    return simulate(main if final is None else phases(main, clients(final)), world, concurrency=4, seed=seed)


def judged(workload: Workload, ops: list[Op]) -> Verdict:
    name, given = workload.checkers[0]
    history = History.of(op.stamped(index, op.time_ns, None) for index, op in enumerate(ops))
    verdict: Verdict = load(CHECKERS[name])(**given).check(history, Budget())
    return verdict


@pytest.mark.parametrize("workload", ALL, ids=lambda workload: workload.name)
@pytest.mark.parametrize("crash_every", [0, 7])
def test_a_store_that_does_one_thing_after_the_other_passes(workload: Workload, crash_every: int) -> None:
    verdict = judged(workload, run(workload, Store(crash_every=crash_every)))
    assert verdict.validity is Validity.VALID, verdict.reason


@pytest.mark.parametrize(
    ("workload", "name"),
    [
        (LONG_FORK, "long-fork"),
        (WRITE_SKEW, "G2"),
        (PREDICATES, "G-single-realtime"),
        (MONOTONIC, "nonmonotonic"),
        (CAUSAL_REVERSE, "causal-reverse"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_each_finds_what_it_is_for(workload: Workload, name: str) -> None:
    assert name in {anomaly.name for anomaly in judged(workload, run(workload, Store(broken=True))).anomalies}


def test_every_key_of_a_fork_is_written_once_and_read_with_its_whole_group() -> None:
    ops = [op.value for op in invocations(run(LONG_FORK, Store()))]
    written = [mops[0][1] for mops in ops if mops[0][0] == "w"]
    assert len(written) == len(set(written)) > 100
    assert max(written) < len(written) + GROUPS * GROUP
    groups = [sorted(mop[1] for mop in mops) for mops in ops if mops[0][0] == "r"]
    assert all(len(group) == GROUP and group == [group[0], group[0] + 1] and group[0] % GROUP == 0 for group in groups)
    # Both orders of reading, and groups in every state of being written.
    assert {mops[0][1] % GROUP for mops in ops if mops[0][0] == "r"} == {0, 1}


def test_inserts_come_in_pairs_of_one_for_each_table() -> None:
    ops = invocations(run(WRITE_SKEW, Store(), ops=40))
    assert [op.key for op in ops] == [pair for pair in range(20) for _ in "ab"]
    assert [op.value[0] for op in ops] == ["a", "b"] * 20
    assert [op.value[1] for op in ops] == list(range(40))


def test_every_key_of_a_group_is_inserted_once_by_who_asked_for_all_of_it() -> None:
    ops = [op.value for op in invocations(run(PREDICATES, Store()))]
    inserts = [(mops[0][1][2], *mops[1][1:]) for mops in ops if len(mops) == 2]
    assert len(inserts) == len({key for _, key, _ in inserts}) > 300
    for group, key, value in inserts:
        assert key in keys_of(["mod", MODULUS, group])
        assert value % MODULUS == group
    assert len({key for group in range(50) for key in keys_of(["mod", MODULUS, group])}) == 50 * SIZE
    asked = [mops[0][1][2] for mops in ops if len(mops) == 1]
    assert len(set(asked)) > 30
    with pytest.raises(ValueError, match="finds groups"):
        keys_of(["=", 3])


@pytest.mark.parametrize("workload", [MONOTONIC, CAUSAL_REVERSE], ids=lambda workload: workload.name)
def test_what_grows_is_read_by_everybody_in_the_end(workload: Workload) -> None:
    ops = invocations(run(workload, Store()))
    finals = [(op.process, op.key) for op in ops if op.extra.get("final")]
    assert sorted(finals) == [(process, key) for process in range(4) for key in range(5)]
    grown = [op.value for op in ops if op.f == workload.fs[0]]
    assert 200 < len(grown) < 400
    assert workload is MONOTONIC or grown == sorted(set(grown))
