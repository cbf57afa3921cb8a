"""The workload of instances that are probed: their lives, that a registry which works passes, and that one which does not is caught."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import groupby
from typing import Any

import pytest

from checkers.health.check import make
from harness.generator import Context, clients, limit, phases, stagger
from harness.history import History
from harness.op import Op, OpType
from harness.verdict import Budget, Validity
from harness.workloads.health import HEALTH
from tests.harness.workloads.stores import options
from tests.virtual_time import World, simulate

LATENCY_NS = 1_000_000
CHECK = {"interval_s": 0.5, "timeout_s": 0.5, "failures": 3, "deregister_s": 3.0}


def registry(*, notice_s: float = 1.5, reap_s: float = 3.0, told: bool = True) -> World:
    """A registry that knows at once who answers: an instance is critical ``notice_s`` after it fell silent, gone ``reap_s`` after that.

    Not ``told``: watches hear only who comes and goes.
    """
    services: dict[Any, Any] = {}
    muted: dict[Any, int] = {}
    status: dict[Any, str] = {}
    changes: list[list[Any]] = []
    since: Counter[Any] = Counter()

    def change(what: str, instance: Any) -> None:
        if told or what in ("up", "down"):
            changes.append([len(changes) + 1, what, services[instance], instance])
        status[instance] = what

    def probe(now_ns: int) -> None:
        for instance in list(status):
            silent_s = (now_ns - muted[instance]) / 1e9 if instance in muted else 0.0
            if instance not in muted and status[instance] != "passing":
                change("passing", instance)
            if silent_s >= notice_s and status[instance] == "passing":
                change("critical", instance)
            if silent_s >= notice_s + reap_s:
                change("down", instance)
                del status[instance]

    def world(_: Context, op: Op) -> Op:
        probe(op.time_ns)
        done = replace(op, type=OpType.OK, time_ns=op.time_ns + LATENCY_NS)
        if op.f == "serve":
            services[op.value] = op.key
            change("up", op.value)
            return replace(done, value={"instance": op.value, **CHECK})
        if op.f == "mute":
            muted[op.value] = op.time_ns
        elif op.f == "answer":
            muted.pop(op.value, None)
        elif op.f == "withdraw" and op.value not in status:
            return replace(done, type=OpType.FAIL)
        elif op.f == "withdraw":
            change("down", op.value)
            del status[op.value]
        elif op.f == "watch":
            first, since[op.process] = since[op.process], len(changes)
            return replace(done, value={"since": first, "changes": changes[first:], "upto": len(changes)})
        else:
            mine = {
                one: "passing" if state == "passing" else "critical"
                for one, state in status.items()
                if services[one] == op.key
            }
            passing = [one for one, state in mine.items() if state == "passing"]
            return replace(done, value=passing if op.f == "healthy" else [[one, state] for one, state in mine.items()])
        return done

    return world


def run(world: World) -> list[Op]:
    lives = clients(limit(2500, stagger(0.05, HEALTH.generator(options(4)))))
    return simulate(phases(lives, clients(HEALTH.final(options(4)))), world, concurrency=4)


def test_an_instance_comes_answers_falls_silent_and_goes() -> None:
    asked = [op for op in run(registry()) if op.type is OpType.INVOKE]
    assert {op.f for op in asked} == set(HEALTH.fs)
    own = sorted((op for op in asked if op.value is not None), key=lambda op: str(op.value))
    lives = [[op.f for op in ops] for _, ops in groupby(own, key=lambda op: op.value)]
    assert len(lives) > 30
    assert all(life[0] == "serve" and life.count("serve") == 1 for life in lives)
    ended = Counter(life[-1] for life in lives)
    assert ended["mute"] > ended["withdraw"] > 0
    assert any("mute" in life[:-1] for life in lives)
    finals = [op for op in asked if op.extra.get("final")]
    assert Counter(op.f for op in finals) == {"healthy": 12, "instances": 12, "watch": 4}


@pytest.mark.parametrize(
    ("world", "names"),
    [
        (registry(), set()),
        (registry(notice_s=0.1, reap_s=5.0), {"false-alarm"}),
        (registry(notice_s=0.1, reap_s=0.1), {"false-alarm", "lost-instance"}),
        (registry(notice_s=30.0), {"healthy-though-silent", "not-deregistered"}),
        (registry(reap_s=30.0), {"not-deregistered"}),
        (registry(told=False), {"watch-missed"}),
    ],
)
def test_what_is_wrong_is_found(world: World, names: set[str]) -> None:
    assert HEALTH.checkers[0] == ("health", {})
    history = History.of(replace(op, index=index) for index, op in enumerate(run(world)))
    verdict = make(late_s=0.5).check(history, Budget())
    assert {anomaly.name for anomaly in verdict.anomalies} == names, verdict.reason
    assert (verdict.validity is Validity.VALID) == (not names)
