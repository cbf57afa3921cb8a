"""One schedule file is one sequence of faults on every cluster: the same kinds on the same nodes, in the same order, biting and healed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.formats import load_history
from tests import simulation
from tests.harness.clusters.local.running import needs_namespaces

pytestmark = pytest.mark.process

# No two edges together: on a real cluster a fault is proved before the next one starts, which takes its time.
SCHEDULE = (
    {"kind": "partition", "start_s": 1, "end_s": 4, "args": {"shape": "halves"}},
    {"kind": "kill", "start_s": 2, "end_s": 5, "args": {"target": "one"}},
    {"kind": "packet", "start_s": 6, "end_s": 10, "args": {"target": "one"}},
    {"kind": "pause", "start_s": 8.5, "end_s": 11.5, "args": {"target": "minority"}},
    {"kind": "throttle", "start_s": 12, "end_s": 14, "args": {"target": "all"}},
    {"kind": "term", "start_s": 15, "end_s": 17, "args": {"target": "one", "shape": "crash"}},
    {"kind": "clock", "start_s": 18, "end_s": 19.5, "args": {"target": "one"}},
)


def told(path: Path, cluster: str) -> tuple[list[tuple[str, Any]], list[dict[str, Any]], str]:
    """What the nemesis was told in a run with this schedule and seed; the faults that it made; the verdict in words."""
    file = path / "schedule.json"
    file.write_text(json.dumps({"version": 1, "faults": SCHEDULE}), encoding="utf-8")
    report = simulation.run(
        cluster=cluster,
        seed=3,
        path=path / "store",
        schedule=file,
        time_limit_s=20.0,
        recovery_s=5.0,
    )
    history = load_history(Path(report.results["run"]) / "history.jsonl")
    sequence = [(asked.f, asked.value) for asked, _ in history.nemesis()]
    return sequence, report.results["faults"], simulation.why(report)


@pytest.mark.parametrize("cluster", ["process", "proxy", pytest.param("local", marks=needs_namespaces)])
def test_the_same_faults_as_in_the_simulator(tmp_path: Path, cluster: str) -> None:
    (tmp_path / "sim").mkdir()
    (tmp_path / cluster).mkdir()
    expected, simulated, _ = told(tmp_path / "sim", "sim")
    sequence, faults, why = told(tmp_path / cluster, cluster)
    assert sequence == expected
    assert [fault["kind"] for fault in faults] == [fault["kind"] for fault in SCHEDULE]
    assert [fault["targets"] for fault in faults] == [fault["targets"] for fault in simulated]
    assert all(fault["bit"] and fault["healed"] for fault in (*faults, *simulated)), why
