"""``splitbrain check`` of a file says how strong the history was; whether a weak one is a pass is for who asks to say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checkers import strength
from harness.cli.main import run_command
from harness.formats import save_history
from harness.history import History
from harness.op import Op
from tests.builders import history, timeline

TINY = timeline("p0 |-- write x 1 --| |-- read x 1 --| |-- write x 2 --| |-- read x 2 --|")


def weak() -> History:
    """Nobody knows which of twelve writes happened, or when: whatever reads return can be explained: no lie about them is noticed."""
    ops: list[Op] = [Op(process=process, f="write", key="x", value=process % 2) for process in range(12)]
    for process in range(12, 24):
        read = Op(process=process, f="read", key="x")
        ops += [read, read.ok(process % 2)]
    return History.of(op.stamped(index, index, None) for index, op in enumerate(ops))


def check(lines: History, folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and what is said of the strength (nothing if it is not told)."""
    save_history(lines, folder / "history.jsonl")
    code = run_command(["check", str(folder / "history.jsonl"), "--model", "register", "--json", *words])
    told = json.loads(capsys.readouterr().out)["checkers"]
    return code, next((verdict for verdict in told if verdict["checker"] == "strength"), {})


def test_a_valid_history_is_told_with_its_strength(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = check(TINY, tmp_path, capsys)
    assert code == 0
    assert told["stats"]["caught_share"] == 1.0
    assert told["stats"]["open_at_once"] == 1
    assert told["reason"].endswith(
        "told in copies of this history were caught; up to 1 operation at once, 0 contended keys"
    )
    assert check(TINY, tmp_path, capsys, "--strict-strength")[0] == 0  # few lies say nothing


def test_what_is_invalid_has_no_strength(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(history("p0 invoke read x _\np0 ok read x 1"), tmp_path, capsys) == (1, {})


@pytest.mark.parametrize(("words", "code", "validity"), [((), 0, "valid"), (("--strict-strength",), 2, "unknown")])
def test_a_weak_history_is_a_remark_and_unknown_to_who_asks(
    words: tuple[str, ...], code: int, validity: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, told = check(weak(), tmp_path, capsys, *words)
    assert (found, told["validity"]) == (code, validity)
    assert told["stats"]["caught_share"] == 0.0
    assert told["reason"].startswith("a remark") == (code == 0)


def test_in_a_long_history_lies_are_told_only_on_demand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strength, "LINES_MAX", len(TINY) - 1)
    _, told = check(TINY, tmp_path, capsys)
    assert told["reason"] == "up to 1 operation at once, 0 contended keys"
    assert told["stats"]["mutants"] == {}
    _, told = check(TINY, tmp_path, capsys, "--strict-strength")
    assert told["stats"]["mutants"]
