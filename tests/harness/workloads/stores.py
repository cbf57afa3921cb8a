"""Worlds for workloads: a store of registers in virtual time, perfect or not."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from harness.generator import Context
from harness.op import Op, OpType
from harness.workloads.workload import WorkloadOptions
from tests.virtual_time import World

NODES = ("n1", "n2", "n3", "n4", "n5")


def options(concurrency: int = 10, nodes: tuple[str, ...] = NODES, **chosen: Any) -> WorkloadOptions:
    """Options of a run, with what a user has ``chosen``."""
    return WorkloadOptions.of(
        chosen, concurrency=concurrency, nodes=nodes, rng=random.Random(1), time_limit_s=60, rate=100
    )


def store(seed: int = 1, latency_ns: int = 1000, trouble: float = 0.0) -> World:
    """A linearizable store: each op takes effect when it is invoked, and completes within twice ``latency_ns``.

    A share of ``trouble`` of them fails without effect, and as many crash after it.
    """
    dice, values = random.Random(seed), dict[Any, Any]()

    def world(_: Context, op: Op) -> Op:
        throw = dice.random()
        done = replace(op, time_ns=op.time_ns + 1 + dice.randrange(2 * latency_ns))
        if op.is_nemesis:
            return done
        if throw < trouble:
            return replace(done, type=OpType.FAIL, error="no")
        if op.f == "read":
            done = replace(done, type=OpType.OK, value=values.get(op.key))
        elif op.f == "write" or values.get(op.key) == op.value[0]:
            values[op.key] = op.value if op.f == "write" else op.value[1]
            done = replace(done, type=OpType.OK)
        else:
            return replace(done, type=OpType.FAIL, error="precondition")
        return replace(done, type=OpType.INFO, value=op.value, error="timeout") if throw > 1 - trouble else done

    return world
