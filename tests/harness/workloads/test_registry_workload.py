"""The workload of registries: lives of instances, that a registry which works passes, and that one which forgets is caught."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from checkers.registry.check import make
from harness.generator import Context, clients, limit, phases, stagger
from harness.history import History
from harness.op import Op, OpType
from harness.verdict import Budget, Validity
from harness.workloads.registry import REGISTRY
from tests.harness.workloads.stores import options
from tests.virtual_time import World, simulate

LATENCY_NS, TTL_S = 1_000_000, 2.0


def registry(*, ttl_s: float = TTL_S, told_s: float = TTL_S, lose_every: int = 0) -> World:
    """A registry in which everything takes effect when it is asked for. ``told_s`` is what it promises."""
    heard: dict[Any, int] = {}
    entries: dict[tuple[Any, Any], None] = {}
    changes: list[list[Any]] = []
    since: Counter[Any] = Counter()

    def drop(session: Any, now: list[tuple[Any, Any]]) -> None:
        for key, owner in now:
            if owner == session:
                del entries[key, owner]
                changes.append([len(changes) + 1, "down", key, owner])

    def world(_: Context, op: Op) -> Op:
        for session in [s for s, at in heard.items() if op.time_ns - at >= ttl_s * 1e9]:
            del heard[session]
            drop(session, list(entries))
        done = replace(op, type=OpType.OK, time_ns=op.time_ns + LATENCY_NS)
        if op.f == "register":
            heard[op.value] = op.time_ns
            entries[op.key, op.value] = None
            changes.append([len(changes) + 1, "up", op.key, op.value])
            return replace(done, value={"session": op.value, "ttl_s": told_s})
        if op.f == "beat":
            alive = op.value in heard
            if alive:
                heard[op.value] = op.time_ns
            return replace(done, value={"session": op.value, "alive": alive})
        if op.f == "lookup":
            return replace(done, value=[session for key, session in entries if key == op.key])
        if op.f == "watch":
            first = since[op.process] + (lose_every and len(changes) % lose_every == 0)
            told = {"since": since[op.process], "changes": changes[first:], "upto": len(changes)}
            since[op.process] = len(changes)
            return replace(done, value=told)
        if op.f == "leave":
            heard.pop(op.value, None)
            drop(op.value, list(entries))
        else:
            drop(op.value, [(op.key, op.value)] if (op.key, op.value) in entries else [])
        return done

    return world


def run(world: World) -> list[Op]:
    lives = clients(limit(1500, stagger(0.02, REGISTRY.generator(options(4)))))
    return simulate(phases(lives, clients(REGISTRY.final(options(4)))), world, concurrency=4)


def test_an_instance_registers_lives_and_goes() -> None:
    ops = run(registry())
    asked = [op for op in ops if op.type is OpType.INVOKE]
    assert {op.f for op in asked} == set(REGISTRY.fs)
    first: dict[Any, str] = {}
    for op in asked:
        if op.value is not None:
            first.setdefault(op.value, op.f)
    assert set(first.values()) == {"register"}
    assert len(first) > 30
    finals = [op for op in asked if op.extra.get("final")]
    assert Counter(op.f for op in finals) == {"lookup": 12, "watch": 4}


@pytest.mark.parametrize(
    ("world", "names"),
    [
        (registry(), set()),
        (registry(ttl_s=0.5), {"early-expiry"}),
        (registry(ttl_s=30.0), {"late-expiry"}),
        (registry(lose_every=3), {"watch-gap"}),
    ],
)
def test_what_is_wrong_is_found(world: World, names: set[str]) -> None:
    assert REGISTRY.checkers[0] == ("registry", {})
    history = History.of(replace(op, index=index) for index, op in enumerate(run(world)))
    verdict = make(late_s=0.5).check(history, Budget())
    assert {anomaly.name for anomaly in verdict.anomalies} == names, verdict.reason
    assert (verdict.validity is Validity.VALID) == (not names)
