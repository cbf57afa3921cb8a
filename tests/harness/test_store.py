"""The directory of a run: stages, links, and what the disk may say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import store
from harness.errors import ClusterError, PlanError
from harness.plan import Plan

PLAN = Plan(target="kv/raft", workload="register", cluster="sim", nodes=("n1", "n2", "n3"), seed=7)


def test_a_run_holds_its_plan_before_anything_starts(tmp_path: Path) -> None:
    run = store.create(tmp_path, PLAN)
    assert run.path.parent == tmp_path / "kv/raft"
    assert run.plan() == PLAN


def test_latest_points_to_the_newest_run(tmp_path: Path) -> None:
    store.create(tmp_path, PLAN)
    newest = store.create(tmp_path, PLAN)
    for link in (tmp_path / "latest", tmp_path / "kv/raft/latest"):
        assert link.resolve() == newest.path.resolve()
    assert len(list(store.runs(tmp_path))) == 2


def test_a_store_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ClusterError, match="cannot create a run in .*file: .*another --store"):
        store.create(blocked, PLAN)


def test_writing_replaces_whole_files(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    store.write(path, "one")
    store.write(path, "two")
    assert path.read_text() == "two"
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "not the directory of a run"),
        ("{", "not a JSON document"),
        ("[]", "a plan is a JSON object"),
        ('{"version": 99}', "plan of version 99, but this splitbrain reads version 1"),
        ('{"version": 1, "colour": "red"}', "unknown field 'colour'"),
        ('{"version": 1, "target": "kv/raft"}', "not a complete plan"),
    ],
)
def test_a_broken_plan_gets_one_sentence(tmp_path: Path, text: str | None, sentence: str) -> None:
    if text is not None:
        (tmp_path / "plan.json").write_text(text)
    with pytest.raises(PlanError, match=sentence):
        store.Run(tmp_path).plan()


def test_node_logs_count_from_where_the_history_counts(tmp_path: Path) -> None:
    run = store.create(tmp_path, PLAN)
    log = run.path / "nodes" / "n1" / "node.log"
    log.parent.mkdir()
    log.write_text('{"t": 0.25, "event": "start"}\n{"t": 3.5, "event": "leader", "term": 1}\n')
    assert [line["t"] for line in run.node_logs()["n1"]] == [0.25, 3.5]
    run.note_boot(1.5)
    assert [line["t"] for line in run.node_logs()["n1"]] == [-1.25, 2.0]


def test_node_logs_keep_lines_that_are_not_json(tmp_path: Path) -> None:
    log = tmp_path / "nodes" / "n1" / "node.log"
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({"t": 1.5, "event": "leader", "term": 2}) + "\nTraceback: boom\n[1]\n")
    assert store.Run(tmp_path).node_logs() == {
        "n1": [
            {"t": 1.5, "event": "leader", "term": 2},
            {"t": None, "line": "Traceback: boom"},
            {"t": None, "line": "[1]"},
        ]
    }
