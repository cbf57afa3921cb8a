"""The workloads that Maelstrom has and registers have not: what their ops are, and that their checkers pass good and catch bad ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from checkers import CHECKERS
from harness.generator import Context, clients, limit, phases
from harness.history import History
from harness.op import Op, OpType
from harness.registry import load
from harness.verdict import Budget, Validity, Verdict
from harness.workloads import WORKLOADS
from harness.workloads.draining import DRY_MAX, OPS_MAX, PAUSE_NS
from harness.workloads.echo import ECHO, TEXTS
from harness.workloads.kafka import KAFKA
from harness.workloads.register import LIN_KV, REGISTER
from harness.workloads.transactions import KEYS, LENGTH_MAX, LIST_APPEND, RW_REGISTER, WRITES_MAX, popular
from harness.workloads.workload import Workload
from tests.harness.workloads.stores import options
from tests.virtual_time import World, invocations, simulate


def run(workload: Workload, world: World, *, ops: int = 500, seed: int = 1, **chosen: Any) -> list[Op]:
    given = options(4, **chosen)
    final = workload.final(given)
    parts = [clients(limit(ops, workload.generator(given)))] + ([clients(final)] if final is not None else [])
    return simulate(phases(*parts), world, concurrency=4, seed=seed)


def judged(workload: Workload, ops: list[Op]) -> Verdict:
    history = History.of(op.stamped(index, op.time_ns, "n1") for index, op in enumerate(ops))
    name, chosen = workload.checkers[0]
    verdict: Verdict = load(CHECKERS[name])(**chosen).check(history, Budget())
    return verdict


def done(op: Op, value: Any) -> Op:
    return replace(op, type=OpType.OK, value=value, time_ns=op.time_ns + 50)


def test_names_are_those_of_the_table() -> None:
    for name in ("echo", "broadcast", "g-set", "lin-kv", "txn-list-append", "txn-rw-register", "kafka"):
        assert load(WORKLOADS[name]).name == name


def test_lin_kv_is_the_register_under_maelstroms_name() -> None:
    assert replace(LIN_KV, name=REGISTER.name, summary=REGISTER.summary) == REGISTER


# echo


@pytest.mark.parametrize(("lie", "validity"), [("", Validity.VALID), ("!", Validity.INVALID)])
def test_an_echo_must_be_true(lie: str, validity: Validity) -> None:
    ops = run(ECHO, lambda _, op: done(op, op.value + lie))
    assert {op.f for op in ops} == {"echo"}
    assert TEXTS / 2 < len({op.value for op in invocations(ops)}) <= TEXTS
    assert judged(ECHO, ops).validity is validity


# transactions


def database(write: str, *, stale: bool = False) -> World:
    state: dict[Any, Any] = {}
    count = 0

    def world(_: Context, op: Op) -> Op:
        nonlocal count
        count += 1
        mops: list[list[Any]] = []
        for f, key, value in op.value:
            if f == "r":
                seen = state.get(key)
                mops.append(
                    [f, key, None if stale and count % 7 == 0 else list(seen) if isinstance(seen, list) else seen]
                )
            else:
                state[key] = [*state.get(key, []), value] if write == "append" else value
                mops.append([f, key, value])
        return done(op, mops)

    return world


@pytest.mark.parametrize(("workload", "write"), [(LIST_APPEND, "append"), (RW_REGISTER, "w")])
def test_transactions_write_every_value_once_and_keys_give_way(workload: Workload, write: str) -> None:
    ops = run(workload, database(write), ops=2000)
    mops = [mop for op in invocations(ops) for mop in op.value]
    assert {mop[0] for mop in mops} == {"r", write}
    assert all(mop[2] is None for mop in mops if mop[0] == "r")
    lengths = Counter(len(op.value) for op in invocations(ops))
    assert set(lengths) == set(range(1, LENGTH_MAX + 1))
    written = Counter(mop[1] for mop in mops if mop[0] == write)
    for key, times in written.items():
        assert [mop[2] for mop in mops if mop[0] == write and mop[1] == key] == list(range(1, times + 1))
    assert max(written.values()) == WRITES_MAX
    assert max(written) >= KEYS  # fresh keys took the place of spent ones
    assert judged(workload, ops).validity is Validity.VALID
    assert judged(workload, run(workload, database(write, stale=True), ops=2000)).validity is Validity.INVALID


def test_some_keys_are_popular() -> None:
    places = Counter(popular(throw / 1600, 3) for throw in range(1600))
    # 1/2, 1/4, 1/8, and a third of the last 1/8 for each.
    assert [round(24 * places[place] / 1600) for place in range(3)] == [13, 7, 4]


# kafka


def logs(*, loses: int | None = None, most: int = 5) -> World:
    """Logs, and a consumer per process that polls at most so many messages of each key; of one key's messages one is lost."""
    messages: dict[str, list[Any]] = {}
    positions: dict[Any, dict[str, int]] = {}

    def world(_: Context, op: Op) -> Op:
        mine = positions.setdefault(op.process, {})
        if op.f == "assign":
            rewind = op.extra.get("seek_to_beginning")
            positions[op.process] = {key: 0 if rewind else mine.get(key, 0) for key in op.value}
            return done(op, op.value)
        if op.f == "send":
            [[_, key, message]] = op.value
            log = messages.setdefault(key, [])
            log.append(None if message == loses else message)
            return done(op, [["send", key, [len(log) - 1, message]]])
        found = {}
        for key, at in mine.items():
            pairs = [[offset, message] for offset, message in enumerate(messages.get(key, [])) if offset >= at][:most]
            mine[key] = at + len(pairs)
            if pairs := [pair for pair in pairs if pair[1] is not None]:
                found[key] = pairs
        return done(op, [["poll", found]])

    return world


def test_consumers_send_poll_and_assign_and_read_everything_in_the_end() -> None:
    ops = run(KAFKA, logs(), ops=2000)
    asked = invocations(ops)
    shares = Counter(op.f for op in asked if not op.extra)
    assert set(shares) == set(KAFKA.fs)
    assert shares["assign"] < shares["poll"] / 2
    sends = Counter(mop[1] for op in asked if op.f == "send" for mop in op.value)
    assert set(sends) == {"k0", "k1", "k2", "k3"}
    assert {key for op in asked if op.f == "assign" for key in op.value} == set(sends)
    assert [op.extra.get("seek_to_beginning") for op in asked if op.extra and op.f == "assign"] == [True] * 4
    assert judged(KAFKA, ops).validity is Validity.VALID


def test_a_lost_message_is_found() -> None:
    verdict = judged(KAFKA, run(KAFKA, logs(loses=7), ops=1000))
    assert verdict.validity is Validity.INVALID
    assert {anomaly.name for anomaly in verdict.anomalies} >= {"lost-write"}


def test_the_last_polls_end_when_nothing_comes_any_more() -> None:
    ops = [op for op in invocations(run(KAFKA, logs(), ops=1, keys=1)) if op.extra and op.f == "poll"]
    by_process = Counter(op.process for op in ops)
    assert set(by_process) == {0, 1, 2, 3}
    assert all(DRY_MAX <= times <= DRY_MAX + 1 for times in by_process.values())
    times = [op.time_ns for op in ops if op.process == 0]
    assert min(late - early for early, late in pairwise(times[1:])) >= PAUSE_NS
    assert OPS_MAX > DRY_MAX
