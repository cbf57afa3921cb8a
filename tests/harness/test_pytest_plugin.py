"""The plugin as a user's tests see it: in a pytest of its own, found by its entry point."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import PlanError
from harness.pytest_plugin import Splitbrain

SHORT = "time_limit_s=6.0, recovery_s=3.0, progress_s=3.0"
TESTS = f"""
def test_it_holds(splitbrain):
    splitbrain.holds("kv/raft", workload="register", faults=["partition"], seeds=1, {SHORT})

def test_a_claim_that_the_target_carries(splitbrain):
    splitbrain.holds("kv/raft", claim="crashes-forget-nothing", seeds=1, {SHORT})

def test_it_breaks(splitbrain):
    splitbrain.breaks("kv/local-reads", workload="register", faults=["partition"], violates=["stale-read"], seeds=10)

def test_a_bug_is_shown(splitbrain):
    splitbrain.holds("kv/raft", workload="register", faults=["partition"], bug="stale-local-read", seeds=5)

def test_what_does_not_break(splitbrain):
    splitbrain.breaks("kv/raft", faults=["partition"], violates=["stale-read"], seeds=1, {SHORT})
"""


def test_claims_in_three_lines_and_the_witness_in_the_failure(tmp_path: Path) -> None:
    (tmp_path / "test_ours.py").write_text(TESTS)
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--splitbrain-store",
        str(tmp_path / "kept"),
        "-q",
    ]
    done = subprocess.run([*argv, "test_ours.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "2 failed, 3 passed" in done.stdout, done.stdout + done.stderr
    assert "kv/raft:asserted does not hold: seed" in done.stdout
    assert "after process" in done.stdout  # the reason, in a sentence
    assert "├" in done.stdout  # the witness, drawn
    assert "--bug stale-local-read" in done.stdout  # the command that repeats it
    assert "no run of kv/raft:asserted showed stale-read" in done.stdout
    assert list(tmp_path.glob("kept/kv/raft/*/report.html"))


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"claim": "nothing"}, "has no claim 'nothing'"),
        ({"workload": "nothing"}, "unknown workload 'nothing'"),
        ({"faults": ["nothing"]}, "nothing"),
        ({"bug": "nothing"}, "no seeded bug 'nothing'"),
    ],
)
def test_what_cannot_be_run_is_said(wanted: dict[str, object], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=sentence):
        Splitbrain(store=tmp_path).holds("kv/raft", **wanted)
