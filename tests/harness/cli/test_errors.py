"""Wrong input gives one clear sentence that names the offender, the right exit code, and never a traceback."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from harness.cli.main import run_command
from harness.errors import EXIT_BROKEN, EXIT_INVALID, EXIT_USAGE, EXIT_VALID

SHORT = [
    "--cluster",
    "sim",
    "--seed",
    "1",
    "--time-limit",
    "2",
    "--recovery",
    "1",
    "--progress",
    "1",
    "--nemesis",
    "none",
]


def complaint(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    code = run_command([str(word) for word in argv])
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    [line] = [line for line in said.err.splitlines() if line.startswith("splitbrain: ")]
    return code, line


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["run", "kv/raf"], "unknown target 'kv/raf': did you mean 'kv/raft'?"),
        (["run", "kv/raft", "--cluster", "simm"], "unknown cluster 'simm': did you mean 'sim'?"),
        (["run", "kv/raft", "--workload", "bank"], "target kv/raft has no workload 'bank'"),
        (
            ["run", "kv/raft", "--bug", "ack-before-quorom"],
            "has no seeded bug 'ack-before-quorom': did you mean 'ack-before-quorum'?",
        ),
        (["run", "kv/raft", "--nemesis", "partitoin"], "unknown fault 'partitoin': did you mean 'partition'?"),
        (["run", "kv/raft", "--nodes", "0"], "--nodes must be 1 to 99, not 0"),
        (["run", "kv/raft", "--rate", "-3"], "--rate must be above 0"),
        (["run", "kv/raft", "--rate", "fast"], "'fast' is not a valid float"),
        (["run", "kv/raft", "--option", "colour"], "--option 'colour': write it as NAME=VALUE"),
        (["run", "kv/raft", "--schedule", "/nowhere/faults.json"], "/nowhere/faults.json"),
        (["run", "maelstrom"], "which program the nodes are must be said: --bin PATH"),
        (["run", "maelstrom", "--bin", "/nowhere/node"], "--bin /nowhere/node: there is no such file"),
        (
            ["run", "maelstrom", "--bin", "sh", "--cluster", "sim"],
            "maelstrom cannot run on the cluster sim: nodes of other languages are child processes on standard input and output",
        ),
        (["run", "maelstrom", "--bin", "sh", "--nemesis", "clock"], "this cluster cannot skew clocks"),
        (["run", "kv/raft", "--bin", "sh"], "target kv/raft is a program of its own and takes no --bin"),
        (["run", "kv/raft", "extra"], "'extra' is an argument of no program: name the program with --bin PATH"),
        (["run"], "Missing argument 'TARGET'"),
        (["rum"], "no such command 'rum': did you mean 'run'?"),
        (["check", "/nowhere", "--model", "register"], "/nowhere does not exist"),
        (["check", "/nowhere"], "is not the directory of a run"),
        (["report", "/nowhere"], "is not the directory of a run"),
        (["replay", "/nowhere"], "is not the directory of a run"),
        (["list", "things"], "'things' is not one of"),
    ],
)
def test_wrong_arguments(argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = complaint(capsys, *argv)
    assert code == EXIT_USAGE
    assert sentence in line


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not JSON"),
        ('{"version": 1, "faults": [{"kind": "partitoin", "start_s": 1, "end_s": 2}]}', "did you mean 'partition'?"),
        ('{"version": 1, "faults": [{"kind": "kill", "start_s": 3, "end_s": 2}]}', "end_s"),
        ('{"version": 7, "faults": []}', "version"),
    ],
)
def test_a_bad_schedule(text: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "faults.json"
    path.write_text(text)
    code, line = complaint(capsys, "run", "kv/raft", *SHORT, "--schedule", path)
    assert code == EXIT_USAGE
    assert sentence in line
    assert str(path) in line


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("\x00\x01\x02", "is no history"),
        ('{"type":"ok","process":0,"f":"read","value":1}\n', "line 1"),
        ('{"type":"invoke","process":0,"f":"read","value":1}\n{"type":"inv', "line 2"),
    ],
)
def test_a_broken_history(text: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(text)
    code, line = complaint(capsys, "check", path, "--model", "register")
    assert code == EXIT_USAGE
    assert sentence in line


def test_an_unknown_model_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"type":"invoke","process":0,"f":"read","value":null}\n')
    code, line = complaint(capsys, "check", path, "--model", "registr")
    assert code == EXIT_USAGE
    assert "unknown model 'registr': did you mean 'register'?" in line


def test_a_full_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("harness.journal.os.write", full)
    code, line = complaint(capsys, "run", "kv/raft", *SHORT, "--store", tmp_path)
    assert code == EXIT_BROKEN
    assert "the disk is full" in line
    assert "history.jsonl" in line


def test_a_store_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "store").write_text("a file")
    code, line = complaint(capsys, "run", "kv/raft", *SHORT, "--store", tmp_path / "store")
    assert code == EXIT_BROKEN
    assert "choose another --store" in line


@pytest.mark.process
def test_a_node_that_will_not_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wishes = ["--cluster", "process", "--time-limit", "2", "--nemesis", "none", "--option", "heartbeat_s=never"]
    code, line = complaint(capsys, "run", "kv/raft", *wishes, "--store", tmp_path)
    assert code == EXIT_BROKEN
    assert "node n" in line
    assert "heartbeat_s" in line


def test_a_bug_of_ours_is_one_sentence_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.cli.run.make_plan", lambda request: 1 / 0)
    code, line = complaint(capsys, "run", "kv/raft", *SHORT, "--store", tmp_path)
    assert code == EXIT_BROKEN
    assert "this is a bug of splitbrain: ZeroDivisionError" in line


def test_an_interrupt_has_its_own_code(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(request: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.cli.run.make_plan", interrupted)
    code, line = complaint(capsys, "run", "kv/raft", *SHORT)
    assert code == 130
    assert "interrupted" in line


def test_with_json_an_error_is_a_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", "kv/raf", "--json"]) == EXIT_USAGE
    document = json.loads(capsys.readouterr().out)
    assert document["exit_code"] == EXIT_USAGE
    assert "kv/raf" in document["error"]


def test_exit_codes_are_those_of_jepsen() -> None:
    assert (EXIT_VALID, EXIT_INVALID, EXIT_USAGE, EXIT_BROKEN) == (0, 1, 254, 255)
