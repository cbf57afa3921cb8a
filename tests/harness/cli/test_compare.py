"""``splitbrain compare``: what it takes, what it writes, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import run_command
from tests.verifications import case, outcome, trial, verification


def judged(store: Path, name: str, *findings: str, **plan: Any) -> Path:
    """The directory of a run that found this."""
    run = store / "kv" / name
    run.mkdir(parents=True)
    (run / "plan.json").write_text("{}")
    anomalies = [{"checker": "set", "name": finding, "reason": f"{finding} is why"} for finding in findings]
    document = {"version": 1, "verdict": "invalid" if findings else "valid", "reason": "so", "anomalies": anomalies}
    (run / "results.json").write_text(json.dumps({**document, "plan": {"target": "kv", **plan}}))
    return run


def compare(*paths: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = run_command(["compare", *map(str, paths), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_run_is_compared_with_those_like_it_before_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judged(tmp_path, "1", "lost")
    judged(tmp_path, "2", "other-cluster", cluster="docker")
    now = judged(tmp_path, "3", "lost", "stale")
    judged(tmp_path, "4", "later")
    code, told = compare(now, capsys=capsys)
    assert (code, [side["name"] for side in told["sides"]]) == (1, ["3", "1"])
    assert told["findings"]["new"] == ["set/stale"]
    assert "set/stale" in (now / "comparison.html").read_text()


def test_named_runs_are_taken_whatever_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now, other = judged(tmp_path, "1", "lost"), judged(tmp_path, "2", "lost", cluster="docker")
    code, told = compare(now, other, capsys=capsys)
    assert (code, told["findings"]["ongoing"]) == (0, ["set/lost"])
    assert told["settings"] == {"cluster": [None, "docker"]}


def test_the_page_goes_where_it_is_asked_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [judged(tmp_path, name) for name in ("1", "2")]
    page = tmp_path / "page.html"
    assert run_command(["compare", *map(str, runs), "--html", str(page)]) == 0
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert str(page) in capsys.readouterr().out
    assert not (runs[0] / "comparison.html").exists()


def test_verifications_are_compared_by_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = {
        "1": verification(trial(case("c"), outcome())),
        "2": verification(trial(case("d"), outcome("invalid", "set/x")), file="another.toml"),
        "3": verification(trial(case("c"), outcome("invalid", "set/lost"))),
    }
    for name, document in told.items():
        (tmp_path / "verify" / name).mkdir(parents=True)
        (tmp_path / "verify" / name / "verification.json").write_text(json.dumps(document))
    code, shown = compare(tmp_path / "verify" / "3", capsys=capsys)
    assert (code, [side["name"] for side in shown["sides"]]) == (1, ["3", "1"])


def test_bad_input_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone = judged(tmp_path, "1")
    unjudged = judged(tmp_path, "2")
    (unjudged / "results.json").unlink()
    broken = judged(tmp_path, "3")
    (broken / "results.json").write_text("{")
    verified = tmp_path / "verify"
    verified.mkdir()
    (verified / "verification.json").write_text(json.dumps(verification(trial(case("c"), outcome()))))
    wrong = {
        "there is nothing before": [alone],
        "it was not judged: splitbrain check it first": [alone, unjudged],
        "not a JSON document": [alone, broken],
        "there is no run": [tmp_path / "nowhere"],
        "not one with the other": [alone, verified],
    }
    for sentence, paths in wrong.items():
        assert run_command(["compare", *map(str, paths)]) == 254
        said = capsys.readouterr()
        assert sentence in said.err
        assert said.out == ""
