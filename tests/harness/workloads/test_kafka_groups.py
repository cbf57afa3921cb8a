"""Producers with several messages in flight, and consumers that read as a group, over a store that does what it should."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.registry import load
from harness.workloads import WORKLOADS
from tests.simulation import run, why


@pytest.mark.parametrize("workload", ["kafka-pipelined", "kafka-groups"])
def test_the_workload_is_in_the_table_under_its_name(workload: str) -> None:
    assert load(WORKLOADS[workload]).name == workload


def test_a_pipelined_producer_sends_up_to_five_messages_of_one_log_at_once() -> None:
    report = run("queue/log", seed=1, workload="kafka-pipelined", nemesis="none", time_limit_s=5.0, rate=60.0)
    assert report.results["verdict"] == "valid", why(report)
    sends = [op for op in report.history if op.f == "send" and op.type.value == "invoke"]
    sizes = Counter(len(op.value) for op in sends)
    assert set(sizes) == {1, 2, 3, 4, 5}
    assert all(len({key for _, key, _ in op.value}) == 1 for op in sends)
    messages = [(key, message) for op in sends for _, key, message in op.value]
    assert len(messages) == len(set(messages)), "no message is sent twice"


def test_members_join_before_they_poll_and_join_again_when_a_poll_failed() -> None:
    report = run("queue/log", seed=1, workload="kafka-groups", nemesis="kill", time_limit_s=10.0, rate=60.0)
    assert report.results["verdict"] == "valid", why(report)
    state: dict[object, str] = {}
    for op in report.history:
        if op.f not in ("poll", "subscribe"):
            continue
        if op.type.value == "invoke":
            assert op.f == "subscribe" or state.get(op.process) == "ok"
        else:
            state[op.process] = op.type.value
    assert "ok" in state.values()
