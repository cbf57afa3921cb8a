"""The files for pipelines of others (docs/ci.md): the workflow's commands are run, the image's recipe is followed in a clean venv."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Any

import pytest

from tests.small_yaml import parse

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples/ci"
INSTALL = 'python3 -m pip install "$SPLITBRAIN"'
_ACTION = re.compile(r"[a-z-]+/[a-z-]+(/[a-z-]+)?@v\d+\Z")


def workflow() -> dict[str, Any]:
    document = parse((EXAMPLES / "workflow.yml").read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def recipe() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, in order."""
    lines = (EXAMPLES / "Dockerfile").read_text(encoding="utf-8").splitlines()
    parts = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return [(name, rest) for name, _, rest in parts]


def test_the_reader_of_yaml_reads_what_we_use_and_refuses_the_rest() -> None:
    text = 'a: "1"\nb:\n  - x\n  - c: d\n    e: |\n      one\n        two\nf:\n'
    assert parse(text) == {"a": "1", "b": ["x", {"c": "d", "e": "one\n  two\n"}], "f": None}
    for wrong in ("a: [1]", "a: {b: c}", "a: b: c", "a: x\na: y", "a:\n   b: c\n  d: e", "a: &b c", "a: b # c", "a\n"):
        with pytest.raises(ValueError, match="no|not"):
            parse(wrong)


def test_every_workflow_is_read() -> None:
    assert set(workflow()["jobs"]) == {"claims"}


def test_the_workflow_asks_for_no_more_than_it_needs_and_keeps_reports_whatever_comes_out() -> None:
    document = workflow()
    assert document["permissions"] == {"contents": "read", "security-events": "write"}
    (job,) = document["jobs"].values()
    assert int(job["timeout-minutes"]) <= 60
    steps = job["steps"]
    for step in steps:
        assert ("uses" in step) != ("run" in step)
        assert "uses" not in step or _ACTION.match(step["uses"])
    (verified,) = (at for at, step in enumerate(steps) if step.get("run", "").startswith("splitbrain verify"))
    assert [step.get("if") for step in steps[verified + 1 :]] == ["always()"] * (len(steps) - verified - 1)
    assert {"junit.xml", "claims.sarif"} <= set(re.findall(r"[a-z]+\.(?:xml|sarif)", str(steps)))


def test_the_commands_of_the_workflow_do_what_they_are_for(tmp_path: Path) -> None:
    (job,) = workflow()["jobs"].values()
    shutil.copy(EXAMPLES / "claims.toml", tmp_path)
    own = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    summary = tmp_path / "summary.md"
    own |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(summary),
        "CLAIMS": job["env"]["CLAIMS"],
        "PROFILE": "pr",
    }
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands[0] == INSTALL
    for command in commands[1:]:
        ended = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", command],
            cwd=tmp_path,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
    (results,) = json.loads((tmp_path / "claims.sarif").read_text())["runs"]
    assert len(results["tool"]["driver"]["rules"]) == 3  # two claims and the canary
    assert (tmp_path / "junit.xml").read_text().count("<testcase ") == 3
    assert "kv/primary-async" in summary.read_text()
    assert (tmp_path / "store/index.html").exists()
    wanted = {step["with"]["path"] for step in job["steps"] if "path" in step.get("with", {})}
    assert all((tmp_path / path).exists() for path in wanted)


def test_the_image_gets_every_package_of_the_wheel() -> None:
    copied = {word for name, rest in recipe() if name == "COPY" for word in rest.split()[:-1]}
    assert all((ROOT / name).exists() for name in copied)
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(build["packages"]) <= copied
    assert {"pyproject.toml", "README.md", "LICENSE", "hatch_build.py"} <= copied


def test_the_recipe_of_the_image_makes_a_splitbrain_that_verifies(tmp_path: Path) -> None:
    """Its COPY and RUN in a clean environment; only what splitbrain depends on is borrowed from this one."""
    for words in (rest.split() for name, rest in recipe() if name == "COPY"):
        place = tmp_path / words[-1].strip("/")
        for source in (ROOT / word for word in words[:-1]):
            if source.is_dir():
                shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.mkdir(exist_ok=True)
                shutil.copy(source, place)
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python3"
    (command,) = (json.loads(rest) for name, rest in recipe() if name == "RUN")
    assert command == ["python3", "-m", "pip", "install", "--no-cache-dir", "/src"]
    _run([python, "-m", "pip", "install", "-q", "hatchling"], tmp_path)
    # Without numba beside it the wheel is built without kernels, which takes a minute less.
    _run([python, *command[1:-1], "-q", "--no-deps", "--no-build-isolation", str(tmp_path / "src")], tmp_path)
    (entry,) = (json.loads(rest) for name, rest in recipe() if name == "ENTRYPOINT")
    shutil.copy(EXAMPLES / "claims.toml", tmp_path)
    borrowed = os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))
    argv = [tmp_path / "venv/bin" / entry[0], "verify", "claims.toml", "--profile", "pr", "--jobs", "1"]
    said = _run(argv, tmp_path, PYTHONPATH=borrowed)
    assert "VALID" in said


def _run(argv: list[Any], where: Path, **more: str) -> str:
    ended = subprocess.run(
        list(map(str, argv)), cwd=where, env={**os.environ, **more}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
