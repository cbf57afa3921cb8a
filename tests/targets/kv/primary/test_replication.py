"""The primary's side: when it acknowledges, what it sends to whom, when it is none any more."""

from __future__ import annotations

import pytest

from targets.node import codes
from tests.targets.kv.primary.desk import GROUP_S, Desk, entry, of_type


def test_synchronous_acknowledged_once_a_majority_has_it_on_disk() -> None:
    desk = Desk(5)
    desk.lead()
    sent = desk.add(1)
    assert set(of_type(sent, "replicate")) == {"n2", "n3", "n4", "n5"}
    assert not of_type(sent, "add_ok")
    assert not of_type(desk.answer("n2"), "add_ok")
    assert of_type(desk.answer("n3"), "add_ok")
    assert desk.held() == [1]


def test_asynchronous_acknowledged_once_it_is_on_the_primary_s_own_disk() -> None:
    desk = Desk(5, mode="async")
    desk.lead()
    sent = desk.add(1)
    assert of_type(sent, "add_ok")
    assert not of_type(sent, "replicate")
    shipped = of_type(desk.turn(0.075), "replicate")
    assert {dest: body["entries"] for dest, body in shipped.items()} == {
        backup: [entry(1, 1)] for backup in desk.env.node_ids[1:]
    }
    assert desk.restart().replica.log.entries[-1] == entry(1, 1)


@pytest.mark.parametrize(("bug", "kept"), [(None, 1), ("ack-before-sync", 0)])
def test_what_is_acknowledged_has_been_synced(bug: str | None, kept: int) -> None:
    desk = Desk(1, mode="async", bug=bug)
    desk.turn(0.7)
    desk.turn(0.1)
    assert of_type(desk.add(1), "add_ok")
    again = desk.restart()
    assert sum(command is not None for _, command in again.replica.log.entries) == kept


def test_writes_of_one_moment_are_sent_together() -> None:
    desk = Desk()
    desk.lead()
    handler = desk.env.handlers["add"]
    for element in range(3):
        handler(
            {"src": "c0", "dest": "n1", "body": {"type": "add", "msg_id": 90 + element, "key": "x", "element": element}}
        )
    sent = of_type(desk.turn(GROUP_S), "replicate")
    assert [len(body["entries"]) for body in sent.values()] == [3, 3]


def test_an_epoch_begins_with_a_mark_that_commits_what_was_before() -> None:
    desk = Desk()
    desk.replicate("n2", 1, entries=[entry(1, "a")])
    desk.elect()
    assert desk.epochs() == [1, desk.state.epoch]
    assert desk.replica.commit == 0
    desk.answer("n3", match=1)  # a majority has the entry of epoch 1, and yet it could be replaced
    assert desk.replica.commit == 0
    desk.answer("n3", match=2)
    assert desk.replica.commit == 2
    assert desk.held() == ["a"]


def test_a_heartbeat_repeats_what_was_not_answered() -> None:
    desk = Desk()
    desk.lead()
    desk.add(1)
    desk.answer("n3")
    repeated = of_type(desk.turn(0.08), "replicate")
    assert {dest: len(body["entries"]) for dest, body in repeated.items()} == {"n2": 1, "n3": 0}


def test_an_answer_that_comes_twice_calls_for_no_further_message() -> None:
    desk = Desk()
    desk.lead()
    desk.add(1)
    desk.node.shipping.propose(["add", "x", 2, None, None])
    number = desk.node.shipping.backups["n2"].number
    assert of_type(desk.answer("n2", match=2), "replicate")
    assert not of_type(desk.answer("n2", match=2, number=number), "replicate")


def test_a_refusal_is_followed_by_the_difference() -> None:
    desk = Desk()
    desk.lead()
    for element in range(3):
        desk.add(element)
    backup = desk.node.shipping.backups["n2"]
    refusal = {"ok": False, "prev": backup.next - 1, "hint": 1, "number": backup.number}
    sent = of_type(desk.answer("n2", **refusal), "replicate")["n2"]
    assert (sent["prev"], len(sent["entries"])) == (0, 4)
    assert not of_type(desk.answer("n2", **refusal), "replicate")  # a copy of the refusal
    assert backup.next == 1


