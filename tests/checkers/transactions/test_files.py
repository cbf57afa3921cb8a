"""Histories in files, as others write them: Jepsen's EDN, elle-cli's JSON, our JSON lines; by the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checkers.transactions import list_append
from checkers.transactions.txns import Txns, txns_of
from harness.cli.main import run_command
from harness.formats import load_history, save_history
from harness.history import History
from harness.verdict import Budget, Validity
from tests.checkers.transactions.loose import loose_run
from tests.checkers.transactions.texts import at_once

# Write skew: serializability forbids it, snapshot isolation does not.
EDN = """\
{:index 0, :time 1, :type :invoke, :process 0, :f :txn, :value [[:r :x nil] [:append :y 1]]}
{:index 1, :time 2, :type :invoke, :process 1, :f :txn, :value [[:r :y nil] [:append :x 1]]}
{:index 2, :time 3, :type :ok, :process 0, :f :txn, :value [[:r :x []] [:append :y 1]]}
{:index 3, :time 4, :type :ok, :process 1, :f :txn, :value [[:r :y nil] [:append :x 1]]}
{:index 4, :time 5, :type :invoke, :process 2, :f :txn, :value [[:r :x nil] [:r :y nil]]}
{:index 5, :time 6, :type :ok, :process 2, :f :txn, :value [[:r :x [1]] [:r :y [1]]]}
"""
ELLE_JSON = json.dumps(
    [
        {"type": "invoke", "process": 0, "value": [["r", "x", None], ["append", "y", 1]], "index": 0},
        {"type": "invoke", "process": 1, "value": [["r", "y", None], ["append", "x", 1]], "index": 1},
        {"type": "ok", "process": 0, "value": [["r", "x", []], ["append", "y", 1]], "index": 2},
        {"type": "ok", "process": 1, "value": [["r", "y", None], ["append", "x", 1]], "index": 3},
        {"type": "invoke", "process": 2, "value": [["r", "x", None], ["r", "y", None]], "index": 4},
        {"type": "ok", "process": 2, "value": [["r", "x", [1]], ["r", "y", [1]]], "index": 5},
    ],
    indent=1,
)


@pytest.mark.parametrize(("name", "text"), [("history.edn", EDN), ("history.json", ELLE_JSON)])
@pytest.mark.parametrize(("model", "exit_code"), [("snapshot-isolation", 0), ("serializable", 1), ("read-atomic", 0)])
def test_the_command_judges_histories_of_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, model: str, exit_code: int
) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert run_command(["check", str(path), "--checker", f"list-append:model={model}", "--json"]) == exit_code
    (found, *_) = [one for one in json.loads(capsys.readouterr().out)["checkers"] if one["checker"] == "list-append"]
    assert found["stats"]["not"] == ["repeatable-read"]


def columns(txns: Txns) -> list[object]:
    """What both readers must agree on: all columns, and the values behind the codes."""
    keys = [txns.key_object(number) for number in range(len(txns.keys))]
    values = [txns.object(code) for code in txns.value.tolist()]
    elements = [txns.object(code) for code in txns.element.tolist()]
    plain = [getattr(txns, name).tolist() for name in ("starts", "write", "key", "first", "session")]
    return [keys, values, elements, *plain]


@pytest.mark.parametrize("seed", range(3))
def test_texts_and_objects_are_read_alike(tmp_path: Path, seed: int) -> None:
    lines = loose_run(seed, "append", txns=60, keys=3)
    path = tmp_path / "history.jsonl"
    save_history(lines, path)
    read, made = (txns_of(one, "append", lists=True) for one in (load_history(path), lines))
    assert columns(read) == columns(made)


ODD = [
    [["append", "a b", "x"], ["r", 1, None]],
    [["r", "a b", ["x", "y", -3, 10**12]], ["r", -7, [True, None]]],
    [[":append", 1.5, 0.25], [":r", "ü", ["\n", '"']]],
    [],
]


@pytest.mark.parametrize("value", ODD)
def test_odd_values_are_read_alike_whoever_reads_them(tmp_path: Path, value: list[object]) -> None:
    path = tmp_path / "history.jsonl"
    text = json.dumps(value, separators=(", ", " : "))
    call, done = (
        f'{{"index":{n},"type":"{kind}","process":0,"f":"txn","value":{text}}}\n'
        for n, kind in enumerate(("invoke", "ok"))
    )
    path.write_text(call + done)
    lines = load_history(path)
    read, made = (txns_of(one, "append", lists=True) for one in (lines, History.of(list(lines))))
    assert columns(read) == columns(made)


@pytest.mark.parametrize("mop", ['["r","x"]', '["r","x",[[1]]]', '["q","x",1]', '{"f":1}', '["r","x",3]', "7", "[]"])
def test_what_is_no_micro_operation_is_unknown_and_never_a_crash(tmp_path: Path, mop: str) -> None:
    path = tmp_path / "history.jsonl"
    line = '{"index":%d,"type":"%s","process":0,"f":"txn","value":[%s]}\n'
    path.write_text(line % (0, "invoke", mop) + line % (1, "ok", mop))
    verdict = list_append.make().check(load_history(path), Budget())
    wanted = Validity.INVALID if "[[1]]" in mop else Validity.UNKNOWN  # that is a read of what nobody appended
    assert verdict.validity is wanted


def test_whoever_reads_them_the_verdict_is_one(tmp_path: Path) -> None:
    lines = at_once("rx_ ay1", "ry_ ax1", "rx1 ry1")
    for name in ("history.jsonl", "history.edn"):
        save_history(lines, tmp_path / name)
        read = list_append.make().check(load_history(tmp_path / name), Budget())
        assert read.reason == list_append.make().check(lines, Budget()).reason
