"""Checks apart: what a checker does to its process ends as unknown, and the answer is the one of a check at home."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cli.main import run_command
from harness.cli.models import CONSISTENCY, checker_of_model
from harness.cli.workers import judge_apart
from harness.errors import PlanError
from harness.formats import save_history
from harness.history import History
from harness.verdict import Budget, Validity, Verdict
from tests.builders import timeline

GOOD = timeline("p0 |- write x 1 -|  |- read x 1 -|")


@dataclass
class Naughty:
    """A checker that does what ``act`` says."""

    act: Any
    name: str = field(default="naughty", init=False)

    def check(self, history: History, budget: Budget) -> Verdict:
        self.act()
        return Verdict(checker=self.name, validity=Validity.VALID, reason="fine")


def test_a_verdict_comes_home() -> None:
    (verdict,) = judge_apart(GOOD, [checker_of_model("register", {})], Budget(), memory_mb=512)
    assert verdict == checker_of_model("register", {}).check(GOOD, Budget())


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda: np.ones(1 << 30), "ran out of memory"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "signal SIGKILL"),
        (lambda: os._exit(3), "exit code 3"),
        (lambda: {}["x"], "the checker crashed (KeyError"),
    ],
)
def test_whatever_a_checker_does_is_unknown(act: Any, words: str) -> None:
    first, second = judge_apart(GOOD, [Naughty(act), Naughty(lambda: None)], Budget(), memory_mb=256)
    assert first.validity is Validity.UNKNOWN
    assert words in first.reason
    assert second.validity is Validity.VALID


@pytest.mark.parametrize("model", CONSISTENCY)
def test_every_consistency_model_can_be_asked_for(model: str) -> None:
    verdict = checker_of_model(model, {}).check(GOOD, Budget())
    assert verdict.validity in (Validity.VALID, Validity.UNKNOWN)


def test_a_model_of_ones_own_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "door.py"
    file.write_text(
        "from checkers.linearizable.models import UNKNOWN, Model\n"
        "def step(state, f, _argument, result):\n"
        "    if f == 'open':\n"
        "        return not state, True\n"
        "    return result in (state, UNKNOWN), state\n"
        "DOOR = Model(name='door', summary='opens once', init=(bool, False), step=step, fs=frozenset({'open', 'look'}))\n"
    )
    with pytest.raises(PlanError, match="did you mean 'DOOR'"):
        checker_of_model(f"{file}:DOR", {})
    with pytest.raises(PlanError, match="there is no file"):
        checker_of_model(f"{tmp_path / 'none.py'}:DOOR", {})
    file.with_name("bad.py").write_text("1 / 0")
    with pytest.raises(PlanError, match="ZeroDivisionError"):
        checker_of_model(f"{tmp_path / 'bad.py'}:X", {})
    verdict = checker_of_model(f"{file}:DOOR", {}).check(timeline("p0 |- look - 5 -|"), Budget())
    assert verdict.validity is Validity.INVALID


def test_the_command_shows_an_order_and_judges_weaker_models(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "history.jsonl"
    save_history(GOOD, path)
    code = run_command(["check", str(path), "--model", "register", "--show-order"])
    assert code == 0
    assert "process 0's write of 1" in capsys.readouterr().out
    save_history(timeline("p0 |- write x 1 -| |- read y _ -|\np1 |- write y 1 -| |- read x _ -|"), path)
    assert [run_command(["check", str(path), "--model", model]) for model in ("sequential", "causal", "register")] == [
        1,
        0,
        1,
    ]
