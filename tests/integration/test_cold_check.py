"""``splitbrain check`` of a small file in a new process: soon, with a compiled image or without any, and numba is never imported."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from harness.formats import save_history
from tests.checkers.engines import compiled_image
from tests.checkers.runs import register_run, rolls

ROOT = Path(__file__).parents[2]
# Of processor time, which other programs can about double. An interpreter with numpy takes 0.2 s of it, lies that tell the strength 0.1 s.
SOON_S = {"image": 1.25, "no image": 2.0}
# What python -m harness.cli does, and a word about what it has imported.
CHECK = """\
import sys
from harness.cli.main import run_command
status = run_command(sys.argv[1:])
print("numba" in sys.modules, "llvmlite" in sys.modules, file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the check's own process is counted as Linux counts it")
@pytest.mark.parametrize("kind", SOON_S)
@pytest.mark.parametrize("domain", [0, 5], ids=["unique", "five-values"])
def test_a_small_file_is_judged_soon(kind: str, domain: int, tmp_path: Path) -> None:
    save_history(register_run(rolls(3_000, 1), domain=domain, lies=False, crashes=False), tmp_path / "history.jsonl")
    env = dict(os.environ)
    if kind == "image":
        assert compiled_image()  # where an installation has put it, or the first long check
    else:
        env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    argv = [sys.executable, "-c", CHECK, "check", str(tmp_path / "history.jsonl"), "--model", "cas-register", "--json"]
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert json.loads(done.stdout)["verdict"] == "valid"
    assert done.stderr.splitlines()[-1].startswith("False ")
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < SOON_S[kind]
    assert not (tmp_path / "cache").exists(), "a small history is not worth the compiler"
