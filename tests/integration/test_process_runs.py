"""The same program and the same faults on real processes: the correct node is valid, seeded bugs are invalid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.harness.clusters.local.running import needs_namespaces
from tests.simulation import caught, run, why

pytestmark = pytest.mark.process

KINDS = {"partition", "packet", "kill", "pause", "clock", "term", "throttle"}
ROUNDING_NS = 1_000  # times of messages are floats of seconds


@pytest.mark.parametrize("cluster", ["process", "proxy"])
def test_the_correct_node_is_valid_under_all_faults(cluster: str) -> None:
    report = run(seed=3, cluster=cluster, nemesis="all", time_limit_s=20.0)
    assert report.results["verdict"] == "valid", why(report)
    faults = report.results["faults"]
    assert {fault["kind"] for fault in faults} == KINDS
    assert all(fault["bit"] and fault["healed"] for fault in faults)


@pytest.mark.parametrize("bug", ["stale-local-read", "no-fsync"])
def test_a_seeded_bug_is_invalid(bug: str, tmp_path: Path) -> None:
    report = caught(path=tmp_path, cluster="process", bug=bug, time_limit_s=12.0, interval_s=2.0, recovery_s=5.0)
    assert report.results["anomalies"][0]["checker"] == "linearizable"


# A leader that is cut off goes on leading for the length of an election timeout at most: only a read in that time, of what the other side
# has just written, shows that it did not ask. So it is cut off again and again, and everybody is at the same key.
CUT_OFF = [
    {"kind": "partition", "start_s": 1 + 2 * number, "end_s": 2.2 + 2 * number, "args": {"shape": "isolate-leader"}}
    for number in range(6)
]


@pytest.mark.parametrize("cluster", ["process", pytest.param("local", marks=needs_namespaces)])
def test_a_leader_that_does_not_ask_whether_it_leads_is_invalid(cluster: str, tmp_path: Path) -> None:
    schedule = tmp_path / "faults.json"
    schedule.write_text(json.dumps({"version": 1, "faults": CUT_OFF}), encoding="utf-8")
    report = caught(
        path=tmp_path,
        cluster=cluster,
        bug="read-index-unconfirmed",
        schedule=schedule,
        workload_options={"keys": 1},
        concurrency=20,
        rate=200.0,
        time_limit_s=13.0,
        recovery_s=5.0,
    )
    assert report.results["anomalies"][0]["checker"] == "linearizable"


@pytest.mark.parametrize("cluster", ["process", "proxy"])
def test_the_messages_of_an_operation_lie_within_it(cluster: str) -> None:
    """The packet log and the history count from the same moment: a client's request leaves after the invocation and before its end."""
    report = run(
        seed=5, cluster=cluster, nemesis="none", options={"packet_log": True}, time_limit_s=3.0, recovery_s=5.0
    )
    calls, times = report.history.calls(), report.history.time_ns
    ends = report.history.pair[calls.call]
    spans: dict[str, list[tuple[int, int]]] = {}
    for process, begun, ended in zip(calls.process.tolist(), calls.call.tolist(), ends.tolist(), strict=True):
        spans.setdefault(f"c{process}", []).append((int(times[begun]), int(times[ended])))
    asked = [message for message in report.messages if message.src in spans]
    assert len(asked) > 10
    stray = [
        one for one in asked if not any(start <= one.sent_s * 1e9 + ROUNDING_NS <= end for start, end in spans[one.src])
    ]
    assert stray == []
    between = [message for message in report.messages if message.src[0] == message.dest[0] == "n"]
    assert any(message.kind == "append_entries" and message.arrived_s for message in between)
