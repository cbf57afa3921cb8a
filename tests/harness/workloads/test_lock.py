"""The workloads of locks: what a client does in turn, that a lock that works passes, and that one with two holders is caught."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from checkers.locks.check import make
from harness.generator import Context, clients, limit, stagger
from harness.history import History
from harness.op import Op, OpType
from harness.verdict import Budget, Validity, Verdict
from harness.workloads.lock import FENCED_LOCK, LOCK
from harness.workloads.workload import Workload
from tests.harness.workloads.stores import options
from tests.virtual_time import World, simulate

LATENCY_NS = 1_000_000


def locks(*, lease_ns: int | None = None, told: bool = False, fenced: bool = False, crash_every: int = 0) -> World:
    """Locks with fencing tokens; an op takes effect when it is invoked. With ``lease_ns`` a lock is given to the next one who asks after
    that time; holders are ``told``, or not. A ``fenced`` resource refuses old tokens.
    """
    holders: dict[Any, tuple[int, int]] = {}  # lock → process, since
    last, seen = Counter[Any](), Counter[Any]()
    count = 0

    def world(_: Context, op: Op) -> Op:
        nonlocal count
        count += 1
        done = replace(op, type=OpType.OK, time_ns=op.time_ns + LATENCY_NS)
        holder, since = holders.get(op.key, (-1, 0))
        free = holder == -1 or (lease_ns is not None and op.time_ns >= since + lease_ns)
        if op.f == "acquire":
            if not free:
                return replace(done, type=OpType.FAIL, error="taken")
            holders[op.key] = op.process, op.time_ns  # type: ignore[assignment]  # clients have numbers
            last[op.key] += 1
            lease = {"lease_s": lease_ns / 1e9} if lease_ns is not None and told else {}
            done = replace(done, value={"token": last[op.key], **lease})
        elif op.f == "use":
            if fenced and op.value < seen[op.key]:
                return replace(done, type=OpType.FAIL, error="stale token")
            seen[op.key] = max(op.value, seen[op.key])
        elif holder == op.process:
            del holders[op.key]
        else:
            return replace(done, type=OpType.FAIL, error="not yours")
        crashed = crash_every and count % crash_every == 0
        return replace(op, type=OpType.INFO, time_ns=done.time_ns, error="timeout") if crashed else done

    return world


def run(workload: Workload, world: World, *, ops: int = 800, **chosen: Any) -> list[Op]:
    return simulate(
        clients(limit(ops, stagger(0.001, workload.generator(options(4, **chosen))))), world, concurrency=4, seed=1
    )


def judged(workload: Workload, ops: list[Op]) -> Verdict:
    history = History.of(op.stamped(index, op.time_ns, None) for index, op in enumerate(ops))
    return make(**dict(workload.checkers)["locks"]).check(history, Budget())


def test_a_client_acquires_uses_and_releases() -> None:
    ops = run(LOCK, locks(), keys=2)
    visits = Counter[tuple[str, ...]]()
    mine: dict[Any, list[str]] = {}
    for op in ops:
        if op.type is OpType.OK:
            mine.setdefault(op.process, []).append(op.f)
            if op.f == "release":
                visits[tuple(mine.pop(op.process))] += 1
    assert set(visits) == {("acquire", "use", "release"), ("acquire", "use", "use", "release")}
    assert min(visits.values()) > 20


def test_a_client_shows_the_token_that_it_was_given() -> None:
    given: dict[Any, int] = {}
    for op in run(LOCK, locks()):
        if op.f == "acquire" and op.type is OpType.OK:
            given[op.process] = op.value["token"]
        elif op.f == "use" and op.type is OpType.INVOKE:
            assert op.value == given[op.process]


@pytest.mark.parametrize("workload", [LOCK, FENCED_LOCK], ids=lambda w: w.name)
def test_a_lock_that_works_passes(workload: Workload) -> None:
    assert judged(workload, run(workload, locks(fenced=True), keys=2)).validity is Validity.VALID


def test_a_crashed_client_holds_nothing() -> None:
    verdict = judged(LOCK, run(LOCK, locks(lease_ns=50_000_000, told=True, crash_every=40)))
    assert verdict.validity is Validity.VALID, verdict.reason


def test_a_lock_that_forgets_its_holder_is_caught() -> None:
    ops = run(LOCK, locks(lease_ns=2_000_000))
    verdict = judged(LOCK, ops)
    assert verdict.validity is Validity.INVALID
    assert "mutual-exclusion" in {anomaly.name for anomaly in verdict.anomalies}


def test_a_resource_that_lets_late_holders_in_is_caught_and_one_with_a_fence_is_not() -> None:
    for fenced in (False, True):
        ops = run(FENCED_LOCK, locks(lease_ns=2_000_000, told=True, fenced=fenced))
        verdict = judged(FENCED_LOCK, ops)
        assert verdict.validity is (Validity.VALID if fenced else Validity.INVALID), verdict.reason
        names = {anomaly.name for anomaly in judged(LOCK, ops).anomalies}
        assert ("stale-token" in names) != fenced
