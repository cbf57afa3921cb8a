"""Whatever ends the controller in mid-fault: nothing is left of the run, and no operation that was sent is lost."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from harness.cli.main import run_command
from harness.formats import load_history
from tests.harness.clusters.local.running import descendants, lives, needs_namespaces
from tests.integration.deaths import PATIENCE_S, controller, eventually, judged, nothing_left, unrecorded

pytestmark = pytest.mark.process

# So many operations must be kept; twice as many lines begin one, clients' or the nemesis's, before the controller is killed.
OPS_MIN = 10

every_cluster = pytest.mark.parametrize("cluster", ["process", pytest.param("local", marks=needs_namespaces)])


@every_cluster
def test_an_interrupt_heals_all_and_stops_all(cluster: str, tmp_path: Path) -> None:
    with controller(tmp_path, cluster) as one:
        eventually(lambda: "verified" in one.journal(), "a fault holds")
        nodes = descendants(one.process.pid)
        assert len(nodes) >= 3
        one.process.send_signal(signal.SIGINT)
        _, said = one.process.communicate(timeout=PATIENCE_S)
        assert one.process.returncode == 130
        assert said.strip().endswith("interrupted; all faults are healed and all nodes stopped")
        eventually(lambda: not any(map(lives, nodes)), "all nodes are gone, the paused one, too")
        run = one.run
    assert run is not None
    assert run_command(["check", str(run), "--json"]) == 2
    assert unrecorded(run) == []


@every_cluster
@pytest.mark.parametrize("state", ["intent", "applied", "verified", "healed"])
def test_a_controller_that_is_killed_at_a_step_of_a_fault_leaves_nothing(
    cluster: str, state: str, tmp_path: Path
) -> None:
    with controller(tmp_path, cluster) as one:
        eventually(
            lambda: state in one.journal() and one.sent() > 2 * OPS_MIN,
            f"the fault journal says {state!r}, and ops were sent",
        )
        nothing_left(one.kill(), tmp_path)
        run = one.run
    assert run is not None
    judged(run)
    assert len(load_history(run / "history.jsonl").calls()) > OPS_MIN
