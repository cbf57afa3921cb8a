"""``splitbrain verify`` end to end on the simulator: verdict, exit code, files, corpus, canary, planted bugs, retries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.claims import Case
from harness.cli import tables, trials, trying, verify
from harness.cli.corpus import Corpus, read_corpus, write_corpus
from harness.cli.main import run_command
from harness.cli.models import judged
from harness.cli.planning import Request, claim_of, make_plan
from harness.cli.trying import Attempt, Judged, attempt_run, plan_of
from harness.cli.verifying import make_trials
from harness.errors import ClusterError, PlanError
from harness.history import History
from harness.protocols import Claim, Target
from harness.verification import CANARY, Outcome
from reports import VERIFICATIONS
from reports.report import Report

HOLDS = '[[claim]]\nrow = "1"\ntarget = "kv/raft"\nname = "linearizable"\nfaults = ["partition"]\nsettings = {time_limit_s = 6.0}\n'
BREAKS = (
    '[[claim]]\ntarget = "kv/primary-async"\nname = "loses"\nworkload = "set"\nfaults = ["kill", "partition"]\n'
    'violates = ["lost"]\nseeds = 20\nsettings = {time_limit_s = 15.0}\n'
)


def write(path: Path, *claims: str) -> Path:
    file = path / "ours.toml"
    file.write_text("version = 1\n" + "".join(claims))
    return file


def verified(capsys: pytest.CaptureFixture[str], file: Path, *argv: str) -> tuple[int, dict[str, Any]]:
    store = file.parent / "store"
    code = run_command(["verify", str(file), "--store", str(store), "--json", "--jobs", "1", "--runs", "1", *argv])
    return code, json.loads(capsys.readouterr().out)


def status_of(document: Mapping[str, Any]) -> dict[str, str]:
    return {claim["claim"]: claim["status"] for claim in document["claims"]}


def test_claims_that_hold_and_break_as_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, HOLDS, BREAKS)
    code, document = verified(capsys, file, "--runs", "20", "--learn", "--claim", "loses", "--claim", "linearizable")
    assert (code, document["verdict"]) == (0, "valid")
    assert status_of(document) == {"linearizable": "holds", "loses": "violated as expected"}
    assert document["canary"]["status"] == "VIOLATED"
    directory = tmp_path / "store" / "verify" / document["began"]
    assert {path.name for path in directory.iterdir()} == set(VERIFICATIONS)
    (seed,) = read_corpus(tmp_path / "ours.corpus.json")["kv/primary-async:loses"]["sim"]
    code, again = verified(capsys, file, "--claim", "loses")
    (loses,) = again["claims"]
    assert (code, loses["seeds"], loses["fresh_runs"]) == (0, [seed], 0)
    assert Path(loses["smallest"]["run"], "report.html").exists()


def test_a_planted_bug_turns_the_claims_of_its_target_red(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = HOLDS.replace("kv/raft", "kv/primary-sync").replace('"linearizable"', '"fine"')
    code, document = verified(capsys, write(tmp_path, HOLDS, other), "--bug", "kv/raft=stale-local-read")
    assert (code, document["verdict"]) == (1, "invalid")
    assert status_of(document) == {"linearizable": "VIOLATED", "fine": "holds"}
    assert document["findings"]["new"]


def test_a_canary_that_is_not_noticed_makes_the_whole_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tame = Case(
        target=CANARY.target,
        row=CANARY.row,
        claim=Claim(**{**_fields(CANARY.claim), "settings": {"time_limit_s": 5.0}}),
    )
    monkeypatch.setattr(verify, "make_trials", partial(make_trials, canary=tame))
    code, document = verified(capsys, write(tmp_path, HOLDS))
    assert (code, document["verdict"]) == (2, "unknown")
    assert status_of(document) == {"linearizable": "holds"}


def _fields(claim: Claim) -> dict[str, Any]:
    return {name: getattr(claim, name) for name in Claim.__dataclass_fields__}


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--claim", "nothing"], "no claim has nothing in its name"),
        (["--bug", "kv/raft"], "write it as TARGET=NAME"),
        (["--bug", "kv/raft=none"], "claim kv/raft:linearizable on sim: target kv/raft has no seeded bug 'none'"),
        (["--cluster", "simm"], "unknown cluster 'simm'"),
    ],
)
def test_what_cannot_be_verified_is_said_before_anything_runs(
    argv: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = verified(capsys, write(tmp_path, HOLDS), *argv)
    assert code == 254
    assert sentence in document["error"]
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("kept", [{}, {"kv/raft:a": {"sim": [3, 1]}, 'kv/raft --bug "b"': {"docker": [2], "sim": [0]}}])
def test_a_corpus_is_read_as_it_was_written_one_name_a_line(kept: Corpus, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    write_corpus(path, {**kept, "nothing": {}, "no-seed": {"sim": []}})
    assert read_corpus(path) == kept
    assert sum(line.startswith("  ") for line in path.read_text().splitlines()) == len(kept)


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2, "claims": {}}', '{"version": 1, "claims": {"a": 3}}'])
def test_a_broken_corpus_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(PlanError, match="corpus"):
        read_corpus(path)


def test_infrastructure_is_tried_again_but_a_verdict_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [ClusterError("no disk"), ClusterError("no disk")]
    ran: list[int] = []

    def run(attempt: Attempt) -> Judged:
        ran.append(attempt.seed)
        if failures:
            raise failures.pop()
        outcome = Outcome(cluster="sim", seed=attempt.seed, verdict="unknown", reason="")
        return Judged(outcome, Report(results={}, history=History.of([])))

    monkeypatch.setattr(trying, "judge_attempt", run)
    attempt = Attempt(case=CANARY, cluster="sim", seed=3, store=tmp_path, settings={})
    outcome, ledger = attempt_run(attempt)
    assert (outcome.verdict, len(ran), [line["try"] for line in ledger]) == ("unknown", 3, [1, 2])
    attempt_run(attempt)
    assert len(ran) == 4
    failures.extend([ClusterError("no disk")] * 5)
    outcome, ledger = attempt_run(attempt)
    assert outcome.reason == "the infrastructure failed 3 times, last: no disk"
    assert len(ledger) == 3


@pytest.mark.parametrize(
    ("model", "workload", "checkers"),
    [
        ("linearizable", "register", {}),
        ("sequential", "register", {"weak": {"model": "sequential"}}),
        ("eventual", "register", {"convergence": {}}),
        ("no-loss", "set", {}),
        ("snapshot-isolation", "txn-list-append", {"list-append": {"model": "snapshot-isolation"}}),
        ("sequential", "litmus", {"litmus": {"model": "sc"}}),
        ("sequential", "litmus-tso", {"litmus": {"model": "sc"}}),
        ("tso", "litmus", {"litmus": {"model": "tso"}}),
        ("release-consistency", "litmus-tso", {"litmus": {"model": "rc"}}),
        ("availability", "litmus-rc", {}),
        ("", "litmus-rc", {}),
    ],
)
def test_a_model_is_asked_of_the_checker_that_decides_it(model: str, workload: str, checkers: dict[str, Any]) -> None:
    claim = Claim(name="c", topic="", statement="", model=model, workload=workload, faults=())
    assert judged(claim).checkers == checkers


@pytest.mark.parametrize(
    ("model", "workload", "checkers", "sentence"),
    [
        ("snapshot", "txn-list-append", {}, "unknown consistency model"),
        ("linearizable", "litmus", {}, "litmus tests cannot judge the model 'linearizable'"),
        ("causal", "litmus-rc", {}, "litmus tests cannot judge the model 'causal'"),
        (
            "tso",
            "litmus",
            {"litmus": {"model": "sc"}},
            "'tso', which the checker litmus decides with model=tso, not sc",
        ),
        (
            "causal",
            "register",
            {"weak": {"model": "pram"}},
            "'causal', which the checker weak decides with model=causal",
        ),
    ],
)
def test_a_model_that_contradicts_what_would_judge_it_is_refused(
    model: str, workload: str, checkers: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(PlanError, match=sentence):
        judged(Claim(name="c", topic="", statement="", model=model, workload=workload, faults=(), checkers=checkers))


def test_a_claim_is_run_and_verified_under_the_model_that_it_names() -> None:
    memory: Target = tables.targets().get("dsm/store-buffer")
    claim = claim_of(memory, "store-buffers-are-not-sequential")
    ran = make_plan(Request(target=memory.name, cluster="sim", seed=0, claim=claim.name))
    case = Case(target=memory.name, claim=claim)
    verified = plan_of(Attempt(case=case, cluster="sim", seed=0, store=Path(), settings={}))
    assert ran == verified
    assert (claim.model, ran.workload, ran.checkers["litmus"]) == ("sequential", "litmus-tso", {"model": "sc"})


def test_workers_are_told_to_end_when_a_verification_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(trials, "wait", interrupted)
    assert run_command(["verify", str(write(tmp_path, HOLDS)), "--store", str(tmp_path / "store")]) == 130
