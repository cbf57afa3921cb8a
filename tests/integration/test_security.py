"""Mutual TLS and tokens on real sockets: clusters work as without, impostors stay outside, bugs are found, no secret is left.

How many attempts there are in a time depends on the machine. They are numerous enough everywhere if every kind has its turn in the first
second or so, as they are made; were they not, the verdict would be unknown, and a test would say so.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.clusters.clocks.clocks import hindrance
from harness.effects import ATTEMPTS
from harness.errors import PlanError
from tests.harness.clusters.local.running import needs_namespaces
from tests.harness.clusters.test_impostor import figures, secrets_in
from tests.simulation import plan_of, run, why

pytestmark = needs_namespaces

FAULTS = [
    {"kind": "impostor", "start_s": 2, "end_s": 9, "args": {"per_s": 40}},
    {"kind": "partition", "start_s": 3, "end_s": 5, "args": {"shape": "isolate-leader"}},
    {"kind": "kill", "start_s": 6, "end_s": 8, "args": {"target": "leader"}},
]
BRIEF = {"time_limit_s": 10.0, "recovery_s": 8.0, "rate": 40.0}


def test_a_secured_cluster_bears_faults_and_impostors_and_keeps_its_secrets(tmp_path: Path) -> None:
    schedule = tmp_path / "faults.json"
    schedule.write_text(json.dumps({"version": 1, "faults": FAULTS}), encoding="utf-8")
    report = run("kv/mtls", cluster="local", seed=1, path=tmp_path / "store", schedule=schedule, **BRIEF)
    assert report.results["verdict"] == "valid", why(report)
    assert set(figures(report)["kinds"]) == set(ATTEMPTS)
    assert secrets_in(tmp_path) == []


@pytest.mark.parametrize(
    ("bug", "anomaly"),
    [
        ("peer-certificate-unchecked", "let-in"),
        ("certificate-name-unchecked", "let-in"),
        ("plain-port-open", "let-in"),
        ("handshake-not-logged", "unnoticed"),
    ],
)
def test_a_bug_of_the_connections_is_found(bug: str, anomaly: str) -> None:
    report = run(
        "kv/mtls",
        cluster="local",
        seed=1,
        bug=bug,
        nemesis="impostor",
        **{**BRIEF, "time_limit_s": 5.0, "recovery_s": 5.0},
    )
    found = [found["name"] for found in report.results["anomalies"] if found["checker"] == "security"]
    assert anomaly in found, why(report)


@pytest.mark.skipif(hindrance() is not None, reason=str(hindrance()))
def test_a_clock_that_is_set_back_lets_in_whose_token_has_expired(tmp_path: Path) -> None:
    claim = "expiry-falls-to-a-clock-that-is-set-back"
    report = run("kv/mtls", cluster="local", seed=1, path=tmp_path / "store", claim=claim, recovery_s=6.0)
    assert all(fault["bit"] and fault["healed"] for fault in report.results["faults"]), why(report)
    assert {found["name"] for found in report.results["anomalies"]} >= {"let-in"}, why(report)


def test_tls_takes_sockets() -> None:
    with pytest.raises(PlanError, match="TLS takes sockets"):
        plan_of("kv/mtls", cluster="sim", seed=1)
