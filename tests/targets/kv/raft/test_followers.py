"""The receiver of AppendEntries and InstallSnapshot: each test is named after a sentence of Figure 2 or Figure 13."""

from __future__ import annotations

from typing import Any

import pytest

from tests.targets.kv.raft.desk import Desk, of_type


def write(key: str, value: Any) -> list[Any]:
    return ["write", key, value, None, None]


def test_reply_false_if_term_is_older_than_the_current_term() -> None:
    desk = Desk(3)
    desk.append("n2", 5)
    answer = desk.append("n3", 4, entries=[[4, write("x", 1)]])
    assert (answer["ok"], answer["term"]) == (False, 5)
    assert desk.state.log.last_index == 0
    assert desk.state.leader == "n2"


def test_bug_append_from_stale_term() -> None:
    desk = Desk(3, bug="append-from-stale-term")
    desk.append("n2", 5, entries=[[5, write("x", 5)]])
    answer = desk.append("n3", 4, entries=[[4, write("x", 4)]])
    assert (answer["ok"], answer["term"], answer["match"]) == (True, 4, 1)
    assert desk.terms() == [4]


@pytest.mark.parametrize("prev", [(3, 2), (4, 2), (2, 2)])
def test_reply_false_if_the_log_contains_no_entry_at_prev_whose_term_matches(prev: tuple[int, int]) -> None:
    desk = Desk(3)
    desk.append("n2", 1, entries=[[1, write("x", 1)], [1, write("x", 2)], [1, write("x", 3)]])
    answer = desk.append("n3", 2, prev=prev, entries=[[2, write("x", 9)]])
    assert not answer["ok"]
    assert answer["prev"] == prev[0]
    assert desk.terms() == [1, 1, 1]


def test_bug_append_without_log_matching() -> None:
    desk = Desk(3, bug="append-without-log-matching")
    desk.append("n2", 1, entries=[[1, write("x", 1)], [1, write("x", 2)]])
    behind = desk.append("n3", 3, prev=(9, 2), entries=[[3, write("x", 9)]])
    assert (behind["ok"], behind["match"]) == (True, 10)
    assert desk.terms() == [1, 1, 3]


def test_a_refusal_names_the_first_index_of_the_conflicting_term() -> None:
    desk = Desk(3)
    desk.append("n2", 3, entries=[[1, None], [2, None], [2, None], [2, None], [3, None]])
    conflict = desk.append("n3", 5, prev=(4, 4))
    short = desk.append("n3", 5, prev=(9, 4))
    assert (conflict["hint"], short["hint"]) == (2, 6)


def test_append_any_new_entries_not_already_in_the_log() -> None:
    desk = Desk(3)
    first = [[1, write("x", 1)], [1, write("x", 2)]]
    desk.append("n2", 1, entries=first)
    answer = desk.append("n2", 1, prev=(1, 1), entries=[first[1], [1, write("x", 3)]])
    assert answer["match"] == 3
    assert desk.commands() == [write("x", 1), write("x", 2), write("x", 3)]


def test_set_commit_index_to_the_minimum_of_leader_commit_and_the_last_new_entry() -> None:
    desk = Desk(3)
    desk.append("n2", 1, entries=[[1, write("x", 1)], [1, write("x", 2)]], commit=0)
    desk.append("n3", 2, prev=(1, 1), commit=9)  # entry 2 may yet be overwritten: n3 has only said that entry 1 agrees
    assert desk.state.commit == 1
    assert desk.raft.machine.read("x")["value"] == 1


def test_entries_are_durable_before_they_are_acknowledged() -> None:
    desk = Desk(3)
    desk.append("n2", 1, entries=[[1, write("x", 1)]])
    assert desk.restart().commands() == [write("x", 1)]


def test_bug_no_fsync() -> None:
    desk = Desk(3, bug="no-fsync")
    answer = desk.append("n2", 1, entries=[[1, write("x", 1)]])
    assert answer["match"] == 1
    assert desk.restart().commands() == []


def test_an_answer_repeats_what_tells_the_leader_which_message_it_answers() -> None:
    desk = Desk(3)
    sent = desk.say(
        "n2", type="append_entries", term=1, prev=0, prev_term=0, entries=[], commit=0, number=7, round=3, sent=4.5
    )
    answer = of_type(sent, "append_reply")["n2"]
    assert (answer["number"], answer["round"], answer["sent"]) == (7, 3, 4.5)


def snapshot(index: int, term: int, keys: list[Any], members: list[str] | None = None) -> dict[str, Any]:
    machine = {"keys": keys, "sessions": []}
    return {"index": index, "term": term, "members": members or ["n1", "n2", "n3"], "machine": machine}


def install(desk: Desk, term: int, taken: dict[str, Any]) -> dict[str, Any]:
    sent = desk.say("n2", type="install_snapshot", term=term, snapshot=taken, number=1, round=0, sent=0.0)
    return of_type(sent, "append_reply")["n2"]


def test_discard_the_entire_log_and_reset_the_state_machine_using_snapshot_contents() -> None:
    desk = Desk(3)
    desk.append("n2", 1, entries=[[1, write("x", 1)]], commit=1)
    answer = install(desk, 2, snapshot(7, 2, [["x", 7]], ["n1", "n2"]))
    assert (answer["ok"], answer["match"]) == (True, 7)
    for one in (desk, desk.restart()):
        assert one.raft.machine.read("x")["value"] == 7
        assert (one.state.commit, one.state.applied, one.state.log.last_index, one.state.log.last_term) == (7, 7, 7, 2)
        assert one.state.members.nodes == ("n1", "n2")


def test_if_an_entry_has_the_snapshots_index_and_term_retain_what_follows_it() -> None:
    desk = Desk(3)
    desk.append("n2", 1, entries=[[1, write("x", 1)], [1, write("x", 2)], [1, write("x", 3)]])
    install(desk, 1, snapshot(2, 1, [["x", 2]]))
    assert desk.state.log.last_index == 3
    assert desk.append("n2", 1, prev=(3, 1), commit=3)["ok"]
    assert desk.raft.machine.read("x")["value"] == 3


def test_a_snapshot_that_is_older_than_what_was_applied_changes_nothing() -> None:
    desk = Desk(3)
    desk.append("n2", 1, entries=[[1, write("x", 1)], [1, write("x", 2)]], commit=2)
    answer = install(desk, 1, snapshot(1, 1, [["x", 1]]))
    assert (answer["ok"], answer["match"]) == (True, 1)
    assert desk.raft.machine.read("x")["value"] == 2


def test_entries_that_a_snapshot_holds_already_are_skipped() -> None:
    desk = Desk(3)
    install(desk, 2, snapshot(5, 2, [["x", 5]]))
    inside = desk.append("n2", 2, prev=(2, 1), entries=[[1, write("x", 3)], [1, write("x", 4)]])
    across = desk.append("n2", 2, prev=(3, 1), entries=[[1, None], [2, None], [2, write("x", 6)]], commit=6)
    assert (inside["match"], across["match"]) == (5, 6)
    assert desk.terms() == [2]
    assert desk.raft.machine.read("x")["value"] == 6


def test_a_snapshot_of_a_deposed_leader_is_refused() -> None:
    desk = Desk(3)
    desk.append("n3", 5)
    answer = install(desk, 4, snapshot(7, 2, []))
    assert (answer["ok"], answer["term"]) == (False, 5)
    assert desk.state.log.last_index == 0
