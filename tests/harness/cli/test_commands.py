"""The commands end to end on the simulator: run, check, report, replay, list."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import run_command

RUN = ["run", "kv/raft", "--cluster", "sim", "--seed", "7", "--time-limit", "8", "--recovery", "3", "--progress", "3"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store")
    assert run_command([*RUN, "--json", "--store", str(path)]) == 0
    return path


def run_of(store: Path) -> Path:
    return (store / "kv/raft/latest").resolve()


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_run_leaves_all_its_files(store: Path) -> None:
    run = run_of(store)
    expected = {"plan.json", "history.jsonl", "faults.jsonl", "results.json", "report.html", "nodes"}
    assert {path.name for path in run.iterdir()} == expected
    assert {path.name for path in (run / "nodes").iterdir()} == {"clock.json", "n1", "n2", "n3", "n4", "n5"}


def test_results_say_what_the_document_says(store: Path) -> None:
    results = json.loads((run_of(store) / "results.json").read_text())
    assert results["verdict"] == "valid"
    assert {"version", "run", "target", "cluster", "seed", "plan", "stats", "faults", "anomalies", "repeat"} <= set(
        results
    )
    assert all(fault["bit"] and fault["healed"] for fault in results["faults"])
    assert results["faults"]


def test_check_judges_an_old_run_again(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run_of(store) / "results.json").unlink()
    assert run_command(["check", str(run_of(store)), "--json"]) == 0
    assert document(capsys)["verdict"] == "valid"
    assert (run_of(store) / "results.json").exists()


def test_check_takes_the_history_alone(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["check", str(run_of(store) / "history.jsonl"), "--model", "cas-register", "--json"]) == 0
    assert document(capsys)["verdict"] == "valid"


def test_report_draws_the_page_again(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = run_of(store) / "report.html"
    before = page.read_text()
    page.unlink()
    assert run_command(["report", str(run_of(store))]) == 0
    assert page.read_text() == before
    assert str(page) in capsys.readouterr().out


def test_replay_gives_the_same_history_byte_for_byte(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["replay", str(run_of(store)), "--json"]) == 0
    assert document(capsys)["identical"] is True


def test_replay_says_when_a_history_differs(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = tmp_path / "run"
    changed.mkdir()
    (changed / "plan.json").write_bytes((run_of(store) / "plan.json").read_bytes())
    (changed / "history.jsonl").write_bytes((run_of(store) / "history.jsonl").read_bytes()[:-10])
    assert run_command(["replay", str(changed)]) == 255
    assert "differs" in capsys.readouterr().err


def test_a_seeded_bug_is_invalid_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run_command([*RUN, "--bug", "stale-local-read", "--json", "--store", str(tmp_path)])
    results = document(capsys)
    assert (code, results["verdict"]) == (1, "invalid")
    [first, *_] = results["anomalies"]
    assert first["checker"] == "linearizable"
    assert first["ops"]
    assert first["reason"] in results["reason"]


def test_people_get_a_summary(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([*RUN, "--store", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "seed 7" in said.splitlines()[0]
    assert "valid" in said
    assert "splitbrain run kv/raft --cluster sim" in said.replace("\n", " ")


@pytest.mark.parametrize("what", ["targets", "bugs", "nemeses", "workloads", "checkers", "models", "clusters", "runs"])
def test_every_listing_is_rows_with_a_name(what: str, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["list", what, "--json", "--store", str(store)]) == 0
    rows = document(capsys)
    assert rows
    assert all(row["name"] for row in rows)
    assert run_command(["list", what, "--store", str(store)]) == 0
    assert rows[0]["name"] in capsys.readouterr().out.replace("\n", "")


def test_bugs_say_who_catches_them(capsys: pytest.CaptureFixture[str]) -> None:
    run_command(["list", "bugs", "--json"])
    rows = [row for row in document(capsys) if row["target"] == "kv/raft"]
    assert len(rows) >= 10
    assert all({"name", "target", "checker", "faults"} <= set(row) for row in rows)


HEAVY = ("numpy", "pandas", "numba", "docker", "paramiko", "jinja2", "rich", "msgspec", "asyncio")


def test_help_loads_nothing_heavy() -> None:
    script = f"""
import sys
from harness.cli.main import run_command
run_command(["--help"])
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Exit codes" in done.stdout
    assert done.stderr.strip() == "[]"
