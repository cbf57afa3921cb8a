"""The same plan on the simulator is the same run, byte for byte: in other processes, under other hash seeds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = ["run", "kv/raft", "--cluster", "sim", "--time-limit", "12", "--recovery", "3", "--progress", "3", "--json"]


def files(path: Path, seed: int, hash_seed: str) -> dict[str, bytes]:
    """What a run with this seed leaves, in a process of its own."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    argv = [sys.executable, "-m", "harness.cli", *RUN, "--seed", str(seed), "--store", str(path)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    run = (path / "latest").resolve()
    names = ["history.jsonl", "faults.jsonl", *(f"nodes/n{number}/node.log" for number in range(1, 6))]
    return {name: (run / name).read_bytes() for name in names}


@pytest.mark.parametrize("seed", [1, 2])
def test_two_processes_with_different_hash_seeds_write_the_same_bytes(seed: int, tmp_path: Path) -> None:
    one = files(tmp_path / "one", seed, "1")
    two = files(tmp_path / "two", seed, "4242")
    assert one == two


def test_different_seeds_are_different_runs(tmp_path: Path) -> None:
    assert files(tmp_path / "one", 1, "0")["history.jsonl"] != files(tmp_path / "two", 2, "0")["history.jsonl"]
