"""What wrong clocks break, and what bears them, on real processes as in the simulator: the clocks are those of the programs themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.registry import load
from targets import TARGETS
from tests import simulation
from tests.harness.clusters.clocks.programs import needs_skew
from tests.harness.clusters.docker.running import needs_docker
from tests.harness.clusters.local.running import needs_namespaces

pytestmark = needs_skew
# Timing is real here, so a violation may need another try. Leases that drift past their bound break too seldom for that where nodes wait
# for a processor: the simulator shows them (tests/sweep).
TRIES = 4
ON_LOCAL = pytest.param("local", marks=needs_namespaces)
ON_DOCKER = pytest.param("docker", marks=needs_docker)
# So much of a claim's schedule is played: twice what it repeats.
CYCLES, CYCLE = 2, 2


def played(target: str, claim: str, cluster: str, seed: int, path: Path) -> Any:
    """A run as the claim asks, cut short."""
    claims = {one.name: one for one in load(TARGETS[target]).claims}
    faults = claims[claim].settings.get("schedule")
    wishes: dict[str, Any] = {"time_limit_s": 15.0}
    path.mkdir()
    if faults is not None:
        wishes = {"schedule": path / "faults.json", "time_limit_s": 20.0}
        wishes["schedule"].write_text(json.dumps({"version": 1, "faults": faults[: CYCLES * CYCLE]}))
    return simulation.run(
        target, cluster=cluster, seed=seed, path=path / "store", claim=claim, recovery_s=5.0, **wishes
    )


@pytest.mark.parametrize("cluster", [ON_LOCAL, ON_DOCKER])
@pytest.mark.parametrize(
    ("target", "claim", "anomaly"),
    [
        ("kv/dynamo-lww", "skew-loses-writes", "lost-update"),
        ("kv/lease-reads", "a-step-back-breaks-leases-by-wall-clock", "stale-read"),
    ],
)
def test_what_wrong_clocks_break(tmp_path: Path, cluster: str, target: str, claim: str, anomaly: str) -> None:
    for seed in range(TRIES):
        report = played(target, claim, cluster, seed, tmp_path / str(seed))
        assert all(fault["bit"] and fault["healed"] for fault in report.results["faults"]), simulation.why(report)
        if report.results["verdict"] == "invalid":
            assert anomaly in {one["name"] for one in report.results["anomalies"]}
            return
    pytest.fail(f"nothing was broken in {TRIES} runs: {simulation.why(report)}")


@pytest.mark.parametrize("cluster", [ON_LOCAL])
@pytest.mark.parametrize("claim", ["leases-bear-the-bound-itself", "a-step-back-breaks-nothing"])
def test_what_bears_them(tmp_path: Path, cluster: str, claim: str) -> None:
    report = played("kv/lease-reads", claim, cluster, 1, tmp_path / "run")
    assert all(fault["bit"] and fault["healed"] for fault in report.results["faults"]), simulation.why(report)
    assert report.results["verdict"] == "valid", simulation.why(report)
