"""Impostors against whole clusters: every attempt is made, refused and noticed; where nobody is asked, all get in; no secret is left."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.clusters.impostor import _turn
from harness.effects import TOKEN_ATTEMPTS
from harness.errors import PlanError
from reports.report import Report
from tests.simulation import plan_of, run, why

BRIEF: dict[str, Any] = {"time_limit_s": 8.0, "recovery_s": 4.0, "progress_s": 4.0, "rate": 40.0}
OFTEN = [{"kind": "impostor", "start_s": 2, "end_s": 6, "args": {"per_s": 60}}]


def tried(
    tmp_path: Path, target: str = "kv/tokens", *, often: Sequence[Mapping[str, Any]] = OFTEN, **wishes: Any
) -> Report:
    """A run in which an impostor is busy for four seconds; its files stay in ``tmp_path``."""
    schedule = tmp_path / "faults.json"
    schedule.write_text(json.dumps({"version": 1, "faults": often}), encoding="utf-8")
    return run(target, path=tmp_path / "store", schedule=schedule, **{"seed": 2, **BRIEF, **wishes})


def figures(report: Report) -> dict[str, Any]:
    (verdict,) = [verdict for verdict in report.results["checkers"] if verdict["checker"] == "security"]
    found: dict[str, Any] = verdict["stats"]
    return found


def secrets_in(path: Path) -> list[str]:
    """Files that hold what looks like a private key or a token (whose header begins with {" in base64)."""
    files = [file for file in path.rglob("*") if file.is_file()]
    return [
        file.name for file in files if any(sign in file.read_bytes() for sign in (b"PRIVATE KEY", b"eyJ", b"token_key"))
    ]


@pytest.mark.parametrize("cluster", ["sim", pytest.param("process", marks=pytest.mark.process)])
def test_every_attempt_is_made_refused_and_noticed_and_nothing_secret_is_left(cluster: str, tmp_path: Path) -> None:
    patience = {} if cluster == "sim" else {"recovery_s": 8.0, "progress_s": 8.0}  # on a machine that is busy
    report = tried(tmp_path, cluster=cluster, options={"packet_log": True}, **patience)
    assert report.results["verdict"] == "valid", why(report)
    assert set(figures(report)["kinds"]) == set(TOKEN_ATTEMPTS)
    assert figures(report)["met_a_node"] > 100
    assert secrets_in(tmp_path) == []


def test_all_kinds_have_their_turn_before_one_comes_again_and_each_comes_to_every_node() -> None:
    kinds, nodes = TOKEN_ATTEMPTS, ("n1", "n2", "n3")
    turns = [_turn(made, kinds, nodes) for made in range(len(kinds) * len(nodes))]
    assert [kind for kind, _ in turns] == [*kinds, *kinds, *kinds]
    assert len(set(turns)) == len(turns)


def test_a_run_too_short_for_every_kind_is_no_pass(tmp_path: Path) -> None:
    report = tried(tmp_path, often=[{"kind": "impostor", "start_s": 2, "end_s": 3, "args": {"per_s": 5}}])
    assert report.results["verdict"] == "unknown", why(report)
    assert "has met a node" in report.results["reason"]


def test_who_asks_nobody_lets_everybody_in(tmp_path: Path) -> None:
    report = tried(tmp_path, "kv/raft")
    assert report.results["verdict"] == "invalid", why(report)
    assert {"let-in", "unauthorized-write"} <= {anomaly["name"] for anomaly in report.results["anomalies"]}


def test_any_target_can_ask_for_tokens(tmp_path: Path) -> None:
    report = tried(tmp_path, "queue/log", options={"security": "tokens"})
    assert report.results["verdict"] == "valid", why(report)


def test_a_run_with_tokens_and_impostors_repeats_byte_for_byte(tmp_path: Path) -> None:
    histories = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        tried(tmp_path / name, seed=9)
        (run_directory,) = (tmp_path / name / "store" / "kv" / "tokens").glob("2*")
        histories.add((run_directory / "history.jsonl").read_bytes())
        histories.add((run_directory / "nodes" / "impostor" / "node.log").read_bytes())
    assert len(histories) == 2


@pytest.mark.parametrize("mode", ["on", "tls", 1])
def test_a_cluster_refuses_security_that_it_has_not(mode: object) -> None:
    with pytest.raises(PlanError, match="the option security is off or tokens on this cluster, not"):
        plan_of(seed=1, options={"security": mode})
