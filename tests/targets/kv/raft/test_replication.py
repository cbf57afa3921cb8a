"""The leader's side of log replication: each test is named after a sentence of the paper. Three parts: init, test, check."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.targets.kv.raft.desk import Desk, of_type


def write(key: str, value: Any) -> list[Any]:
    return ["write", key, value, None, None]


def test_each_leader_commits_a_blank_no_op_entry_at_the_start_of_its_term() -> None:
    desk = Desk(3)
    desk.elect(4)
    assert desk.state.log.entries == [[4, None]]


def test_upon_election_send_initial_empty_append_entries_to_each_server() -> None:
    desk = Desk(3)
    desk.turn(0.6)
    desk.say("n2", type="vote", pre=True, term=1, granted=True)
    before = len(desk.env.sent)
    desk.say("n2", type="vote", pre=False, term=1, granted=True)
    first = {dest: body for dest, body in reversed(desk.env.sent[before:]) if body["type"] == "append_entries"}
    assert {dest: body["entries"] for dest, body in first.items()} == {"n2": [], "n3": []}


def test_a_log_entry_is_committed_once_the_leader_has_replicated_it_on_a_majority() -> None:
    desk = Desk(5)
    desk.lead(1)
    desk.ask("write", key="x", value=1)
    desk.acknowledge("n2")
    one = desk.state.commit
    desk.acknowledge("n2")
    same = desk.state.commit
    desk.acknowledge("n3")
    assert (one, same, desk.state.commit) == (1, 1, 2)


def test_the_leader_counts_itself_only_for_what_is_on_its_disk_and_sends_nothing_else() -> None:
    desk = Desk(3, batch_s=0.01)
    desk.lead(1)
    index = desk.raft.core.replication.propose(write("x", 1))
    sent = desk.turn(0.005)
    peer = desk.raft.core.replication.peers["n2"]
    peer.match = index  # as if the follower could have it already
    desk.raft.core.replication._advance()
    early = desk.state.commit
    sent_later = desk.turn(0.006)
    assert (early, desk.state.commit) == (index - 1, index)
    assert of_type(sent, "append_entries") == {}
    assert of_type(sent_later, "append_entries")["n3"]["entries"] == [[1, write("x", 1)]]


def test_bug_ack_before_quorum() -> None:
    desk = Desk(3, bug="ack-before-quorum")
    desk.elect(1)
    sent = desk.ask("write", key="x", value=1)
    assert of_type(sent, "write_ok") == {"c0": {"type": "write_ok", "in_reply_to": 1}}


def inherited(**options: Any) -> Desk:
    """A leader of term 4 that has an entry of term 2 which is not known to be committed (Figure 8 c)."""
    desk = Desk(5, **options)
    desk.append("n2", 2, entries=[[2, write("x", 2)]])
    desk.elect(4)
    return desk


def test_only_log_entries_from_the_leaders_current_term_are_committed_by_counting_replicas() -> None:
    desk = inherited()
    for follower in ("n2", "n3"):
        desk.acknowledge(follower, match=1)
    counted = desk.state.commit
    for follower in ("n2", "n3"):
        desk.acknowledge(follower, match=2)
    assert (counted, desk.state.commit) == (0, 2)  # "all prior entries are committed indirectly"


def test_bug_commit_old_term_figure_8() -> None:
    desk = inherited(bug="commit-old-term")
    for follower in ("n2", "n3"):
        desk.acknowledge(follower, match=1)
    assert desk.state.commit == 1
    assert desk.terms() == [2]
    assert not desk.ask("read", key="x")[0][1].get("entries")
    sent = desk.acknowledge("n2") + desk.acknowledge("n3")
    assert of_type(sent, "read_ok")["c0"]["value"] == 2
    # Figure 8 (d): a leader of term 5 that has another entry there, of term 3, overwrites what has been read.
    desk.append("n5", 5, entries=[[3, write("x", 3)]])
    assert desk.terms() == [3]


@pytest.mark.parametrize("nodes", [4])
def test_half_of_the_servers_is_no_majority(nodes: int) -> None:
    right, wrong = Desk(nodes), Desk(nodes, bug="wrong-quorum-even")
    for desk in (right, wrong):
        desk.elect(1)
        desk.acknowledge("n2")
    assert (right.state.commit, wrong.state.commit) == (0, 1)


def test_entries_that_arrive_while_a_message_is_unanswered_go_together() -> None:
    desk = Desk(3)
    desk.lead(1)
    desk.ask("write", key="x", value=1)
    for value in (2, 3, 4):
        assert desk.ask("write", key="x", value=value) == []
    sent = of_type(desk.acknowledge("n2", match=2), "append_entries")["n2"]
    assert [command[2] for _, command in sent["entries"]] == [2, 3, 4]


def test_only_the_first_answer_to_a_message_lets_the_next_one_go() -> None:
    desk = Desk(3, batch_max=1)
    desk.lead(1)
    for value in (1, 2, 3, 4):
        desk.ask("write", key="x", value=value)
    number = desk.raft.core.replication.peers["n2"].number
    answer = {"type": "append_reply", "term": 1, "ok": True, "match": 2, "number": number, "round": 0, "sent": 0.0}
    first, doubled = desk.say("n2", **answer), desk.say("n2", **answer)
    assert len(of_type(first, "append_entries")) == 1
    assert of_type(doubled, "append_entries") == {}


def test_the_leader_retries_append_entries_indefinitely() -> None:
    desk = Desk(5)
    desk.lead(1)
    desk.ask("write", key="x", value=1)
    for follower in ("n2", "n3"):
        desk.acknowledge(follower)
    for _ in range(20):
        sent = of_type(desk.turn(0.12), "append_entries")
        assert [command[2] for _, command in sent["n5"]["entries"]] == [1]
        for follower in ("n2", "n3"):
            desk.acknowledge(follower)


def test_a_leader_steps_down_if_it_does_not_hear_from_a_majority_for_an_election_timeout() -> None:
    desk = Desk(5)
    desk.lead(1)
    for _ in range(4):
        desk.turn(0.3)
        for follower in ("n2", "n3"):
            desk.acknowledge(follower)
    kept = desk.state.leads
    for _ in range(4):
        desk.turn(0.3)
        desk.acknowledge("n2") if desk.state.leads else None
    assert kept
    assert not desk.state.leads
    assert desk.state.leader is None


def test_when_the_consistency_check_fails_the_leader_bypasses_all_entries_of_the_conflicting_term() -> None:
    desk = Desk(3)
    desk.append("n2", 3, entries=[[1, None]] * 4 + [[3, None]])
    desk.elect(4)
    peer = desk.raft.core.replication.peers["n3"]
    refusal = {"type": "append_reply", "term": 4, "ok": False, "number": 1, "round": 0, "sent": 0.0}
    sent = of_type(desk.say("n3", **refusal, prev=5, hint=2), "append_entries")["n3"]
    assert (sent["prev"], len(sent["entries"]), peer.next) == (1, 5, 2)
    assert of_type(desk.say("n3", **refusal, prev=5, hint=4), "append_entries") == {}  # overtaken by the first one
    assert peer.next == 2


def test_a_follower_whose_entries_were_discarded_is_sent_the_snapshot() -> None:
    desk = Desk(3, snapshot_entries=10, snapshot_tail=2)
    desk.lead(1)
    for value in range(12):
        desk.ask("write", key="x", value=value)
        desk.acknowledge("n2")
    peer = desk.raft.core.replication.peers["n3"]
    peer.next, peer.waiting = 2, False
    desk.turn(0.2)
    sent = of_type(desk.env.sent, "install_snapshot")["n3"]
    assert sent["snapshot"]["index"] == desk.raft.core.snapshots.index >= 10
    after = of_type(desk.acknowledge("n3", match=sent["snapshot"]["index"]), "append_entries")["n3"]
    assert after["prev"] == sent["snapshot"]["index"]


LOGS = st.lists(st.integers(1, 4), max_size=8).map(sorted)


@settings(deadline=None, max_examples=60)
@given(shared=LOGS, leader=LOGS, follower=LOGS, batch_max=st.integers(1, 4))
def test_the_followers_log_comes_to_equal_the_leaders(
    shared: list[int], leader: list[int], follower: list[int], batch_max: int
) -> None:
    """Whatever both have: a leader and a follower talk until they have nothing to say, and then their logs are equal.

    Logs of Raft servers may differ only behind a common beginning, and there in terms (Log Matching Property).
    """
    top = max(shared, default=1)
    ahead, behind = Desk(3, batch_max=batch_max), Desk(3)
    for desk, rest, parity in ((ahead, leader, 0), (behind, follower, 1)):
        entries = [[term, write("k", term)] for term in shared]
        entries += [[top + 2 * term + parity, write("k", term)] for term in rest]
        desk.append("n3", top + 20, entries=entries)
    ahead.elect(top + 21)
    mail = [body for dest, body in ahead.env.sent if dest == "n2" and body["type"] == "append_entries"][-1:]
    messages = 0
    while mail:
        messages += 1
        assert messages < 60
        answer = of_type(behind.say("n1", **mail.pop()), "append_reply")["n1"]
        mail = [body for dest, body in ahead.say("n2", **answer) if dest == "n2"]
    assert behind.state.log.entries == ahead.state.log.entries
    assert ahead.state.commit == behind.state.commit == ahead.state.log.last_index or not mail
    peer = ahead.raft.core.replication.peers["n2"]
    assert peer.match == ahead.state.log.last_index
