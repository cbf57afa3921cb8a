"""The file system in the simulator: what it does while machines and disks fail, told by its own logs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from targets.dfs.gfs.content import NO_RECORD
from targets.dfs.gfs_claims import LOSSES
from tests.simulation import assert_kept, run, why

BRIEF: dict[str, Any] = {"time_limit_s": 12.0, "rate": 20.0}


def scheduled(tmp_path: Path, *faults: dict[str, Any]) -> Path:
    path = tmp_path / "schedule.json"
    path.write_text(json.dumps({"version": 1, "faults": faults}))
    return path


def events(report: Any, name: str) -> list[dict[str, Any]]:
    return [{**line, "at": node} for node, log in report.node_logs.items() for line in log if line["event"] == name]


def test_a_standby_takes_over_when_the_active_server_dies(tmp_path: Path) -> None:
    kill = {"kind": "kill", "start_s": 4, "end_s": 9, "args": {"nodes": ["n1"]}}
    report = run("dfs/gfs", seed=0, workload="files", schedule=scheduled(tmp_path, kill), **BRIEF)
    assert_kept(report)
    began = sorted((line["t"], line["at"]) for line in events(report, "active"))
    assert began[0][1] == "n1", "who is first in the list waits the least"
    assert [at for t, at in began if 4 < t < 9][-1] in {"n2", "n3"}


def test_what_dead_nodes_had_is_made_anew_on_living_ones(tmp_path: Path) -> None:
    report = run("dfs/gfs", seed=0, schedule=scheduled(tmp_path, LOSSES[0]), time_limit_s=16.5, rate=20.0)
    assert_kept(report)
    cloned = [line for line in events(report, "cloned") if 3 < line["t"] < 16]
    assert cloned
    assert all(line["target"] != "n5" for line in cloned)


@pytest.mark.parametrize("rebalance", [True, False])
def test_a_node_that_comes_back_takes_over_chunks_of_those_that_have_more(tmp_path: Path, rebalance: bool) -> None:
    """Its own replicas were made anew elsewhere, and what is too much is dropped: it has few, until chunks are moved to it."""
    kill = {"kind": "kill", "start_s": 1, "end_s": 9, "args": {"nodes": ["n5"]}}
    schedule = scheduled(tmp_path, kill)
    report = run("dfs/gfs", seed=0, schedule=schedule, options={"rebalance": rebalance}, time_limit_s=16.0, rate=20.0)
    assert_kept(report)
    moved = [line for line in events(report, "cloned") if line["t"] > 9 and line["target"] == "n5"]
    dropped = [line for line in events(report, "dropped") if line["t"] > 9]
    assert bool(moved) == rebalance
    assert {line["chunk"] for line in moved} <= {line["chunk"] for line in dropped}


def test_chunks_of_deleted_files_are_dropped(tmp_path: Path) -> None:
    report = run("dfs/gfs", seed=1, workload="files", nemesis="none", **BRIEF)
    assert_kept(report)
    assert events(report, "dropped")


def test_a_flipped_bit_is_found_and_its_replica_replaced(tmp_path: Path) -> None:
    flip = {"kind": "corrupt", "start_s": 6, "end_s": 7}
    args = {"shape": "bit-flip", "path": "chunk-*", "count": 3, "nodes": ["n4"]}
    report = run("dfs/gfs", seed=0, schedule=scheduled(tmp_path, {**flip, "args": args}), **BRIEF)
    assert_kept(report)
    (corrupt,) = {line["chunk"] for line in events(report, "corrupt")}
    assert any(line["chunk"] == corrupt and line["t"] > 6 for line in events(report, "cloned"))


def test_without_checksums_it_is_served(tmp_path: Path) -> None:
    flip = {"kind": "corrupt", "start_s": 6, "end_s": 7}
    args = {"shape": "bit-flip", "path": "chunk-*", "count": 200, "nodes": ["n4", "n5"]}
    report = run(
        "dfs/gfs",
        seed=0,
        schedule=scheduled(tmp_path, {**flip, "args": args}),
        options={"checksums": False, "scrub_s": 0},
        **BRIEF,
    )
    assert report.results["verdict"] == "invalid", why(report)
    assert any(NO_RECORD in anomaly["reason"] for anomaly in report.results["anomalies"]), why(report)


@pytest.mark.parametrize("workload", ["file-appends", "file-writes", "files"])
def test_chunks_are_spread_and_their_versions_are_edits(workload: str) -> None:
    report = run("dfs/gfs", seed=1, workload=workload, nemesis="none", **BRIEF)
    assert report.results["verdict"] == "valid", why(report)