def test_the_bug_that_skips_an_entry_shows_in_the_difference() -> None:
    desk = Desk(bug="catch-up-skips-entry")
    desk.lead()
    for element in range(3):
        desk.add(element)
    refusal = {"ok": False, "prev": desk.node.shipping.backups["n2"].next - 1, "hint": 2}
    sent = of_type(desk.answer("n2", **refusal), "replicate")["n2"]
    assert (sent["prev"], sent["entries"]) == (1, [entry(1, 1), entry(1, 2)])


def test_who_is_behind_the_log_gets_the_full_state() -> None:
    desk = Desk(checkpoint_entries=4, tail_entries=1)
    desk.lead()
    for element in range(6):
        desk.add(element)
        desk.answer("n2")
    assert desk.replica.log.base_index > 0
    prev = desk.node.shipping.backups["n3"].next - 1
    sent = desk.answer("n3", ok=False, prev=prev, hint=1)
    state = of_type(sent, "install")["n3"]["state"]
    assert state["index"] == desk.replica.commit
    assert state["machine"]["sets"] == [["x", list(range(6))]]
    assert not of_type(desk.turn(0.1), "install")  # it is large, and under way


def test_a_later_epoch_deposes() -> None:
    desk = Desk()
    desk.lead()
    desk.add(1)
    sent = desk.answer("n2", ok=False, prev=-1, epoch=9)
    assert of_type(sent, "error")["c0"]["code"] == codes.TIMEOUT
    assert (desk.state.role.value, desk.state.epoch) == ("backup", 9)
    assert not of_type(desk.turn(0.2), "replicate")


@pytest.mark.parametrize(("mode", "leads"), [("sync", False), ("async", True)])
def test_without_a_majority_only_the_asynchronous_primary_goes_on(mode: str, leads: bool) -> None:
    desk = Desk(mode=mode)
    desk.lead()
    desk.turn(0.7)
    assert desk.state.leads == leads
    assert bool(of_type(desk.add(1), "add_ok")) == leads


def test_reads_wait_until_a_majority_has_answered_a_message_that_was_sent_after_they_were_asked() -> None:
    desk = Desk(5)
    desk.lead()
    desk.add(1)
    for backup in ("n2", "n3"):
        desk.answer(backup)
    old = {name: backup.number for name, backup in desk.node.shipping.backups.items()}
    assert not of_type(desk.ask("read", key="x"), "read_ok")
    assert not of_type(desk.answer("n4", number=old["n4"]), "read_ok")
    assert not of_type(desk.answer("n2"), "read_ok")
    assert of_type(desk.answer("n3"), "read_ok")["c0"]["value"] == [1]


def test_a_new_primary_does_not_read_before_it_knows_what_is_committed() -> None:
    desk = Desk()
    desk.replicate("n2", 1, entries=[entry(1, "a")])
    desk.elect()
    assert not of_type(desk.ask("read", key="x"), "read_ok")
    desk.answer("n3")
    assert of_type(desk.answer("n3"), "read_ok")["c0"]["value"] == ["a"]


def test_asynchronous_reads_are_answered_at_once() -> None:
    desk = Desk(mode="async")
    desk.lead()
    desk.add(1)
    assert of_type(desk.ask("read", key="x"), "read_ok")["c0"]["value"] == [1]


@pytest.mark.parametrize(("bug", "code"), [(None, codes.TIMEOUT), ("doubt-denied", codes.UNAVAILABLE)])
def test_what_a_deposed_primary_says_of_writes_that_may_yet_be_committed(bug: str | None, code: int) -> None:
    desk = Desk(bug=bug)
    desk.lead()
    desk.add(1)
    sent = desk.answer("n2", ok=False, prev=-1, epoch=9)
    assert of_type(sent, "error")["c0"]["code"] == code


@pytest.mark.parametrize(
    ("options", "answered"), [({}, False), ({"reads": "any"}, True), ({"bug": "backup-reads"}, True)]
)
def test_a_backup_answers_reads_where_any_node_may_and_else_hands_them_on(
    options: dict[str, str], answered: bool
) -> None:
    desk = Desk(**options)
    desk.replicate("n2", 1, entries=[entry(1, "a"), entry(1, "b")], commit=1)
    sent = desk.ask("read", key="x")
    if answered:
        assert of_type(sent, "read_ok")["c0"]["value"] == ["a"]  # what is committed, as far as it knows
    else:
        assert set(of_type(sent, "forward")) == {"n2"}
