"""The command of a node: what it leaves when it is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

INIT = {"src": "sb", "dest": "n1", "body": {"type": "init", "msg_id": 1, "node_id": "n1", "node_ids": ["n1"]}}


@pytest.mark.process
def test_a_node_with_a_directory_of_its_own_makes_no_other(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    argv = [sys.executable, "-m", "targets.node", "echo", "--data", str(tmp_path / "data")]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        node.stdin.write(json.dumps(INIT).encode() + b"\n")
        node.stdin.flush()
        assert json.loads(node.stdout.readline())["body"]["type"] == "init_ok"
        node.kill()
        node.wait()
    assert list(scratch.iterdir()) == []
