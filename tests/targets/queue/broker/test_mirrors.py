"""Mirrored queues, as whole clusters in the simulator: who serves in a partition, and what comes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.report import Report
from targets.queue.broker_bugs import HALVES
from tests.simulation import run, why


def split(target: str, path: Path, seed: int, **wishes: Any) -> Report:
    """A run in which n1 and n5 hear none of the others for five seconds. n5 is master: of equals, the last one is chosen."""
    schedule = path / "faults.json"
    schedule.write_text(json.dumps({"version": 1, "faults": [HALVES]}))
    return run(target, seed=seed, schedule=schedule, time_limit_s=12.0, rate=40.0, **wishes)


def masters(report: Report) -> list[tuple[str, int]]:
    """(node, reign) of every reign, in the order in which they began."""
    found = [
        (line["t"], node, line["reign"][0])
        for node, log in report.node_logs.items()
        for line in log
        if line.get("event") == "master"
    ]
    return [(node, reign) for _, node, reign in sorted(found)]


def events(report: Report, event: str) -> set[str]:
    return {node for node, log in report.node_logs.items() for line in log if line.get("event") == event}


@pytest.mark.parametrize("seed", range(2))
def test_with_autoheal_both_sides_serve_and_the_smaller_one_gives_in(tmp_path: Path, seed: int) -> None:
    report = split("queue/broker-autoheal", tmp_path, seed)
    assert [anomaly["name"] for anomaly in report.results["anomalies"]].count("lost") >= 1, why(report)
    assert len(masters(report)) == 2
    assert events(report, "resigns") == {masters(report)[0][0]}
    assert events(report, "takes-state") >= {"n1", "n5"}, "they take over what the larger side has"


@pytest.mark.parametrize("seed", range(2))
def test_with_pause_minority_the_smaller_side_stands_still_and_nothing_is_lost(tmp_path: Path, seed: int) -> None:
    report = split("queue/broker-pause-minority", tmp_path, seed)
    assert report.results["verdict"] == "valid", why(report)
    first, second = masters(report)
    assert first[0] in ("n1", "n5")
    assert second[0] not in ("n1", "n5")
    assert second[1] > first[1]


def test_a_cluster_without_faults_keeps_its_first_master() -> None:
    report = run("queue/broker-pause-minority", seed=1, nemesis="none", time_limit_s=8.0, rate=40.0)
    assert report.results["verdict"] == "valid", why(report)
    assert len(masters(report)) == 1


def test_mirrors_go_on_where_they_were_when_all_lose_their_power() -> None:
    for seed in range(2):
        report = run("queue/broker-pause-minority", seed=seed, nemesis="power", time_limit_s=12.0, rate=40.0)
        assert report.results["verdict"] == "valid", why(report)
