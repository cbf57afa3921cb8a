"""The shape of every run: faults at their times, the heal at the time limit, final reads last."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

from harness.generator import Context
from harness.op import NEMESIS, Op, OpType
from harness.phases import run_generator
from harness.plan import Plan
from harness.schedule import PlannedFault, Schedule
from harness.workloads.register import REGISTER
from tests.virtual_time import perfect, simulate

SCHEDULE = Schedule(
    faults=(
        PlannedFault(id=1, kind="kill", start_s=1.0, end_s=3.0, args={"target": "leader"}),
        PlannedFault(id=2, kind="pause", start_s=3.0, end_s=4.0, args={"nodes": ["n1"]}),
    )
)
PLAN = Plan(
    target="kv/raft",
    workload="register",
    cluster="sim",
    nodes=("n1", "n2", "n3"),
    concurrency=3,
    rate=20.0,
    time_limit_s=6.0,
    recovery_s=2.0,
    progress_s=1.0,
    schedule=SCHEDULE,
)
OPS = perfect(run_generator(PLAN, REGISTER, random.Random(1)), concurrency=3)
NEMESIS_OPS = [(op.f, round(op.time_ns / 1e9, 6)) for op in OPS if op.process == NEMESIS]
CLIENT_OPS = [op for op in OPS if op.process != NEMESIS]


def test_every_fault_starts_and_stops_when_the_schedule_says_and_then_all_is_healed() -> None:
    assert NEMESIS_OPS[:5] == [
        ("start-kill", 1.0),
        ("stop-kill", 3.0),
        ("start-pause", 3.0),  # after the stop of the same moment
        ("stop-pause", 4.0),
        ("heal", 6.0),
    ]


def test_clients_go_on_over_the_heal_until_the_end_of_the_recovery() -> None:
    times = [op.time_ns / 1e9 for op in CLIENT_OPS if not op.extra.get("final")]
    assert any(6.0 < time < 8.0 for time in times)
    assert max(times) <= 8.0
    assert max(b - a for a, b in itertools.pairwise(times)) < 0.5


def test_clients_go_on_until_a_slow_heal_is_done_and_progress_can_be_seen() -> None:
    def slow_to_heal(_: Context, op: Op) -> Op:
        return replace(op, type=OpType.OK, time_ns=op.time_ns + (5_000_000_000 if op.f == "heal" else 10))

    lines = simulate(run_generator(PLAN, REGISTER, random.Random(1)), slow_to_heal, concurrency=3)
    times = [op.time_ns / 1e9 for op in lines if op.process != NEMESIS and not op.extra.get("final")]
    assert max(b - a for a, b in itertools.pairwise(times)) < 0.5
    assert 11.5 < max(times) <= 12.0  # 6 s, 5 s of healing, 1 s for progress


def test_final_reads_come_last_every_key_by_every_client() -> None:
    final = [op for op in CLIENT_OPS if op.extra.get("final")]
    assert CLIENT_OPS[-len(final) :] == final
    assert {(op.process, op.key) for op in final} == {(process, key) for process in range(3) for key in range(5)}
    assert NEMESIS_OPS[-1][0] == "final"
    assert NEMESIS_OPS[-1][1] >= 8.0


def test_clients_keep_about_their_rate() -> None:
    assert 100 <= len([op for op in CLIENT_OPS if not op.extra.get("final")]) <= 240
